"""Transport: how large an answer arrives over UDP, and how large a one is sent."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.checks.observed import is_answered, is_silent, is_udp
from gnomon.checks.outcome import Outcome, not_applicable, outcome
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, Finding, hear, losing, told, unheard
from gnomon.checks.sent import attempts
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange

_LARGE_OCTETS = 1400  # RFC 9715 section 3.1, R3
_ETHERNET_OCTETS = {4: 1500 - 20 - 8, 6: 1500 - 40 - 8}  # of payload, behind the headers of IP and UDP


@check(
    "net.pmtu",
    properties=(REL,),
    asked=("Q2", "Q3", "Q4", "Q4N", "Q4L"),
    version=3,
    codes={
        "passes": "Large answers of {zone} arrive over UDP ({octets} octets at most).",
        "large-lost": "{server} answers small questions with EDNS, but its DNSKEY answer does not arrive over UDP; "
        "without EDNS it does.",
        "fragments-lost": "The DNSKEY answer of {server} has {octets} octets over TCP; over UDP, where 4096 are "
        "allowed, nothing arrives.",
        "nothing-large": "No server of {zone} gave an answer over 512 octets over UDP.",
    },
)
def pmtu(view: ZoneView) -> Iterator[Outcome]:
    """Answers over UDP arrive, however large they are.

    Why: where a path or a firewall loses them, every resolver that validates waits for timeouts before it tries TCP.
    Rule: error for each server that answers SOA or NS questions with EDNS and not the one for DNSKEY, but does answer
        that one without EDNS. Warning for each that truncates the DNSKEY answer at 1232 octets, has more of it than an
        Ethernet frame carries (1472 octets over IPv4, 1452 over IPv6), and is silent where 4096 are allowed.
    Source: RFC 9715 section 3; DNS Flag Day 2020.
    Do: let ICMP "packet too big" and fragments through, or lower the EDNS buffer size of the server to 1232.
    """
    faults = 0
    for address in [address for address in view.addresses if view.answer("Q4N", address)]:
        small = [a for ask in ("Q2", "Q3") if (a := view.answer(ask, address)) and a.message.edns is not None]
        large = view.asked("Q4", address)
        if small and large and not any(map(is_answered, large)) and address not in losing(view):
            faults += 1
            server = view.server_label(address)
            yield outcome("large-lost", large, view.asked("Q4N", address), subject=server, server=server)
    for address, lost in view.attempts("Q4L").items():
        octets = max(map(_size, view.asked("Q4", address)), default=0)
        if any(map(is_silent, lost)) and octets > _ETHERNET_OCTETS[address.version]:
            faults += 1
            server = view.server_label(address)
            yield outcome(
                "fragments-lost", view.asked("Q4", address), lost, subject=server, server=server, octets=octets
            )
    big = [x for x in attempts(view).over_udp if _size(x) > 512 and is_answered(x)]
    if big and not faults:
        yield outcome("passes", big, octets=max(map(_size, big)))
    elif not faults:
        yield not_applicable("nothing-large", view.asked("Q4"))


@check(
    "net.no-fragments",
    properties=(SEC, IOP),
    asked=("Q4", "Q4L"),
    version=2,
    codes={
        "whole": "No server of {zone} sends a DNSKEY answer of over 1400 octets over UDP ({octets} at most).",
        "large": "{server} sends {octets} octets in one UDP datagram where 4096 are allowed.",
        "fragmented": "{server} sends {octets} octets over UDP where 4096 are allowed: on Ethernet in fragments.",
        **UNHEARD_EDNS,
    },
)
def no_fragments(view: ZoneView) -> Iterator[Outcome]:
    """A server sends nothing over UDP that is larger than a path carries whole.

    Why: fragments get lost at firewalls, and others can be slipped in between.
    Rule: by the DNSKEY answer, which is asked for with 4096 octets allowed where it does not fit into 1232: notice if
        over 1400 octets come over UDP, warning if more than an Ethernet frame carries (1472 octets over IPv4, 1452
        over IPv6). Whether fragments came is not seen.
    Source: RFC 9715 section 3.1; DNS Flag Day 2020.
    Do: set the largest UDP answer of the server to 1232 octets.
    """
    heard = hear(view, "Q4", edns=True)
    findings, whole = list[Finding](), list[Exchange]()
    for answer in heard.answers:
        again = view.asked("Q4L", answer.address)
        shown = next((x for x in (*again, answer.exchange) if is_answered(x) and is_udp(x)), None)
        if shown is None:
            heard = heard.also("no-answer" if any(map(is_silent, again)) else "not-asked", [answer.address])
        elif (octets := _size(shown)) <= _LARGE_OCTETS:
            whole.append(shown)
        else:
            code = "fragmented" if octets > _ETHERNET_OCTETS[answer.address.version] else "large"
            findings.append(Finding(code, answer.address, (shown,), {"octets": octets}))
    yield from told(view, findings, "whole", ())
    if whole and not findings:
        yield outcome("whole", whole, octets=max(map(_size, whole)))
    yield from unheard(view, heard, "Q4", "Q4L")


def _size(exchange: Exchange) -> int:
    return len(exchange.response or b"")
