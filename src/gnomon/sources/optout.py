"""Opt-out lists: networks, servers and zones that are not asked. `docs/how-to/measure-politely.md` has the format."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from gnomon.base import InputError, Name
from gnomon.base.provenance import Provenance
from gnomon.engine import OptOut
from gnomon.sources.files import at_line, lines, provenance_of


@dataclass(frozen=True, slots=True)
class OptOutList:
    """Who does not want to be asked, and the file that says so."""

    opt_out: OptOut
    provenance: Provenance


def read_opt_out(path: Path) -> OptOutList:
    """Read an opt-out list: `prefix PREFIX`, `server NAME` or `zone NAME` per line; `#` begins a comment.

    Raises:
        InputError: unreadable, or a line that is none of these ("file, line N: reason").
    """
    prefixes, servers, zones = [], [], []
    for number, line in lines(path):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            if len(words) != 2 or words[0] not in ("prefix", "server", "zone"):
                raise InputError(f"{line.strip()!r} is not 'prefix PREFIX', 'server NAME' or 'zone NAME'")
            kind, value = words
            if kind == "prefix":
                prefixes.append(ip_network(value))
            elif kind == "server":
                servers.append(Name.from_text(value))
            elif (zone := Name.from_text(value)).is_root:
                raise InputError("the root zone would leave nothing to ask")
            else:
                zones.append(zone)
        except InputError as error:
            raise at_line(path, number, error) from None
        except ValueError as error:
            raise at_line(path, number, InputError(f"{error}; write for example 192.0.2.0/24")) from None
    return OptOutList(OptOut(tuple(prefixes), tuple(servers), tuple(zones)), provenance_of(path))
