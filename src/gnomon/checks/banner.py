"""What servers tell of themselves: their software, and names and addresses that are nobody's business."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address

from gnomon.base import Address, printable_bytes
from gnomon.base.codes import OPTION_NSID, TXT
from gnomon.base.special import special_purpose
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by
from gnomon.checks.read import read_all
from gnomon.checks.registry import RES, SEC, check
from gnomon.checks.replies import UNHEARD, labels, probe, unheard
from gnomon.checks.unjudged import unjudged
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message, rdata

_FAMILIES = (
    ("BIND 9", r"\bbind\b|^9\.[0-9]+"), ("NSD", r"\bnsd\b"), ("Knot DNS", r"\bknot\b"), ("PowerDNS", r"\bpowerdns\b"),
    ("Microsoft DNS", r"\bmicrosoft\b"), ("YADIFA", r"\byadifa\b"), ("gdnsd", r"\bgdnsd\b"),
    ("CoreDNS", r"\bcoredns\b"), ("Unbound", r"\bunbound\b"), ("dnsmasq", r"\bdnsmasq\b"),
    ("Technitium", r"\btechnitium\b"),
)  # fmt: skip
_PRIVATE_NAME = re.compile(
    r"\b[a-z0-9-]{1,63}\.(?:local|localdomain|internal|intern|intranet|lan|corp|home|private)(?!-|\.?\w)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?<![0-9a-fA-F.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:]{3,39})(?![0-9a-fA-F:]|\.[0-9])")


@lru_cache(maxsize=1024)
def _family(version: str) -> str | None:
    return next((name for name, pattern in _FAMILIES if re.search(pattern, version, re.IGNORECASE)), None)


def _version_texts(view: ZoneView) -> dict[Address, tuple[str, Exchange]]:
    """What each server says of its version, and where."""
    found: dict[Address, tuple[str, Exchange]] = {}
    for answer in (*view.answers("S17"), *view.answers("S18")):
        if text := _text(answer.message):
            found.setdefault(answer.address, (text, answer.exchange))
    return found


@lru_cache(maxsize=1024)
def _text(message: Message) -> str:
    texts = read_all(rdata.txt, [r.rdata for r in message.answer if r.rtype == TXT])
    return ", ".join([text for parts in texts if (text := printable_bytes(b"".join(parts)).strip())])


@check(
    "exp.fingerprint",
    properties=(SEC, RES),
    asked=("S17", "S18"),
    codes={
        "told": "{server} runs {software}, by its own word ({version}).",
        "other": "{server} calls its software {version}, which is not known here.",
        "not-told": "Which software answers at {servers} is not told; how {servers:it behaves|they behave} is not "
        "compared.",
        **UNHEARD,
    },
)
def fingerprint(view: ZoneView) -> Iterator[Outcome]:
    """Which name server software answers.

    Why: a hole in one software takes all servers that run it; different ones fail at different times.
    Rule: reported, not judged: the family that the version text names.
    Source: RFC 4892 section 3; KINDNS practice 6.
    Do: nothing is needed; consider two kinds of software for a zone that must not fail.
    """
    probed = probe(view, "S17", alive="Q1")
    texts = _version_texts(view)
    for address, (text, exchange) in texts.items():
        software = _family(text)
        server = view.server_label(address)
        code = "told" if software else "other"
        yield outcome(code, exchange, subject=server, server=server, software=software, version=text)
    silent = [answer for answer in probed.answers if answer.address not in texts]
    silent_at = [answer.address for answer in silent] + list(probed.dropped)
    if silent_at:
        yield outcome("not-told", shown_by(silent), servers=labels(view, silent_at))
    yield from unheard(view, probed.heard, "S17")


@unjudged("exp.version-vulnerable", properties=(SEC,), needs="reference-list")
def version_vulnerable() -> None:
    """No server runs software with a known hole.

    Why: published holes are tried by everybody.
    Rule: error if the version that a server tells has a published hole that can be used from afar against an
        authoritative server; warning if it gets no repairs any more.
    Source: the vendors' advisories; NIST SP 800-81r3.
    Do: update the software.
    """


@check(
    "exp.stale-software-banner",
    properties=(SEC,),
    asked=("Q2", "S17", "S18"),
    version=2,
    codes={
        "clean": "What servers of {zone} tell of themselves names no internal host or address.",
        "internal-name": "{server} tells a name of its inner network: {text}.",
        "internal-address": "{server} tells an address of its inner network: {text}.",
        "silent": "No server of {zone} tells anything of itself.",
    },
)
def stale_software_banner(view: ZoneView) -> Iterator[Outcome]:
    """Servers do not tell names or addresses of their inner network.

    Why: they help an attacker who is in already, or who calls somebody up.
    Rule: notice if the name server identifier (NSID), or the version text, has a name under a private domain or an
        address that is not globally reachable. The identifier holds what hostname.bind and id.server would say.
    Source: RFC 4892 section 3; RFC 5001 section 4.
    Do: set an identifier that means something to you alone.
    """
    told: list[tuple[Address, str, Exchange]] = []
    for answer in view.answers("Q2"):
        nsid = answer.message.edns.option(OPTION_NSID) if answer.message.edns is not None else None
        if nsid:
            told.append((answer.address, printable_bytes(nsid), answer.exchange))
    told += [(address, text, exchange) for address, (text, exchange) in _version_texts(view).items()]
    clean = True
    for address, text, exchange in told:
        code = "internal-name" if _PRIVATE_NAME.search(text) else "internal-address" if _has_private(text) else ""
        if code:
            clean, server = False, view.server_label(address)
            yield outcome(code, exchange, subject=server, server=server, text=text)
    if told and clean:
        yield outcome("clean", (exchange for _, _, exchange in told))
    elif not told:
        yield not_applicable("silent", view.asked("Q2"))


def _has_private(text: str) -> bool:
    for found in _ADDRESS.findall(text):
        try:
            if special_purpose(ip_address(found)) is not None:
                return True
        except ValueError:
            continue
    return False
