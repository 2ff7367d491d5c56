"""Transport: what servers offer over TLS."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base.codes import NOERROR, SOA
from gnomon.checks.observed import RESET, SECURED, TLS_FAILED, Answer, is_unsent
from gnomon.checks.outcome import Outcome, not_applicable, outcome
from gnomon.checks.registry import SEC, check
from gnomon.checks.replies import UNHEARD, Finding, Heard, labels, told, unheard
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange


@check(
    "net.encrypted-auth",
    properties=(SEC,),
    asked=("S28",),
    version=2,
    codes={
        "offers": "{servers} {servers:answers|answer} properly over TLS.",
        "none": "No server of {zone} takes connections on port 853; none has to.",
        "no-tls": "{server} takes connections on port 853 and does not speak TLS there.",
        "silent": "{server} agrees to TLS on port 853 and does not answer a question there.",
        "wrong-answer": "{server} answers {rcode} without the SOA record of a zone it serves when asked over TLS.",
        "not-asked": UNHEARD["not-asked"],
    },
)
def encrypted_auth(view: ZoneView) -> Iterator[Outcome]:
    """A server that offers encryption does it properly.

    Why: a resolver that finds port 853 open relies on what it negotiates there.
    Rule: each server is asked for the SOA record of a zone that it serves over TLS at port 853, where nothing has to
        be. Warning if it takes the connection and there is no TLS session, no answer, or none with authority. What
        its certificate says is not judged: who asks unannounced has nothing to compare it with. QUIC is not asked.
    Source: RFC 9539 section 3; RFC 7858 section 3.1.
    Do: repair the offer, or close the port.
    """
    findings, proper, closed = list[Finding](), list[Exchange](), list[Exchange]()
    unasked = [address for address in view.addresses if all(map(is_unsent, view.asked("S28", address)))]
    for address in [address for address in view.addresses if address not in unasked]:
        attempts = view.asked("S28", address)
        answer, states = view.answer("S28", address), {x.status for x in attempts}
        if answer is not None and answer.message.rcode == NOERROR and answer.message.aa and _has_soa(answer):
            proper += attempts
        elif answer is not None:
            findings.append(Finding("wrong-answer", address, attempts, {"rcode": str(answer.message.rcode)}))
        elif SECURED in states:
            findings.append(Finding("silent", address, attempts, {}))
        elif states & {RESET, TLS_FAILED}:
            findings.append(Finding("no-tls", address, attempts, {}))
        else:
            closed += attempts
    yield from told(view, findings, "offers", ())
    if proper:
        yield outcome("offers", proper, servers=labels(view, list(dict.fromkeys(x.address for x in proper))))
    elif closed and not findings:
        yield not_applicable("none", closed)
    yield from unheard(view, Heard((), {}).also("not-asked", unasked), "S28")


def _has_soa(answer: Answer) -> bool:
    return any(record.rtype == SOA for record in answer.message.answer)
