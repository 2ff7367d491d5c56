"""Header flags in queries: each must be ignored, or mean what it says, and change nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import NOERROR, SOA
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Arg, Outcome, unknown
from gnomon.checks.registry import IOP, check
from gnomon.checks.replies import (
    UNHEARD,
    Finding,
    dropped,
    finding,
    is_dropped,
    labels,
    probe,
    says_only_tcp,
    told,
    unheard,
)
from gnomon.checks.view import ZoneView

_FLAGS = {"S8A": "AA", "S8T": "TC", "S9": "RD", "S8R": "RA", "S8Z": "Z", "S8D": "AD", "S8C": "CD"}
_OF_RESPONSES = ("S8A", "S8T", "S8R")


@check(
    "hdr.flags",
    properties=(IOP,),
    asked=("Q1", "S8", *_FLAGS),
    version=2,
    codes={
        "ignored": "All servers of {zone} that were heard answer a query with all header flags set like any other.",
        "dropped": "{server} does not answer a query with the header {flags:flag|flags} {flags} set.",
        "changed": "{server} answers {said} to a query with the header {flags:flag|flags} {flags} set.",
        "responses-dropped": "{server} does not answer a query with the header {flags:flag|flags} {flags} set, which "
        "only responses have.",
        "responses-changed": "{server} answers {said} to a query with the header {flags:flag|flags} {flags} set, which "
        "only responses have.",
        "together": "{server} answers {said} to a query with all header flags set; with each alone it is right.",
        "all-dropped": "{server} does not answer a query with all header flags set together.",
        "copied": "{server} gives the header {flags:flag|flags} {flags} of the query back.",
        **UNHEARD,
    },
)
def flags(view: ZoneView) -> Iterator[Outcome]:
    """Header flags that mean nothing in a query change nothing in the answer.

    Why: a server that trips over a flag is out of reach for resolvers that set it, as AD and CD are set today.
    Rule: the SOA is asked for with AA, TC, RD, RA, Z, AD and CD set; where the answer lacks the SOA or AA, has Z set or
        another rcode than NOERROR, each flag is set alone. Error if a query with RD, Z, AD or CD is dropped, warning
        if the answer changes; notice for AA, TC and RA, which no resolver sets: a query that says of itself to be
        truncated may be taken for malformed. Warning if TC, RA or Z come back that are clear without it. RD is
        copied by right; AD and CD may be clear or not (RFC 4035 section 3.1.6, RFC 6840 section 5.8).
    Source: RFC 1035 section 4.1.1; RFC 8906 section 8.1.3.
    Do: update the server, or the firewall in front of it.
    """
    probed = probe(view, "S8", alive="Q1")
    findings = [one for address in probed.dropped for one in _singles(view, address, None)]
    for answer in probed.answers:
        if _said(answer):
            findings += _singles(view, answer.address, answer)
        elif copied := _copied(view, answer):
            findings.append(finding("copied", answer.address, answer, flags=copied))
    yield from told(view, findings, "ignored", probed.shown)
    yield from unheard(view, probed.heard, "S8")


def _singles(view: ZoneView, address: Address, answer: Answer | None) -> list[Finding]:
    """Which of the flags is to blame for what came, or did not come, of all together."""
    singles = {ask: view.answer(ask, address) for ask in _FLAGS if view.asked(ask, address)}
    silent = [ask for ask, single in singles.items() if single is None and is_dropped(view, ask, address)]
    changed = {ask: said for ask, single in singles.items() if single and (said := _said(single))}
    found = list[Finding]()
    for code, asks in (("dropped", silent), ("changed", list(changed))):
        for kind in ("", "responses-"):
            if of := [ask for ask in asks if (ask in _OF_RESPONSES) == bool(kind)]:
                shown = (*view.asked("S8", address), *(x for ask in of for x in view.asked(ask, address)))
                facts: dict[str, Arg] = {"flags": tuple(_FLAGS[ask] for ask in of)}
                if code == "changed":
                    facts["said"] = tuple(dict.fromkeys(changed[ask] for ask in of))
                found.append(Finding(kind + code, address, shown, facts))
    if found:
        return found
    said_of_all = _said(answer) if answer is not None else ""
    return [Finding("together" if answer else "all-dropped", address, view.asked("S8", address), {"said": said_of_all})]


def _said(answer: Answer) -> str:
    """What an answer to the SOA question has or lacks that it should not; empty if nothing."""
    message = answer.message
    if says_only_tcp(answer):
        return ""
    if message.rcode != NOERROR:
        return str(message.rcode)
    if not message.tc and not any(record.rtype == SOA for record in message.answer):
        return "no SOA record"
    if not message.aa:
        return "without authority"
    return "with Z set" if message.z else ""


def _copied(view: ZoneView, answer: Answer) -> tuple[str, ...]:
    """The flags that are set in this answer and not in the one to the plain question."""
    before, now = view.answer("Q1", answer.address), answer.message
    if before is None:
        return ()
    # What is cut off has TC by right.
    is_cut = not any(record.rtype == SOA for record in now.answer)
    set_now = {"TC": now.tc and not is_cut and not before.message.tc, "RA": now.ra and not before.message.ra}
    return tuple(flag for flag, is_set in set_now.items() if is_set)


@check(
    "hdr.rd-in-zone",
    properties=(IOP,),
    asked=("S8", "S9"),
    codes={
        "same": "All servers of {zone} that were heard answer for their zone whether recursion is desired or not.",
        "dropped": "{server} does not answer a query for its zone with recursion desired.",
        "changed": "{server} answers {said} to a query for its zone with recursion desired.",
        "not-copied": "{server} leaves the RD bit of the query out of its answer.",
        **UNHEARD,
    },
)
def rd_in_zone(view: ZoneView) -> Iterator[Outcome]:
    """A query for the server's own zone is answered the same with RD set.

    Why: people and stub resolvers that ask the server directly set it, and some resolvers do.
    Rule: warning if the answer to the SOA question with RD lacks the SOA or AA or has another rcode than NOERROR;
        error if it is dropped; notice if RD is not copied into the answer. Asked alone only where the query with all
        header flags is not answered properly.
    Source: RFC 1034 section 4.3.1; RFC 1035 section 4.1.1; RFC 8906 section 8.1.3.
    Do: update the server, or let it answer for its zones also to those that it would not recurse for.
    """
    probed, asked_at = probe(view, "S9", alive="Q1", first="S8"), view.attempts("S9")
    findings = [one for one in dropped(view, probed, "S9") if one.address in asked_at]
    for answer in probed.answers:
        said = _said(answer) if answer.exchange.ask == "S9" else ""
        if said:
            findings.append(finding("changed", answer.address, answer, said=said))
        elif not answer.message.rd:
            findings.append(finding("not-copied", answer.address, answer))
    yield from told(view, findings, "same", probed.shown)
    # These dropped a query with other flags too, and were not asked with RD alone.
    left = [address for address in probed.dropped if address not in asked_at]
    if left:
        shown = [x for address in left for x in view.asked("S8", address)]
        yield unknown("not-asked", shown, servers=labels(view, left))
    yield from unheard(view, probed.heard, "S9", "S8")
