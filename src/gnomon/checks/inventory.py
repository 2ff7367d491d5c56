"""Every signed RRset that the servers of a zone gave about it, with its signatures examined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from gnomon.base import Address, Name
from gnomon.base.codes import DNSKEY, NOERROR, NSEC, NSEC3, NXDOMAIN, SOA
from gnomon.base.once import cached_property, once
from gnomon.checks.aliases import end_of_aliases, is_below, is_synthesised
from gnomon.checks.observed import Answer
from gnomon.checks.read import read_all
from gnomon.checks.replies import has_authority, is_partial
from gnomon.checks.signed import Key
from gnomon.checks.validation import ExaminedRRset, Validator
from gnomon.wire import RRset, rdata

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

T = TypeVar("T")

# The order in which a spent budget leaves things unchecked: what most depends on comes first.
SIGNED_ASKS = ("Q4", "Q2", "Q3", "Q6", "Q5", "Q8P", "Q8N", "Q8", "Q8K", "Q8C", "Z1M", "Z1T", "Z1C", "Z1A", "Z1H")
_SEVERAL_TYPES = "Z1A"

_NEGATIVE_TYPES = (SOA, NSEC, NSEC3)


class SignedAnswer(NamedTuple):
    """One answer to a question with DO set, and the RRsets of the zone in it that must be signed.

    `positive` are those of the answer section; `negative` are SOA, NSEC and NSEC3 of the authority section; `rrsets`
    are both. `denial_types` has the types NSEC and NSEC3 as often as RRsets of them are in the authority section.
    `about` is the name that the response code is about, where the aliases of the answer end; None outside the zone.
    """

    ask: str
    answer: Answer
    positive: tuple[ExaminedRRset, ...]
    negative: tuple[ExaminedRRset, ...]
    rrsets: tuple[ExaminedRRset, ...]
    denial_types: tuple[int, ...]
    about: Name | None

    @property
    def is_nxdomain(self) -> bool:
        return self.answer.message.rcode == NXDOMAIN and self.about is not None

    @property
    def is_nodata(self) -> bool:
        """Denies the type, of the name itself or of the one that its aliases lead to."""
        if self.answer.message.rcode != NOERROR or self.about is None:
            return False
        if not self.answer.message.answer:
            return True
        denies = any(one.rrset.rtype == SOA for one in self.negative)
        return denies and all(one.rrset.owner != self.about for one in self.positive)


class Inventory(dict[tuple[str, Address], SignedAnswer]):
    """The signed answers by (question, address), in the order of `SIGNED_ASKS`."""

    @cached_property
    def by_address(self) -> Mapping[Address, list[SignedAnswer]]:
        """The answers of each server."""
        found: dict[Address, list[SignedAnswer]] = {}
        for (_, address), signed in self.items():
            found.setdefault(address, []).append(signed)
        return found

    @cached_property
    def different(self) -> list[SignedAnswer]:
        """The first of all answers that have the same RRsets, as most servers of a zone do."""
        found: dict[tuple[int, int], SignedAnswer] = {}
        for signed in self.values():
            found.setdefault((id(signed.positive), id(signed.negative)), signed)
        return list(found.values())

    @cached_property
    def without_signatures(self) -> frozenset[Address]:
        """The servers that send no RRSIG with any of their answers."""
        signs = {s.answer.address for s in self.values() if any(one.signatures for one in s.rrsets)}
        return frozenset(self.by_address.keys() - signs)


def answers_at(inventory: Inventory, address: Address) -> list[SignedAnswer]:
    """What one server gave."""
    return inventory.by_address.get(address, [])


def sends_no_signatures(inventory: Inventory, address: Address) -> bool:
    """Whether a server sends no RRSIG with any of its answers to questions with DO."""
    return address in inventory.without_signatures


def judged_once(
    inventory: Inventory, addresses: Iterable[Address], judge: Callable[[SignedAnswer], T]
) -> list[tuple[SignedAnswer, T]]:
    """What `judge` says of each answer of these servers; of answers with the same RRsets it is asked once."""
    said = {(id(one.positive), id(one.negative)): judge(one) for one in inventory.different}
    answers = [signed for address in addresses for signed in answers_at(inventory, address)]
    return [(signed, said[id(signed.positive), id(signed.negative)]) for signed in answers]


def take(view: ZoneView, validator: Validator) -> Inventory:
    """The signed answers by (question, address) of every server that serves the zone with authority.

    An RRset is tried with the keys that its own server publishes; a server without keys is tried with those of
    the others. Truncated and unreadable answers are left out: they are not the whole of what the server has.
    """
    all_keys = view.keys()
    keys_at = _keys_at(view)
    found = Inventory()
    seen: dict[tuple[bytes, int], _Examined | None] = {}  # by message and keys; None is left out
    for ask in SIGNED_ASKS:
        for answer in view.answers(ask):
            address = answer.address
            keys = keys_at.get(address) or all_keys
            same = (answer.message.wire, id(keys))
            if same not in seen:
                whole = has_authority(answer) and not is_partial(answer)
                seen[same] = _examined(view.zone, answer, validator, keys) if whole else None
            if (examined := seen[same]) is not None:
                word = f"{ask} {answer.qtype}" if ask == _SEVERAL_TYPES else ask
                found[word, address] = SignedAnswer(ask, answer, *examined)
    return found


_Examined = tuple[
    tuple[ExaminedRRset, ...], tuple[ExaminedRRset, ...], tuple[ExaminedRRset, ...], tuple[int, ...], Name | None
]  # the last five fields of SignedAnswer


@once
def _keys_at(view: ZoneView) -> Mapping[Address, tuple[Key, ...]]:
    """The keys of each server, equal ones as one object."""
    one: dict[tuple[bytes, ...], tuple[Key, ...]] = {}
    return {a: one.setdefault(tuple([key.rdata for key in keys]), keys) for a, keys in view.dnskeys().items()}


def _examined(zone: Name, answer: Answer, validator: Validator, keys: tuple[Key, ...]) -> _Examined:
    message, about = answer.message, answer.qname
    answers = message.rrsets("answer", zone)
    authority = [rrset for rrset in message.rrsets("authority", zone) if rrset.rtype in _NEGATIVE_TYPES]
    if about is not None and (about := end_of_aliases(message, about)) != answer.qname:
        led_below = any(rrset.rtype == SOA and is_below(rrset.owner, zone) for rrset in authority)
        about = about if about.is_subdomain_of(zone) and not led_below else None
        answers = [r for r in answers if not is_synthesised(message, r) and not _is_of_child(zone, r, answer.qname)]
        authority = [rrset for rrset in authority if not _is_of_child(zone, rrset, rrset.owner)]
    positive = tuple([validator.examine(rrset, zone, keys) for rrset in answers])
    negative = tuple([validator.examine(rrset, zone, keys) for rrset in authority])
    denial_types = tuple([int(rrset.rtype) for rrset in authority if rrset.rtype in (NSEC, NSEC3)])
    return positive, negative, positive + negative, denial_types, about


def _is_of_child(zone: Name, rrset: RRset, asked: Name | None) -> bool:
    """Whether it may be data of a zone below, which the server has too and an alias has led to.

    Of an unsigned one nothing tells: what has no signature, and is neither of the name asked for nor a DNAME above it,
    is taken for that.
    """
    if rrset.rtype == SOA and is_below(rrset.owner, zone):
        return True
    signers = [signature.signer for signature in read_all(rdata.rrsig, rrset.signatures)]
    if not signers:
        return asked is not None and not asked.is_subdomain_of(rrset.owner)
    return all(is_below(s, zone) and rrset.owner.is_subdomain_of(s) for s in signers)


def apex(inventory: Inventory, zone: Name, rtype: int, address: Address) -> ExaminedRRset | None:
    """The examined apex RRset of that type at one server: DNSKEY from Q4, SOA from Q2, NS from Q3."""
    asks = ("Q4",) if rtype == DNSKEY else ("Q2", "Q3")
    for ask in asks:
        signed = inventory.get((ask, address))
        for examined in signed.positive if signed else ():
            if examined.rrset.owner == zone and examined.rrset.rtype == rtype:
                return examined
    return None
