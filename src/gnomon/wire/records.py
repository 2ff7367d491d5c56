"""Questions, records and RRsets: what the sections of a message hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gnomon import _core
from gnomon.base import Name, RRType
from gnomon.base.codes import RRSIG


class _Types(dict[int, RRType]):
    """Types by their number; there are 65,536 at most."""

    def __missing__(self, number: int) -> RRType:
        rtype = self[number] = RRType(number)
        return rtype


TYPES = _Types()
type_of = TYPES.__getitem__


class Question(NamedTuple):
    """What is asked (RFC 1035 section 4.1.2)."""

    name: Name
    qtype: RRType
    qclass: int


class Record(NamedTuple):
    """One record as it came (RFC 1035 section 4.1.3); owner and rdata without compression, case kept."""

    owner: Name
    rtype: RRType
    rclass: int
    ttl_s: int
    rdata: bytes


@dataclass(frozen=True, slots=True)
class RRset:
    """The records of one owner, type and class, with the signatures that cover them.

    `rdatas` are in canonical form (RFC 4034 section 6.2 with RFC 6840 section 5.1: names in lower case), sorted and
    without duplicates, so two RRsets have equal data exactly if the tuples are equal. `ttl_s` is the smallest TTL.
    `signatures` are the rdata of the RRSIG records of that owner and class which cover the type, in message order.
    """

    owner: Name
    rtype: RRType
    rclass: int
    ttl_s: int
    rdatas: tuple[bytes, ...]
    signatures: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, records: Iterable[Record], signatures: Iterable[Record] = ()) -> RRset:
        """The RRset of `records`: at least one, all of the same owner, type and class."""
        records = list(records)
        first = records[0]
        return cls(
            first.owner,
            first.rtype,
            first.rclass,
            min(record.ttl_s for record in records),
            tuple(_core.canonical_rdatas(first.rtype, [record.rdata for record in records])),
            tuple(record.rdata for record in signatures),
        )


def find_rrset(records: Iterable[Record], owner: Name, rtype: int, rclass: int) -> RRset | None:
    """The RRset of that owner, type and class among `records`, with its signatures; None without a record."""
    members: list[Record] = []
    signatures: list[Record] = []
    covered = int(rtype).to_bytes(2, "big")
    for record in records:
        # The cheapest test first: this runs for every record of every message.
        if record.rtype == rtype:
            found = members
        elif record.rtype == RRSIG and record.rdata[:2] == covered:
            found = signatures
        else:
            continue
        if record.rclass == rclass and record.owner == owner:
            found.append(record)
    return RRset.of(members, signatures) if members else None
