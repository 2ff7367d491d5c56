"""What vouches for a zone's keys from outside: the DS at its parent, the user's DS, the root's trust anchors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gnomon.base import Address
from gnomon.base.codes import DNSKEY
from gnomon.base.once import once
from gnomon.checks.chain import matches
from gnomon.checks.inventory import apex
from gnomon.checks.outcome import Outcome, not_applicable, unknown
from gnomon.checks.read import read_all
from gnomon.checks.signed import Key
from gnomon.checks.validation import ExaminedRRset, label_of, may_sign
from gnomon.wire import rdata
from gnomon.wire.rdata import Ds

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

NO_DS = {
    "no-ds": "The parent of {zone} has no DS for it.",
    "root": "The root has no parent; resolvers have its trust anchors.",
    "given": "The delegation of {zone} was given by hand, without a DS.",
    "parent-no-answer": "No server of the parent of {zone} gave a usable answer about its DS.",
}


@once
def ds_records(view: ZoneView) -> tuple[Ds, ...]:
    """The readable DS records of the zone, the parent's or the user's, sorted; the root has none."""
    return read_all(rdata.ds, rrset.rdatas) if (rrset := view.ds()) else ()


def has_entry(view: ZoneView) -> bool:
    """Whether there is a DS or, for the root, a trust anchor."""
    anchored = view.is_root and view.undelegated is None
    return bool(view.root_anchors) if anchored else view.ds() is not None


def entry_known(view: ZoneView) -> bool:
    """Whether it is known if there is one: a parent answered, the user gave the delegation, or it is the root."""
    return view.is_root or view.undelegated is not None or bool(view.ds_sets())


def without_ds(view: ZoneView) -> Iterator[Outcome]:
    """What a check on DS records says where there is none: there is none, or it is not known."""
    asked = view.asked("P2")
    if view.undelegated is not None or view.is_root:
        yield not_applicable("root" if view.undelegated is None else "given")
    else:
        yield not_applicable("no-ds", asked) if entry_known(view) else unknown("parent-no-answer", asked)


def entry_keys(view: ZoneView, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """Those of the zone's keys that a DS record names and that may sign (RFC 4035 section 5.2)."""
    named = _named(view)
    return tuple([key for key in keys if key.rdata in named])


@once
def _named(view: ZoneView) -> frozenset[bytes]:
    records, keys = ds_records(view), view.keys()
    return frozenset(k.rdata for k in keys if may_sign(k) and any(matches(ds, view.zone, k) for ds in records))


def why_no_entry(view: ZoneView) -> str:
    """The code for no DS record naming a key that may sign: there is no key, none is named, or one that may not."""
    published, records = view.keys(), ds_records(view)
    named = any(matches(ds, view.zone, key) for ds in records for key in published)
    return "not-zone-key" if named else "no-match" if view.dnskeys() else "no-dnskey"


@dataclass(frozen=True, slots=True)
class Entries:
    """The keys of a server that a DS record names: their labels with the algorithms, and which of them sign the keys.

    `tried` have a signature over the DNSKEY RRset, `valid` a valid one; `is_signed`: any key has one. One that is
    valid by another key of the same tag is not theirs.
    """

    algorithms: Mapping[str, int]
    tried: frozenset[str]
    valid: frozenset[str]
    is_signed: bool


@once
def entries_at(view: ZoneView) -> Mapping[Address, Entries]:
    """At each server whose DNSKEY RRset was looked at."""
    found: dict[Address, Entries] = {}
    same: dict[tuple[int, int], Entries] = {}  # by identity: equal keys are looked at once
    for address, keys in view.dnskeys().items():
        examined, named = apex(view.chain().inventory, view.zone, DNSKEY, address), entry_keys(view, keys)
        if examined is not None:
            of = id(examined), id(named)
            found[address] = same[of] = same.get(of) or _entries(examined, named)
    return found


def _entries(examined: ExaminedRRset, named: tuple[Key, ...]) -> Entries:
    algorithms = {label_of(key): key.dnskey.algorithm for key in named}
    octets = {key.rdata for key in named}
    strangers = [one for one in examined.valid if one.key is not None and one.key.rdata not in octets]
    tried = frozenset(one.label for one in examined.signatures if one not in strangers)
    valid = frozenset(one.label for one in examined.valid if one not in strangers)
    return Entries(algorithms, tried & algorithms.keys(), valid & algorithms.keys(), bool(examined.signatures))
