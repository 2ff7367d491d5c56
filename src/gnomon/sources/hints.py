"""Root hints: the names and addresses of the root servers to begin with (RFC 9609)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from gnomon.base import ROOT, Address, InputError, Name
from gnomon.base.codes import AAAA, NS, A
from gnomon.base.provenance import Provenance
from gnomon.sources.files import provenance_of, text
from gnomon.sources.masterfile import read_records
from gnomon.wire import rdata

_UPDATED = re.compile(r"last update:\s+([A-Z][a-z]+ \d{1,2}, \d{4})")


@dataclass(frozen=True, slots=True)
class RootHints:
    """Addresses by root server name, names in the order of the file."""

    servers: Mapping[Name, tuple[Address, ...]]
    provenance: Provenance


def read_hints(path: Path) -> RootHints:
    """Read a hints file in master file format.

    Raises:
        InputError: unreadable, bad syntax ("file, line N: reason"), no NS record of the root, or none of its
            servers has an address.
    """
    names: dict[Name, None] = {}
    addresses: dict[Name, list[Address]] = {}
    for record in read_records(path, ROOT, (NS, A, AAAA)):
        if record.rtype == NS and record.owner.is_root:
            names[rdata.ns(record.rdata)] = None
        elif record.rtype in (A, AAAA):
            addresses.setdefault(record.owner, []).append(rdata.address(record.rdata))
    servers = {name: tuple(addresses[name]) for name in names if name in addresses}
    if not servers:
        raise InputError(f"{path} names no root server with an address: it needs NS records of . and A or AAAA")
    return RootHints(servers, provenance_of(path, _date(text(path))))


@cache
def default_hints() -> RootHints:
    """The 13 root servers, as packaged."""
    hints = read_hints(Path(__file__).parent / "data" / "root.hints")
    origin = "https://www.internic.net/domain/named.root as packaged with Gnomon"
    return RootHints(hints.servers, Provenance(origin, hints.provenance.date, hints.provenance.sha256))


def _date(content: str) -> str | None:
    found = _UPDATED.search(content)
    try:
        return datetime.strptime(found[1], "%B %d, %Y").date().isoformat() if found else None
    except ValueError:
        return None
