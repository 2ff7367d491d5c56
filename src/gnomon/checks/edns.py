"""EDNS at each server: is it spoken, and are the parts of it that are unknown today ignored as they must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gnomon.base import Address
from gnomon.base.codes import BADVERS, FORMERR, NOERROR, NOTIMP, SOA
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Arg, Outcome, outcome, shown_by
from gnomon.checks.registry import IOP, check
from gnomon.checks.replies import (
    UNHEARD,
    UNHEARD_EDNS,
    finding,
    hear,
    is_dropped,
    probe,
    speaks_edns,
    told,
    unheard,
    unjudged,
)
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Edns
from gnomon.wire.edns import DO

_UNKNOWN_OPTION = 65001


@check(
    "edns.support",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q2C", "Q2N", "Q2K", "Q2D", "Q2S", "Q3", "Q3N"),
    version=2,
    codes={
        "supported": "All servers of {zone} that were heard speak EDNS.",
        "dropped": "{server} does not answer queries with EDNS; without EDNS it does.",
        "error": "{server} answers {rcode} to a query with EDNS; without EDNS it serves {zone}.",
        "wrong-version": "{server} answers EDNS version 0 with version {version}.",
        "no-data": "{server} leaves out the records when the query has EDNS.",
        "no-edns": "{server} refuses EDNS ({rcode} without OPT).",
        "ignored": "{server} answers as if the query had no EDNS.",
        "feature": "{server} speaks EDNS, but a query with options gets {said}; without {feature} it is answered.",
        "with-options": "{server} speaks EDNS, but a query with NSID, cookie and mixed case gets {said}.",
        **UNHEARD,
    },
)
def support(view: ZoneView) -> Iterator[Outcome]:
    """Servers speak EDNS.

    Why: DNSSEC, larger answers and cookies need it; servers that break on it slow every resolver down.
    Rule: by the plain EDNS question Q3: error if it is dropped while the same question without EDNS is answered, for
        another rcode than NOERROR, another version, or missing records; warning for FORMERR or NOTIMP without OPT
        (an honest server without EDNS) and for an answer without OPT; warning also if only the question with options
        (Q2) fails. That one is asked again with one feature less at a time, to tell which of them is too much.
    Source: RFC 6891 sections 6.1.1 and 7; RFC 8906 section 8.2.
    Do: update the server, or the firewall or load balancer in front of it.
    """
    probed, clean = probe(view, "Q3", alive="Q3N", only_tcp=True), True
    serving = [answer for answer in probed.answers if view.service(answer.address).state == "ok"]
    for answer in serving:
        code, shown = _support_code(answer), [answer.exchange]
        rcode, edns = answer.message.rcode, answer.message.edns
        facts: dict[str, Arg] = {"rcode": str(rcode), "version": edns.version if edns else None}
        if code == "supported" and (trouble := _richer(view, answer.address)) is not None:
            code, shown, facts = trouble
        if code == "supported":
            continue
        clean, server = False, view.server_label(answer.address)
        yield outcome(code, shown, subject=server, server=server, **facts)
    for address in probed.dropped:
        server = view.server_label(address)
        shown = [*view.asked("Q3", address), *view.asked("Q3N", address)]
        yield outcome("dropped", shown, subject=server, server=server)
    if serving and clean and not probed.dropped:
        yield outcome("supported", shown_by(serving))
    yield from unjudged(view, [*probed.dropped, *(a.address for a in serving)], "Q3")


_FEATURES = {"Q2C": "the cookie", "Q2N": "NSID", "Q2K": "mixed case", "Q2D": "DO", "Q2S": "a size over 512 octets"}


def _richer(view: ZoneView, address: Address) -> tuple[str, list[Exchange], dict[str, Arg]] | None:
    """What is wrong with the answer to the question with options, and which of them is to blame; None if nothing is."""
    answer, attempts = view.answer("Q2", address), view.asked("Q2", address)
    if not is_dropped(view, "Q2", address) if answer is None else answer.message.rcode == NOERROR:
        return None
    healed = [ask for ask in _FEATURES if (a := view.answer(ask, address)) is not None and _serves(a)]
    shown = [*attempts, *(x for ask in healed for x in view.asked(ask, address))]
    said = str(answer.message.rcode) if answer else "no answer"
    if healed:
        return "feature", shown, {"said": said, "feature": tuple(_FEATURES[ask] for ask in healed)}
    return "with-options", shown, {"said": said}


def _support_code(answer: Answer) -> str:
    message = answer.message
    if message.rcode in (FORMERR, NOTIMP) and message.edns is None:
        return "no-edns"
    if message.rcode != NOERROR:
        return "error"
    if message.edns is None:
        return "ignored"
    if message.edns.version != 0:
        return "wrong-version"
    return "supported" if message.answer or message.tc else "no-data"


def _pack(
    view: ZoneView, ask: str, good: str, judge: Callable[[Answer, Edns | None], str], first: str = ""
) -> Iterator[Outcome]:
    """Outcomes of one EDNS question of the compliance pack; `judge` gives the code of an answer.

    A server that answered the combined question `first` properly was not asked `ask`, and is good.
    """
    probed, clean = probe(view, ask, alive="Q3", edns=True, first=first), True
    for answer in probed.answers:
        edns = answer.message.edns
        code = judge(answer, edns)
        if code != good:
            clean = False
            server, seen = view.server_label(answer.address), edns.version if edns else None
            rcode = str(answer.message.rcode)
            yield outcome(code, answer.exchange, subject=server, server=server, rcode=rcode, version=seen)
    for address in probed.dropped:
        server = view.server_label(address)
        yield outcome("dropped", view.asked(ask, address), subject=server, server=server)
    if probed.answers and clean and not probed.dropped:
        yield outcome(good, probed.shown)
    yield from unheard(view, probed.heard, ask)


@check(
    "edns.version",
    properties=(IOP,),
    asked=("S1", "S4"),
    codes={
        "badvers": "All servers of {zone} that were heard answer BADVERS to an EDNS version that they do not know.",
        "dropped": "{server} does not answer a query of EDNS version 1.",
        "no-opt": "{server} answers {rcode} without OPT to a query of EDNS version 1.",
        "version-ignored": "{server} answers a query of EDNS version 1 as if it were version 0.",
        "wrong-rcode": "{server} answers {rcode} to a query of EDNS version 1; BADVERS is due.",
        "wrong-version": "{server} answers BADVERS with EDNS version {version}; version 0 is due.",
        "not-empty": "{server} answers BADVERS, yet sends records with it.",
        **UNHEARD_EDNS,
    },
)
def version(view: ZoneView) -> Iterator[Outcome]:
    """Servers answer BADVERS to a version of EDNS that they do not know.

    Why: only then can a later version of EDNS ever be introduced.
    Rule: to a query of version 1 error if it is dropped; warning unless the answer is BADVERS with an OPT of version
        0 and an empty answer section.
    Source: RFC 6891 section 6.1.3; RFC 8906 section 8.2.
    Do: update the server, or the firewall in front of it.
    """
    yield from _pack(view, "S1", "badvers", _version_code, "S4")


def _version_code(answer: Answer, edns: Edns | None) -> str:
    message = answer.message
    if edns is None:
        return "no-opt"
    if message.rcode != BADVERS:
        return "version-ignored" if message.rcode == NOERROR and message.answer else "wrong-rcode"
    if edns.version != 0:
        return "wrong-version"
    return "not-empty" if message.answer else "badvers"


@check(
    "edns.unknown-option",
    properties=(IOP,),
    asked=("S2", "S6"),
    codes={
        "ignored": "All servers of {zone} that were heard ignore an EDNS option that they do not know.",
        "dropped": "{server} does not answer a query with an unknown EDNS option.",
        "wrong-rcode": "{server} answers {rcode} to a query with an unknown EDNS option.",
        "no-opt": "{server} answers a query with an unknown EDNS option without OPT.",
        "echoed": "{server} sends an unknown EDNS option back.",
        "no-soa": "{server} leaves the SOA record out when the query has an unknown EDNS option.",
        "not-authoritative": "{server} answers without authority when the query has an unknown EDNS option.",
        **UNHEARD_EDNS,
    },
)
def unknown_option(view: ZoneView) -> Iterator[Outcome]:
    """Servers ignore an EDNS option that they do not know.

    Why: resolvers send options such as cookies to everybody; a server that stumbles over them costs time or fails.
    Rule: to a query with option 65001 error if it is dropped; warning if the option comes back, for another rcode
        than NOERROR, or if SOA, AA or OPT are missing.
    Source: RFC 6891 section 6.1.2; RFC 8906 section 8.2.
    Do: update the server, or the firewall in front of it.
    """
    yield from _pack(view, "S2", "ignored", _option_code, "S6")


def _option_code(answer: Answer, edns: Edns | None) -> str:
    if edns is not None and edns.option(_UNKNOWN_OPTION) is not None:
        return "echoed"
    return _plain_code(answer, edns) or "ignored"


def _plain_code(answer: Answer, edns: Edns | None) -> str:
    """What an answer lacks that the server gives to an ordinary SOA question; empty if nothing."""
    message = answer.message
    if message.rcode != NOERROR:
        return "wrong-rcode"
    if edns is None:
        return "no-opt"
    if not message.tc and not any(record.rtype == SOA for record in message.answer):
        return "no-soa"
    return "" if message.aa else "not-authoritative"


@check(
    "edns.unknown-flag",
    properties=(IOP,),
    asked=("S3", "S6"),
    codes={
        "ignored": "All servers of {zone} that were heard ignore an EDNS flag that they do not know.",
        "dropped": "{server} does not answer a query with an unknown EDNS flag.",
        "wrong-rcode": "{server} answers {rcode} to a query with an unknown EDNS flag.",
        "no-opt": "{server} answers a query with an unknown EDNS flag without OPT.",
        "echoed": "{server} sends unknown EDNS flags back.",
        "no-soa": "{server} leaves the SOA record out when the query has an unknown EDNS flag.",
        "not-authoritative": "{server} answers without authority when the query has an unknown EDNS flag.",
        **UNHEARD_EDNS,
    },
)
def unknown_flag(view: ZoneView) -> Iterator[Outcome]:
    """Servers ignore EDNS flags that they do not know, and leave them clear.

    Why: a flag that comes back unread cannot be given a meaning later.
    Rule: to a query with flag 0x0040 error if it is dropped; warning if any flag but DO is set in the answer, for
        another rcode than NOERROR, or if SOA, AA or OPT are missing.
    Source: RFC 6891 section 6.1.4; RFC 8906 section 8.2.
    Do: update the server, or the firewall in front of it.
    """
    yield from _pack(view, "S3", "ignored", _flag_code, "S6")


def _flag_code(answer: Answer, edns: Edns | None) -> str:
    if edns is not None and edns.flags & ~DO:
        return "echoed"
    return _plain_code(answer, edns) or "ignored"


@check(
    "edns.do-bit",
    properties=(IOP,),
    asked=("Q3",),
    codes={
        "copied": "All servers of {zone} that were heard copy the DO bit into the answer.",
        "not-copied": "{server} does not copy the DO bit into the answer.",
        **UNHEARD_EDNS,
    },
)
def do_bit(view: ZoneView) -> Iterator[Outcome]:
    """Servers copy the DO bit of the query.

    Why: it tells the asker that the server knows DNSSEC records and did not just leave them out.
    Rule: warning if an answer with OPT lacks the DO bit though the query had it.
    Source: RFC 3225 section 3.
    Do: update the server.
    """
    heard = hear(view, "Q3", edns=True)
    clear = [a for a in heard.answers if a.message.edns is not None and not a.message.edns.do]
    for answer in clear:
        server = view.server_label(answer.address)
        yield outcome("not-copied", answer.exchange, subject=server, server=server)
    if heard.answers and not clear:
        yield outcome("copied", heard.shown)
    yield from unheard(view, heard, "Q3")


@check(
    "edns.plain",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q3"),
    version=2,
    codes={
        "answered": "All servers of {zone} that were heard answer plain queries, and without EDNS.",
        "fails": "{server} serves {zone} to queries with EDNS, but answers {rcode} to one without.",
        "gratuitous-opt": "{server} answers a query without EDNS with an OPT record.",
        **UNHEARD,
    },
)
def plain(view: ZoneView) -> Iterator[Outcome]:
    """Servers answer queries without EDNS, and leave EDNS out of their answers.

    Why: small clients and old middleboxes know nothing else; an OPT record that nobody asked for breaks them.
    Rule: error for a server whose SOA answer is right with EDNS and not without; warning for an OPT record in the
        answer to a plain query. Silence is judged by net.udp.
    Source: RFC 6891 sections 6.1.1 and 7.
    Do: update the server, or look for a middlebox that rewrites its answers.
    """
    answers, findings = view.answers("Q1"), []
    judged = []
    for answer in answers:
        rich = [a for ask in ("Q2", "Q3") if (a := view.answer(ask, answer.address)) is not None]
        rcode = str(answer.message.rcode)
        if view.service(answer.address).state == "ok":
            judged.append(answer)
        elif any(map(_serves, rich)):
            judged.append(answer)
            findings.append(finding("fails", answer.address, answer, *rich, rcode=rcode))
        if answer.message.edns is not None:
            findings.append(finding("gratuitous-opt", answer.address, answer))
    yield from told(view, findings, "answered", shown_by(judged))
    yield from unjudged(view, [*(a.address for a in judged), *(f.address for f in findings)], "Q1")


def _serves(answer: Answer) -> bool:
    message = answer.message
    return message.rcode == NOERROR and message.aa and any(record.rtype == answer.qtype for record in message.answer)


@check(
    "edns.tcp",
    properties=(IOP,),
    asked=("Q7",),
    codes={
        "with-opt": "All servers of {zone} that were heard speak EDNS over TCP too.",
        "no-opt": "{server} leaves EDNS out over TCP; over UDP it speaks it.",
        **UNHEARD_EDNS,
    },
)
def over_tcp(view: ZoneView) -> Iterator[Outcome]:
    """Servers speak EDNS over TCP as over UDP.

    Why: an answer over TCP without OPT lacks DNSSEC records, just when the answer was too large for UDP.
    Rule: warning for an answer over TCP without OPT from a server that speaks EDNS over UDP.
    Source: RFC 6891 section 6.1.1; RFC 7766 section 5.
    Do: update the server, or the load balancer that ends its TCP connections.
    """
    heard = hear(view, "Q7", edns=True)
    without = [a for a in hear(view, "Q7").answers if a.message.edns is None and speaks_edns(view, a.address)]
    yield from told(view, [finding("no-opt", a.address, a) for a in without], "with-opt", heard.shown)
    yield from unheard(view, heard.but([answer.address for answer in without]), "Q7")


@check(
    "edns.version-plus",
    properties=(IOP,),
    asked=("S4",),
    codes={
        "badvers": "All servers of {zone} that were heard answer BADVERS to a later version, whatever comes with it.",
        "dropped": "{server} does not answer a query of EDNS version 1 with an unknown option and flag.",
        "no-opt": "{server} answers {rcode} without OPT to a query of EDNS version 1 with an unknown option and flag.",
        "wrong-rcode": "{server} answers {rcode} to a query of EDNS version 1 with an unknown option and flag.",
        "wrong-version": "{server} answers BADVERS with EDNS version {version}; version 0 is due.",
        "not-empty": "{server} answers BADVERS, yet sends records with it.",
        "option-echoed": "{server} sends the unknown option of a later EDNS version back.",
        "flag-echoed": "{server} sends the unknown flag of a later EDNS version back.",
        **UNHEARD_EDNS,
    },
)
def version_plus(view: ZoneView) -> Iterator[Outcome]:
    """Servers answer BADVERS to a later version of EDNS whatever else comes with it.

    Why: a later version brings new options and flags; a server that stumbles over them keeps it from coming.
    Rule: to a query of version 1 with option 65001, flag 0x0040 and DO: error if it is dropped; warning unless the
        answer is BADVERS with an OPT of version 0, without records, and without the option and the flag.
    Source: RFC 6891 sections 6.1.2 to 6.1.4; RFC 8906 sections 8.2.3 to 8.2.6.
    Do: update the server, or the firewall in front of it.
    """
    yield from _pack(view, "S4", "badvers", _version_plus_code)


def _version_plus_code(answer: Answer, edns: Edns | None) -> str:
    if edns is not None and edns.option(_UNKNOWN_OPTION) is not None:
        return "option-echoed"
    if edns is not None and edns.flags & ~DO:
        return "flag-echoed"
    code = _version_code(answer, edns)
    return "wrong-rcode" if code == "version-ignored" else code
