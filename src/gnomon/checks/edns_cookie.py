"""DNS cookies: what a server makes of the client's, of its own, of a wrong one and of one that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base.codes import BADCOOKIE, FORMERR, OPTION_COOKIE
from gnomon.checks.edns_options import carried
from gnomon.checks.observed import Answer, parsed
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, Finding, finding, hear, labels, says_only_tcp, told, unheard
from gnomon.checks.view import ZoneView


def _sent(answer: Answer) -> bytes | None:
    """The cookie in the query."""
    edns = parsed(answer.exchange.query).edns
    return edns.option(OPTION_COOKIE) if edns else None


def _got(answer: Answer | None) -> bytes | None:
    """The cookie in the answer."""
    return answer.message.edns.option(OPTION_COOKIE) if answer is not None and answer.message.edns else None


@check(
    "edns.cookie",
    version=2,
    properties=(SEC, IOP),
    asked=("Q2", "S6", "S12", "S13", "S14"),
    codes={
        "supported": "{servers} {servers:speaks|speak} cookies.",
        "absent": "{servers} {servers:sends|send} no cookies.",
        "client-changed": "{server} gives another client cookie back than it was sent.",
        "bad-length": "{server} sends a cookie of {octets} {octets:octet|octets}; 8, or 16 to 40 are due.",
        "no-server-cookie": "{server} gives the client cookie back without one of its own.",
        "unasked": "{server} sends a cookie that was not asked for ({asks}).",
        "malformed-accepted": "{server} answers {rcode} to a cookie of 4 octets; FORMERR is due.",
        "wrong-kept": "{server} gives a wrong server cookie back as if it were its own.",
        **UNHEARD_EDNS,
    },
)
def cookie(view: ZoneView) -> Iterator[Outcome]:
    """Servers that speak cookies speak them right.

    Why: cookies keep forged answers out and forged askers from being served; done wrong, they keep nobody out, or
        lock honest resolvers out.
    Rule: information: who speaks cookies. Error for a client cookie that comes back changed, a length that no cookie
        has, or a cookie that nobody asked for; warning for no server cookie, for another rcode than FORMERR to a cookie
        of 4 octets, and for a wrong server cookie that comes back unchanged: BADCOOKIE, silence or a fresh cookie are
        due. BADCOOKIE alone cannot be asked for: a server may also answer as if only the client cookie had come.
    Source: RFC 7873 sections 4 and 5.2; RFC 9018 section 4.
    Do: update the server.
    """
    heard = hear(view, "Q2", edns=True)
    findings, speaking = list[Finding](), [a for a in heard.answers if _got(a) is not None]
    for answer in speaking:
        findings += _wrong_at(view, answer)
    for address, of in carried(view, OPTION_COOKIE).items():
        unasked = [answer for answer, _ in of if _sent(answer) is None]
        if unasked:
            findings.append(finding("unasked", address, *unasked, asks=tuple(a.exchange.ask for a in unasked)))
    yield from told(view, findings, "", ())
    good = [a for a in speaking if a.address not in {one.address for one in findings}]
    for code, answers in (("supported", good), ("absent", [a for a in heard.answers if a not in speaking])):
        if answers:
            servers = labels(view, [answer.address for answer in answers])
            yield outcome(code, shown_by(answers), servers=servers)
    yield from unheard(view, heard, "Q2")


def _wrong_at(view: ZoneView, answer: Answer) -> Iterator[Finding]:
    """What is wrong with the cookies of one server."""
    address, sent, got = answer.address, _sent(answer) or b"", _got(answer) or b""
    if got[:8] != sent[:8] and len(got) >= 8:
        yield finding("client-changed", address, answer)
    elif len(got) != 8 and not 16 <= len(got) <= 40:
        yield finding("bad-length", address, answer, octets=len(got))
    elif len(got) == 8:
        yield finding("no-server-cookie", address, answer)
    short, wrong = view.answer("S14", address), view.answer("S13", address)
    if short is not None and short.message.rcode != FORMERR and not says_only_tcp(short):
        yield finding("malformed-accepted", address, short, rcode=str(short.message.rcode))
    if wrong is not None and wrong.message.rcode != BADCOOKIE and _got(wrong) == _sent(wrong):
        yield finding("wrong-kept", address, wrong)


@check(
    "edns.cookie-anycast",
    version=2,
    properties=(IOP, SEC),
    asked=("S12",),
    codes={
        "accepted": "Servers of {zone} take the cookies that they gave a moment before.",
        "rejected": "{server} answers BADCOOKIE to the cookie that it gave a moment before.",
        "none": "No server of {zone} that was heard gives cookies.",
        **UNHEARD_EDNS,
    },
)
def cookie_anycast(view: ZoneView) -> Iterator[Outcome]:
    """All machines behind an address take each other's cookies.

    Why: behind a load balancer or anycast address the next query meets another machine; if it does not know the
        secret, every resolver starts anew each time; BIND asks until it gives up, and answers SERVFAIL.
    Rule: the cookie that a server gave is sent to it again within the survey. Warning if it answers BADCOOKIE. Machines
        that only other places reach are not seen from one vantage point.
    Source: RFC 9018 sections 1 and 3.
    Do: give all machines behind one address the same secret and algorithm.
    """
    asked = [address for address in view.addresses if view.asked("S12", address)]
    answers = [answer for address in asked if (answer := view.answer("S12", address)) is not None]
    rejected = [finding("rejected", a.address, a) for a in answers if a.message.rcode == BADCOOKIE]
    yield from told(view, rejected, "accepted", shown_by(answers))
    heard = hear(view, "Q2", edns=True)
    if heard.answers and not asked:
        yield not_applicable("none", heard.shown)
    silent = [address for address in asked if view.answer("S12", address) is None]
    yield from unheard(view, heard.also("no-answer", silent), "S12", "Q2")
