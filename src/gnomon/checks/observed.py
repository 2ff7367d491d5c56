"""What came back: accepted responses with their exchange, and how an attempt without one is to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from gnomon._core import Answer as Answer
from gnomon._core import Index as Index
from gnomon._core import alike as alike
from gnomon._core import answers_in as answers_in
from gnomon.base import Transport
from gnomon.checks.read import read
from gnomon.evidence import Exchange
from gnomon.wire import Message, Record, rdata
from gnomon.wire.message import asked_in as asked_in
from gnomon.wire.message import parsed as parsed

# The numbers of `gnomon.engine.Status` as they are stored in evidence; checks do not import the engine.
ANSWERED, RESET, MISMATCHED, SECURED, TLS_FAILED, NOT_SENT_BOUND = 0, 4, 5, 10, 11, 12
_SILENT = (1, 2, 3, RESET, MISMATCHED)  # timeout, unreachable, refused
_UNSENT = (6, 7, 8, 9, NOT_SENT_BOUND)  # special-purpose address, breaker, opt-out, this machine could not


def is_answered(exchange: Exchange) -> bool:
    """True if a response was accepted."""
    return exchange.status == ANSWERED


def is_silent(exchange: Exchange) -> bool:
    """True if the query left and nothing acceptable came back: the server's fault or the network's."""
    return exchange.status in _SILENT


def is_unsent(exchange: Exchange) -> bool:
    """True if nothing was observed: not sent by policy, or this machine could not send."""
    return exchange.status in _UNSENT


def is_udp(exchange: Exchange) -> bool:
    """True if it went over UDP."""
    return exchange.transport is Transport.UDP


_READERS: dict[int, Callable[[bytes], object]] = {
    1: rdata.address, 2: rdata.ns, 5: rdata.ns, 6: rdata.soa, 15: rdata.mx, 16: rdata.txt, 28: rdata.address,
    43: rdata.ds, 46: rdata.rrsig, 47: rdata.nsec, 48: rdata.dnskey, 50: rdata.nsec3, 51: rdata.nsec3param,
    59: rdata.ds, 60: rdata.dnskey,
}  # fmt: skip


@lru_cache(maxsize=4096)
def unreadable_in(message: Message) -> tuple[Record, ...]:
    """The records of known type whose data could not be read."""
    return unreadable((*message.answer, *message.authority, *message.additional))


def unreadable(records: Iterable[Record]) -> tuple[Record, ...]:
    """Those of known type whose data cannot be of it."""
    known = [(record, _READERS[record.rtype]) for record in records if record.rtype in _READERS]
    return tuple([record for record, reader in known if read(reader, record.rdata) is None])


def by_message(answers: Iterable[Answer]) -> tuple[tuple[Answer, ...], ...]:
    """The answers that have the same message (all octets but the ID) together, in the order of the first of each."""
    found: dict[bytes, list[Answer]] = {}
    for answer in answers:
        found.setdefault(answer.message.wire, []).append(answer)
    return tuple(map(tuple, found.values()))
