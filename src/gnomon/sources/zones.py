"""Lists of zone names: one name per line, `#` begins a comment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gnomon.base import InputError, Name
from gnomon.base.provenance import Provenance
from gnomon.sources.files import at_line, lines, provenance_of


@dataclass(frozen=True, slots=True)
class ZoneList:
    """The names in the order of the file; a repeated name counts once."""

    zones: tuple[Name, ...]
    provenance: Provenance


def read_zone_list(path: Path) -> ZoneList:
    """Read a list of zones.

    Raises:
        InputError: unreadable, no name in it, or a line that is no domain name ("file, line N: reason").
    """
    zones: dict[Name, None] = {}
    for number, line in lines(path):
        text = line.partition("#")[0].strip()
        if text:
            try:
                zones[Name.from_text(text)] = None
            except InputError as error:
                raise at_line(path, number, error) from None
    if not zones:
        raise InputError(f"{path} has no zone name in it: write one per line")
    return ZoneList(tuple(zones), provenance_of(path))
