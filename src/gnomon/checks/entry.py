"""What vouches for a zone's keys from outside: the DS at its parent, the user's DS, the root's trust anchors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gnomon.checks.chain import matches
from gnomon.checks.outcome import Outcome, not_applicable, unknown
from gnomon.checks.read import read_all
from gnomon.checks.signed import Key
from gnomon.checks.validation import may_sign
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


def ds_records(view: ZoneView) -> tuple[Ds, ...]:
    """The readable DS records of the zone, the parent's or the user's, sorted; the root has none."""
    return view.once("ds-records", lambda: read_all(rdata.ds, rrset.rdatas) if (rrset := view.ds()) else ())


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
    """Those of the keys that a DS record names and that may sign (RFC 4035 section 5.2)."""
    return view.once(("entry-keys", tuple([key.rdata for key in keys])), lambda: _find_entry_keys(view, keys))


def _find_entry_keys(view: ZoneView, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    records = ds_records(view)
    return tuple(key for key in keys if may_sign(key) and any(matches(ds, view.zone, key) for ds in records))
