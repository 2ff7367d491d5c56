"""What the zone asks of its parent with CDS and CDNSKEY records, server by server (RFC 7344, RFC 8078)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from gnomon.base import Address
from gnomon.base.codes import CDNSKEY, CDS, NOERROR, NSEC, NSEC3
from gnomon.base.once import once
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, Shown, not_applicable
from gnomon.checks.read import read_all
from gnomon.checks.replies import UNHEARD_EDNS, hear, is_partial, none_proper
from gnomon.checks.signed import Key
from gnomon.checks.validation import keys_of
from gnomon.evidence import Exchange
from gnomon.wire import Message, RRset, dnssec, rdata
from gnomon.wire.rdata import Ds

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

DELETE_CDS = bytes(5)  # RFC 8078 section 4: 0 0 0 00
DELETE_CDNSKEY = b"\0\0\3\0\0"  # 0 3 0 AA==

NO_REQUEST = {"no-request": "{zone} has no CDS or CDNSKEY records.", **UNHEARD_EDNS}


@dataclass(frozen=True, slots=True)
class Request:
    """The CDS and CDNSKEY RRsets of one server; None where it has none, or gave no proper answer about them."""

    address: Address
    cds: RRset | None
    cdnskey: RRset | None
    knows_cds: bool = True
    knows_cdnskey: bool = True

    @property
    def ds(self) -> tuple[Ds, ...]:
        """The DS that the CDS records ask for; those that ask for deletion (algorithm 0) left out."""
        records = read_all(rdata.ds, self.cds.rdatas) if self.cds is not None else ()
        return tuple(record for record in records if record.algorithm)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys in the CDNSKEY records; those that ask for deletion (algorithm 0) left out."""
        records = keys_of(self.cdnskey.rdatas) if self.cdnskey is not None else ()
        return tuple(key for key in records if key.dnskey.algorithm)

    @property
    def cds_asks_deletion(self) -> bool:
        """Whether any CDS record has algorithm 0, which says that the DS is to be removed."""
        return self.cds is not None and any(octets[2:3] == b"\0" for octets in self.cds.rdatas)

    @property
    def cdnskey_asks_deletion(self) -> bool:
        """The same of CDNSKEY records."""
        return self.cdnskey is not None and any(octets[3:4] == b"\0" for octets in self.cdnskey.rdatas)

    @property
    def asks_deletion(self) -> bool:
        """The same of either."""
        return self.cds_asks_deletion or self.cdnskey_asks_deletion


@once
def requests(view: ZoneView) -> tuple[Request, ...]:
    """The servers of which it is known whether they have CDS or CDNSKEY records, in address order."""
    cds, cdnskey = _published(view, CDS, "Q8"), _published(view, CDNSKEY, "Q8K")
    return tuple(
        Request(address, cds.get(address), cdnskey.get(address), address in cds, address in cdnskey)
        for address in view.addresses
        if address in cds or address in cdnskey
    )


def _published(view: ZoneView, rtype: int, ask: str) -> Mapping[Address, RRset | None]:
    """By server: the RRset, or None if it denies it, either when asked for it or in its list of types."""
    found: dict[Address, RRset | None] = dict(view.apex_rrset(rtype))
    for address in view.addresses:
        answer = view.answer(ask, address)
        if address not in found and (_is_negative(answer) if answer is not None else _denies(view, address, rtype)):
            found[address] = None
    return found


def _is_negative(answer: Answer) -> bool:
    return answer.message.aa and answer.message.rcode == NOERROR and not is_partial(answer)


def _denies(view: ZoneView, address: Address, rtype: int) -> bool:
    answer = view.answer("Q6", address)
    if answer is None or not _is_negative(answer):
        return False
    lists = _type_lists(answer.message)
    return bool(lists) and not any(rtype in types for types in lists)


@lru_cache(maxsize=1024)
def _type_lists(message: Message) -> tuple[frozenset[int], ...]:
    """The types that each of the denial records of a message lists."""
    nsec = read_all(rdata.nsec, [r.rdata for r in message.authority if r.rtype == NSEC])
    nsec3 = read_all(rdata.nsec3, [r.rdata for r in message.authority if r.rtype == NSEC3])
    return (*[of.types for of in nsec], *[of.types for of in nsec3])


def asking(view: ZoneView) -> tuple[Request, ...]:
    """Those of the servers that have any CDS or CDNSKEY record."""
    return tuple(one for one in requests(view) if one.cds is not None or one.cdnskey is not None)


def without_request(view: ZoneView) -> Iterator[Outcome]:
    """What a check on such records says where there are none: there are none, or it is not known."""
    if requests(view):
        yield not_applicable("no-request", _all_shown(view))
    else:
        yield from none_proper(view, hear(view, "Q8", "Q6"), "Q8")


@once
def _all_shown(view: ZoneView) -> Shown:
    return Shown(shown(view, requests(view)))


def shown(view: ZoneView, of: tuple[Request, ...]) -> list[Exchange]:
    """The exchanges that these requests rest on."""
    asked = [x for one in of for ask in ("Q8", "Q8K") for x in view.asked(ask, one.address)]
    return asked or [x for one in of for x in view.asked("Q6", one.address)]


def is_of(view: ZoneView, ds: Ds, key: Key) -> bool:
    """Whether a DS or CDS is of that key; by tag and algorithm alone where its digest cannot be computed."""
    if (ds.key_tag, ds.algorithm) != (key.dnskey.key_tag, key.dnskey.algorithm):
        return False
    digest = dnssec.ds_digest(view.zone, key.rdata, ds.digest_type)
    return digest is None or digest == ds.digest


def wanted_ds(view: ZoneView, of: Request) -> tuple[Ds, ...]:
    """The DS RRset that the parent would publish: the CDS records, or SHA-256 of the CDNSKEY records without any."""
    if of.cds is not None:
        return of.ds
    digests = ((key.dnskey, dnssec.ds_digest(view.zone, key.rdata, 2)) for key in of.keys)
    return tuple(Ds(key.key_tag, key.algorithm, 2, digest) for key, digest in digests if digest is not None)
