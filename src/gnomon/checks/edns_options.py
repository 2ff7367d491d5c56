"""EDNS options: which of them servers speak, and whether they speak them right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gnomon.base import Address, InputError, Name, printable_bytes
from gnomon.base.codes import (
    NOERROR,
    OPTION_EDE,
    OPTION_EXPIRE,
    OPTION_NSID,
    OPTION_REPORT_CHANNEL,
    OPTION_TCP_KEEPALIVE,
    SOA,
)
from gnomon.base.once import once
from gnomon.checks.observed import Answer, is_udp
from gnomon.checks.outcome import Arg, Outcome, outcome, shown_by, unknown
from gnomon.checks.registry import IOP, RES, STA, check
from gnomon.checks.replies import (
    UNHEARD,
    UNHEARD_EDNS,
    Finding,
    finding,
    hear,
    labels,
    losing,
    probe,
    says_only_tcp,
    told,
    unheard,
)
from gnomon.checks.sent import sent, told_of_all
from gnomon.checks.view import ZoneView

_SINGLE_OPTIONS = {"S6N": "NSID", "S6S": "client subnet", "S6X": "EXPIRE", "S6V": "ZONEVERSION", "S6C": "COOKIE"}


def carried(view: ZoneView, code: int) -> Mapping[Address, Sequence[tuple[Answer, bytes]]]:
    """The answers of each server that carry an EDNS option of that code, with its data; each server with any."""
    return _options(view).get(code, {})


@once
def _options(view: ZoneView) -> Mapping[int, Mapping[Address, list[tuple[Answer, bytes]]]]:
    found: dict[int, dict[Address, list[tuple[Answer, bytes]]]] = {}
    options = {m.wire: edns.options for m in sent(view).messages if (edns := m.edns) is not None and edns.options}
    for answer in sent(view).answers if options else ():
        for number, data in options.get(answer.message.wire, ()):
            found.setdefault(number, {}).setdefault(answer.address, []).append((answer, data))
    return found


@check(
    "edns.option-list",
    properties=(IOP,),
    asked=("S6", "S2", "S3", *_SINGLE_OPTIONS),
    version=2,
    codes={
        "answered": "All servers of {zone} that were heard answer a query with five ordinary EDNS options.",
        "dropped": "{server} does not answer a query with several EDNS options; with each alone it does.",
        "breaks": "{server} does not answer properly to a query with the EDNS {options:option|options} {options}.",
        "together": "{server} answers {rcode} to a query with several EDNS options; with each alone it is right.",
        **UNHEARD_EDNS,
    },
)
def option_list(view: ZoneView) -> Iterator[Outcome]:
    """Servers answer queries that have several ordinary EDNS options.

    Why: resolvers send cookies, client subnet and more to everybody; a server that stumbles over them is slow or dead
        for their users.
    Rule: the SOA is asked for with NSID, client subnet (0.0.0.0/0, which names nobody), EXPIRE, ZONEVERSION, COOKIE, an
        unknown option and an unknown flag at once. Where the answer lacks the SOA, AA or OPT or has another rcode than
        NOERROR, each is sent alone. Warning, naming the options that break the answer, or that only all of them do.
    Source: RFC 6891 section 6.1.2; RFC 5001; RFC 7871; RFC 7314; RFC 9660; RFC 7873.
    Do: update the server, or the firewall in front of it.
    """
    probed = probe(view, "S6", alive="Q3", edns=True)
    findings = list[Finding]()
    for address in (*(a.address for a in probed.answers if not _is_served(a)), *probed.dropped):
        answer, attempts = view.answer("S6", address), list(view.asked("S6", address))
        singles = {ask: view.answer(ask, address) for ask in _SINGLE_OPTIONS if view.asked(ask, address)}
        broken = [ask for ask, one in singles.items() if not (_is_served(one) if one else address in losing(view))]
        unknown_ones = [view.answer(ask, address) for ask in ("S2", "S3") if view.asked(ask, address)]
        if not broken and not all(map(_is_served, unknown_ones)):
            continue  # what the server does not know is the trouble: edns.unknown-option, edns.unknown-flag
        attempts += [x for ask in broken for x in view.asked(ask, address)]
        facts: dict[str, Arg] = {"rcode": str(answer.message.rcode) if answer else "", "options": _names(broken)}
        code = "breaks" if broken else "together" if answer else "dropped"
        findings.append(Finding(code, address, tuple(attempts), facts))
    yield from told(view, findings, "answered", probed.shown)
    yield from unheard(view, probed.heard, "S6")


def _names(asks: Sequence[str]) -> tuple[str, ...]:
    return tuple(_SINGLE_OPTIONS[ask] for ask in asks)


def _is_served(answer: Answer | None) -> bool:
    """A proper answer, or one that only says to ask over TCP."""
    if answer is None or says_only_tcp(answer):
        return answer is not None
    message = answer.message
    has_soa = message.tc or any(record.rtype == SOA for record in message.answer)
    return message.rcode == NOERROR and message.aa and has_soa and message.edns is not None


@check(
    "edns.nsid",
    properties=(STA,),
    asked=("Q2",),
    codes={
        "told": "Servers of {zone} tell their name server identifier: {identifiers}.",
        "absent": "{servers} {servers:sends|send} no name server identifier.",
        **UNHEARD_EDNS,
    },
)
def nsid(view: ZoneView) -> Iterator[Outcome]:
    """Servers tell which instance of them answers (NSID).

    Why: behind an anycast address only the identifier tells which instance gave a wrong answer.
    Rule: information: the identifiers as they came, and the servers without one. Whether an address is anycast takes
        several vantage points, so nothing worse is said of those.
    Source: RFC 5001 section 2; RFC 9199 section 3.3.
    Do: for anycast services, switch NSID on, with a text that names the instance and nothing internal.
    """
    heard = hear(view, "Q2", edns=True)
    found = {a: data for a in heard.answers if (e := a.message.edns) and (data := e.option(OPTION_NSID)) is not None}
    if found:
        texts = tuple(f"{view.server_label(a.address)} {printable_bytes(data)}" for a, data in found.items())
        yield outcome("told", shown_by(found), identifiers=texts)
    absent = [answer for answer in heard.answers if answer not in found]
    if absent:
        servers = labels(view, [answer.address for answer in absent])
        yield outcome("absent", shown_by(absent), servers=servers)
    yield from unheard(view, heard, "Q2")


@check(
    "edns.keepalive",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7N"),
    codes={
        "fine": "No server of {zone} sends the TCP keepalive option where it must not.",
        "told": "Servers of {zone} tell how long they keep an idle TCP connection: {values}.",
        "bad-length": "{server} sends a TCP keepalive option of {octets} {octets:octet|octets}; 2 are due.",
        "over-udp": "{server} sends the TCP keepalive option over UDP ({asks}).",
        "no-answer": "No server of {zone} sent an answer.",
    },
)
def keepalive(view: ZoneView) -> Iterator[Outcome]:
    """The TCP keepalive option comes over TCP only.

    Why: over UDP it means nothing, and some clients take the answer for broken.
    Rule: warning if an answer over UDP has the option, or one over TCP has it with another length than 2 octets;
        information: the time told over TCP. It is not sent over UDP to test that: clients must not either.
    Source: RFC 7828 sections 3.2.1 and 3.3.2.
    Do: update the server.
    """
    heard = sent(view).answers
    findings, values = list[Finding](), dict[Answer, str]()
    for address, of in carried(view, OPTION_TCP_KEEPALIVE).items():
        wrong = [answer for answer, _ in of if is_udp(answer.exchange)]
        if wrong:
            asks = tuple(answer.exchange.ask for answer in wrong)
            findings.append(finding("over-udp", address, *wrong, asks=asks))
        for answer, data in of:
            if not is_udp(answer.exchange) and len(data) != 2:
                findings.append(finding("bad-length", address, answer, octets=len(data)))
            elif not is_udp(answer.exchange):
                values[answer] = f"{view.server_label(address)} {int.from_bytes(data, 'big') / 10:g} s"
    if values:
        yield outcome("told", shown_by(values), values=tuple(dict.fromkeys(values.values())))
    yield from told_of_all(view, findings, "fine")
    if not heard:
        yield unknown("no-answer", view.asked("Q1"))


@check(
    "edns.expire",
    properties=(STA,),
    asked=("S6", "S6X"),
    codes={
        "told": "Servers of {zone} tell when their copy expires: {values}.",
        "above": "{server} tells that {told} expires in {seconds} {seconds:second|seconds}, more than the EXPIRE of "
        "its SOA ({expire}).",
        "bad-length": "{server} sends an EXPIRE option of {octets} {octets:octet|octets}; 4 are due.",
        "absent": "No server of {zone} that was heard tells when its copy expires.",
        **UNHEARD,
    },
)
def expire(view: ZoneView) -> Iterator[Outcome]:
    """What servers tell of the expiry of their copy fits the SOA record.

    Why: a secondary that takes its zone from another takes the expiry over; too long a one keeps an old zone alive.
    Rule: information: the seconds left; notice if they exceed the EXPIRE field of the SOA record; warning for another
        length than 4 octets.
    Source: RFC 7314 sections 2 to 4.
    Do: update the server.
    """
    asked = {
        a: [one for one in of if one[0].exchange.ask in ("S6", "S6X")] for a, of in carried(view, OPTION_EXPIRE).items()
    }
    told_of = {address: of[0] for address, of in asked.items() if of}
    findings, values, shown = list[Finding](), list[str](), list[Answer]()
    for address, (answer, data) in told_of.items():
        soa, seconds = view.soa(address), int.from_bytes(data, "big")
        if len(data) != 4:
            findings.append(finding("bad-length", address, answer, octets=len(data)))
        elif soa is not None and answer.qname == view.zone and seconds > soa.expire_s:
            whose, most = str(answer.qname), soa.expire_s
            findings.append(finding("above", address, answer, told=whose, seconds=seconds, expire=most))
        else:
            shown.append(answer)
            values.append(f"{view.server_label(address)} {answer.qname} {seconds} s")
    yield from told(view, findings, "", ())
    if values:
        yield outcome("told", shown_by(shown), values=tuple(values))
    heard = hear(view, "S6")
    if heard.answers and not told_of:
        yield outcome("absent", heard.shown)
    yield from unheard(view, heard, "S6")


_REFUSALS = {
    15: "Blocked",
    16: "Censored",
    17: "Filtered",
    18: "Prohibited",
    20: "Not Authoritative",
    21: "Not Supported",
}


@check(
    "edns.ede",
    properties=(STA,),
    asked=("Q2", "Q3", "Q4", "Q5", "Q6", "Q7"),
    codes={
        "none": "No server of {zone} sends extended errors.",
        "told": "{server} sends {errors:an extended error|extended errors}: {errors}.",
        "contradicts": "{server} sends the extended error {error} with an authoritative answer with records ({asks}).",
        "malformed": "{server} sends an extended error that cannot be read ({asks}).",
        "no-answer": "No server of {zone} sent an answer.",
    },
)
def ede(view: ZoneView) -> Iterator[Outcome]:
    """Extended errors can be read and fit the answer.

    Why: operators and resolvers show them as the reason why something failed; a wrong reason sends people astray.
    Rule: information: the codes and texts that came; warning for an option without a code or with a text that is not
        UTF-8; notice for a refusal (Blocked, Censored, Filtered, Prohibited, Not Authoritative, Not Supported) that
        comes with an authoritative answer with records.
    Source: RFC 8914 sections 2 and 4.
    Do: update the server, or ask its vendor why it says so.
    """
    heard = sent(view).answers
    found = carried(view, OPTION_EDE)
    for address, of in found.items():
        server = view.server_label(address)
        groups: dict[str, list[tuple[Answer, str]]] = {}
        for answer, data in of:
            code, text = _ede_code(answer, data)
            groups.setdefault(code, []).append((answer, text))
        for code, group in sorted(groups.items()):
            shown, asks = [a.exchange for a, _ in group], tuple(dict.fromkeys(a.exchange.ask for a, _ in group))
            errors = tuple(sorted({text for _, text in group}))
            yield outcome(code, shown, subject=server, server=server, error=errors[0], errors=errors, asks=asks)
    if not heard:
        yield unknown("no-answer", view.asked("Q1"))
    elif not found:
        yield outcome("none", sent(view).exchanges)


def _ede_code(answer: Answer, data: bytes) -> tuple[str, str]:
    """The outcome's code, and the error as text."""
    number = int.from_bytes(data[:2], "big")
    try:
        text = data[2:].decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        return "malformed", str(number)
    message = answer.message
    name = _REFUSALS.get(number, str(number)) + (f" ({text})" if text else "")
    if len(data) < 2:
        return "malformed", ""
    contradicts = number in _REFUSALS and message.aa and message.rcode == NOERROR and bool(message.answer)
    return "contradicts" if contradicts else "told", name


@check(
    "edns.error-reporting",
    properties=(RES,),
    asked=("Q2", "Q3", "Q4", "Q5", "Q6"),
    codes={
        "told": "Servers of {zone} ask for reports of errors at {agents}.",
        "inside": "{server} asks for reports of errors at {agent}, which lies in {zone} itself.",
        "unreadable": "{server} sends an error reporting option that is no domain name, or the root.",
        "absent": "No server of {zone} that was heard asks for reports of errors.",
        "no-answer": "No server of {zone} sent an answer.",
    },
)
def error_reporting(view: ZoneView) -> Iterator[Outcome]:
    """Where errors are to be reported to, that works when the zone does not.

    Why: resolvers can tell an operator at once that a zone fails to validate, if he says where; a report that must
        go through the failing zone does not arrive.
    Rule: information: the agent domains, or that there are none; warning for an agent domain in the zone itself, or an
        option that cannot be read or names the root. Whether the agent answers is not tried: that would be a report.
    Source: RFC 9567 sections 5 and 6.
    Do: name an agent domain in another zone, one that does not depend on this one.
    """
    heard = sent(view).answers
    agents, findings, shown = dict[str, None](), list[Finding](), list[Answer]()
    found = carried(view, OPTION_REPORT_CHANNEL)
    for address, of in found.items():
        answer, data = of[0]
        agent = _agent(data)
        if agent is None or agent.is_root:
            findings.append(finding("unreadable", address, answer))
        elif agent.is_subdomain_of(view.zone) and not view.is_root:
            findings.append(finding("inside", address, answer, agent=str(agent)))
        else:
            shown.append(answer)
            agents[str(agent)] = None
    yield from told(view, findings, "", ())
    if agents:
        yield outcome("told", shown_by(shown), agents=tuple(agents))
    if not heard:
        yield unknown("no-answer", view.asked("Q1"))
    elif not found:
        yield outcome("absent", sent(view).exchanges)


def _agent(data: bytes) -> Name | None:
    try:
        return Name.from_wire(data)
    except InputError:
        return None
