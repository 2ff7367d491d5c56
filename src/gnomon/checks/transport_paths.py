"""Transport: several questions on one connection, and where answers come from."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.checks.observed import MISMATCHED, is_answered, is_silent
from gnomon.checks.outcome import Outcome, not_applicable, outcome
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.sent import attempts
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange

_ELSEWHERE = {2: "port", 3: "address"}  # of `gnomon.engine.Mismatch`


@check(
    "net.tcp-pipelining",
    properties=(IOP,),
    asked=("Q7", "Q7K", "Q4"),
    codes={
        "both": "Every server of {zone} that could be judged answers two questions sent together over TCP ({count}).",
        "one-only": "{server} answers the first of two questions sent together over TCP, and not the second.",
        "not-comparable": "No server of {zone} answers over TCP and over UDP for its DNSKEY records.",
    },
)
def tcp_pipelining(view: ZoneView) -> Iterator[Outcome]:
    """A server answers all questions that come together over one TCP connection.

    Why: resolvers send many questions over one connection; a server that reads only the first costs them a timeout.
    Rule: warning for each server that answers the question for the SOA record over TCP, but not the one for DNSKEY sent
        with it, which it answers elsewhere.
    Source: RFC 7766 sections 6.2.1.1 and 7.
    Do: update the server software, or the proxy in front of it.
    """
    good: list[Exchange] = []
    faults = 0
    for address in view.addresses:
        first, second = view.asked("Q7", address), view.asked("Q7K", address)
        if not second or not any(map(is_answered, first)) or view.answer("Q4", address) is None:
            continue
        if any(map(is_answered, second)):
            good += second
        elif any(map(is_silent, second)):
            faults += 1
            server = view.server_label(address)
            yield outcome("one-only", first, second, subject=server, server=server)
    if good and not faults:
        yield outcome("both", good, count=len({x.address for x in good}))
    elif not faults:
        yield not_applicable("not-comparable", view.asked("Q7"))


@check(
    "net.source-address",
    properties=(SEC, IOP),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6"),
    codes={
        "same": "Every answer of a server of {zone} over UDP came from the address and port that were asked.",
        "other": "Answers to questions for {server} came from another {what}.",
        "no-answer": "No server of {zone} answered over UDP.",
    },
)
def source_address(view: ZoneView) -> Iterator[Outcome]:
    """Answers come from the address and port that were asked.

    Why: resolvers drop what comes from elsewhere, as they must: it could be forged.
    Rule: warning for each server for whose questions a message came that was theirs but for its source.
    Source: RFC 2181 section 4.
    Do: let the server answer from the address at which it was asked; check address translation on the way.
    """
    tried = attempts(view)
    faults: dict[tuple[str, str], list[Exchange]] = {}
    for x in tried.all if len(tried.answered) < len(tried.all) else ():
        if x.status == MISMATCHED and x.os_error in _ELSEWHERE:
            faults.setdefault((view.server_label(x.address), _ELSEWHERE[x.os_error]), []).append(x)
    for (server, what), shown in faults.items():
        yield outcome("other", shown, subject=f"{server} {what}", server=server, what=what)
    if not faults and tried.answered:
        yield outcome("same", view.asked("Q1"))
    elif not faults:
        yield not_applicable("no-answer", view.asked("Q1"))
