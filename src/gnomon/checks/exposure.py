"""What servers give away to strangers: the whole zone, recursion, their software's version."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gnomon.base import Address, Name, printable_bytes
from gnomon.base.codes import CLASS_CH, NOERROR, NXDOMAIN, SERVFAIL, TXT
from gnomon.checks.observed import Answer, is_answered
from gnomon.checks.outcome import Outcome, outcome, shown_by, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import SEC, check
from gnomon.checks.replies import UNHEARD, Probed, labels, probe, unheard
from gnomon.checks.transfer import starts_transfer
from gnomon.checks.view import ZoneView
from gnomon.wire import Message, rdata


@check(
    "exp.axfr",
    properties=(SEC,),
    asked=("S20",),
    codes={
        "closed": "No server of {zone} that was asked transfers the zone to strangers.",
        "open": "{server} transfers {zone} to anyone.",
        "other-zone": "Not judged at {servers}: {servers:it was|they were} asked to transfer another zone that "
        "{servers:it serves|they serve}.",
        **UNHEARD,
    },
)
def axfr(view: ZoneView) -> Iterator[Outcome]:
    """Servers do not transfer the zone to anyone who asks.

    Why: a transfer shows all names of the zone at once, and costs the server much more than the asker.
    Rule: notice if the first message of a transfer of this zone comes back; zones meant to be public (the root and
        those under arpa) pass. Only the first message is read. A server that was asked with another zone is unknown.
    Source: RFC 5936 section 5; KINDNS practice 2.
    Do: allow transfers to the secondaries only, with TSIG keys.
    """
    probed = probe(view, "S20", alive="Q7")
    own = [a for a in probed.answers if a.qname == view.zone]
    other = [a for a in probed.answers if a.qname != view.zone]
    opened = [a for a in own if starts_transfer(a)]
    for answer in opened:
        server = view.server_label(answer.address)
        yield outcome("open", answer.exchange, subject=server, server=server)
    # A connection that is closed without a message is a refusal too (RFC 5936 section 2.2.1).
    refused = [x for address in probed.dropped for x in view.asked("S20", address) if not is_answered(x)]
    if (own or refused) and not opened:
        yield outcome("closed", shown_by(own), refused)
    if other:
        yield unknown("other-zone", shown_by(other), servers=labels(view, [a.address for a in other]))
    yield from unheard(view, probed.heard, "S20")


@check(
    "exp.recursion",
    properties=(SEC,),
    asked=("S10",),
    codes={
        "closed": "No server of {zone} that was heard resolves names for strangers.",
        "open": "{server} resolves names for anyone: it answers {rcode} for {name}.",
        "offered": "{server} says that it would recurse (RA), but answers {rcode}.",
        **UNHEARD,
    },
)
def recursion(view: ZoneView) -> Iterator[Outcome]:
    """Authoritative servers do not resolve names for strangers.

    Why: open resolvers are used to flood others and can be poisoned; mixed with authority they spread the harm.
    Rule: a name that the server has nothing to do with is asked with RD. Error if RA is set and the answer is
        NOERROR or NXDOMAIN without authority, so that it was found by recursion; warning if RA is set with anything
        else.
    Source: RFC 5358 section 5; BCP 140; KINDNS practice 4; IANA technical requirements for name servers.
    Do: switch recursion off, or move the resolver to another address and limit who may use it.
    """
    probed, clean = probe(view, "S10", alive="Q1"), True
    for answer in probed.answers:
        message = answer.message
        if message.ra:
            clean, server = False, view.server_label(answer.address)
            code = "open" if message.rcode in (NOERROR, NXDOMAIN) and not message.aa else "offered"
            name, rcode = str(answer.qname), str(message.rcode)
            yield outcome(code, answer.exchange, subject=server, server=server, name=name, rcode=rcode)
    silent = [x for address in probed.dropped for x in view.asked("S10", address)]
    if (probed.answers or silent) and clean:
        yield outcome("closed", probed.shown, silent)
    yield from unheard(view, probed.heard, "S10")


@check(
    "exp.version",
    properties=(SEC,),
    asked=("S17", "S18"),
    codes={
        "hidden": "No server of {zone} that was heard tells its version.",
        "revealed": "{server} says that it runs {version}.",
        "wrong-class": "{server} tells its version ({version}) in a record of class {rclass}; CHAOS (3) is due.",
        "breaks": "{server} answers {rcode} to the question for {names}.",
        "dropped": "{server} does not answer the {names:question|questions} for {names}; others it does.",
        **UNHEARD,
    },
)
def version(view: ZoneView) -> Iterator[Outcome]:
    """Servers do not tell strangers which version they run.

    Why: it tells an attacker which hole to try; some operators tell it on purpose.
    Rule: notice if a version text comes back for TXT version.bind or version.server in class CHAOS; warning if the
        record has another class; notice if the server fails on a question or drops it. An empty text, a denial or a
        refusal passes.
    Source: RFC 4892 section 3; Zonemaster Nameserver15.
    Do: set the server's version string to nothing, or refuse the question.
    """
    probes = [probe(view, ask, alive="Q1") for ask in ("S17", "S18")]
    told: dict[Address, list[tuple[str, str, Answer]]] = {}
    for answer in (answer for probed in probes for answer in probed.answers):
        told.setdefault(answer.address, []).append((*_version_code(answer), answer))
    clean = not any(probed.dropped for probed in probes)
    for address, of in told.items():
        code = min((code for code, _, _ in of), key=_WORST.index)
        if code != "hidden":
            clean, server = False, view.server_label(address)
            same = [(texts, answer) for word, texts, answer in of if word == code]
            message = same[0][1].message
            rclass = next((r.rclass for r in message.answer if r.rclass != CLASS_CH), None)
            facts = {"version": same[0][0], "rcode": str(message.rcode), "names": str(same[0][1].qname)}
            shown = [answer.exchange for _, answer in same]
            yield outcome(code, shown, subject=server, server=server, rclass=rclass, **facts)
    for address in dict.fromkeys(address for probed in probes for address in probed.dropped):
        server, asks = view.server_label(address), [ask for ask, p in _named(probes) if address in p.dropped]
        shown = [x for ask in asks for x in view.asked(ask, address)]
        names = tuple(_NAMES[ask] for ask in asks)
        yield outcome("dropped", shown, subject=server, server=server, names=names)
    if told and clean:
        yield outcome("hidden", [answer.exchange for of in told.values() for _, _, answer in of])
    yield from unheard(view, probes[0].heard, "S17")


_NAMES = {"S17": "version.bind", "S18": "version.server"}
_WORST = ("wrong-class", "revealed", "breaks", "hidden")


def _named(probes: list[Probed]) -> list[tuple[str, Probed]]:
    return list(zip(_NAMES, probes, strict=True))


def _version_code(answer: Answer) -> tuple[str, str]:
    """The code, and the text of the first TXT records that say something."""
    return _version_told(answer.message, answer.qname)


@lru_cache(maxsize=1024)
def _version_told(message: Message, qname: Name | None) -> tuple[str, str]:
    if message.rcode == SERVFAIL or message.malformed is not None:
        return "breaks", ""
    records = [r for r in message.answer if r.rtype == TXT and r.owner == qname]
    strings = read_all(rdata.txt, (record.rdata for record in records))
    texts = ", ".join(text for parts in strings if (text := printable_bytes(b"".join(parts)).strip()))
    if any(record.rclass != CLASS_CH for record in records):
        return "wrong-class", texts
    return ("revealed", texts) if texts else ("hidden", "")
