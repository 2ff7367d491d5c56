"""What changed between two versions of a zone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gnomon import _core
from gnomon.base import InputError
from gnomon.zonefile.read import LoadedZone

# What signing makes anew by itself; a list of it tells nobody anything.
UPKEEP = frozenset({"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "ZONEMD"})
_BATCH = 1000


class Change(NamedTuple):
    """A record that only one version has, in presentation form; another TTL makes another record."""

    added: bool
    line: int
    owner: str
    ttl_s: int
    rtype: str
    rdata: str

    def __str__(self) -> str:
        return f"{'+' if self.added else '-'} {self.owner} {self.ttl_s} IN {self.rtype} {self.rdata}"


class ZoneChanges:
    """All changes in canonical order, as an iterable that is read once; afterwards the counts are complete.

    `removed` and `added` count the changes that were given out, `upkeep` those of records that signing makes, which
    are not given out.
    """

    def __init__(self, old: LoadedZone, new: LoadedZone) -> None:
        self._diff = _core.ZoneDiff(old.zone, new.zone)
        self.removed = self.added = self.upkeep = 0

    def __iter__(self) -> Iterator[Change]:
        while batch := self._diff.take(_BATCH):
            for change in map(Change._make, batch):
                if change.rtype in UPKEEP:
                    self.upkeep += 1
                    continue
                self.added += change.added
                self.removed += not change.added
                yield change


def changes(old: LoadedZone, new: LoadedZone) -> ZoneChanges:
    """Compare two versions of one zone.

    Raises:
        InputError: they are different zones.
    """
    if old.apex != new.apex:
        raise InputError(f"{old.path} has the zone {old.apex} and {new.path} the zone {new.apex}; give one zone twice")
    return ZoneChanges(old, new)
