"""What the RFCs say about each DNSSEC algorithm and DS digest type: use it, avoid it, never use it.

The words are those of RFC 2119, one column each for signing (or delegating) and validating, using and implementing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tomli

from gnomon.base.provenance import Provenance


@dataclass(frozen=True, slots=True)
class AlgorithmStatus:
    """One row of the registry; None where it says nothing (the number is no zone signing algorithm)."""

    number: int
    mnemonic: str
    use_signing: str | None
    use_validation: str | None
    implement_signing: str | None
    implement_validation: str | None
    source: str


@dataclass(frozen=True, slots=True)
class DigestStatus:
    """One row of the registry of DS digest types."""

    number: int
    mnemonic: str
    use_delegation: str
    use_validation: str
    implement_delegation: str
    implement_validation: str
    source: str


def _load() -> tuple[dict[int, AlgorithmStatus], dict[int, DigestStatus], Provenance]:
    octets = (Path(__file__).parent / "data" / "algorithms.toml").read_bytes()
    document: dict[str, Any] = tomli.loads(octets.decode())
    algorithms = [AlgorithmStatus(number, *_or_none(cells)) for number, *cells in document["algorithms"]]
    digests = [DigestStatus(*row) for row in document["digests"]]
    provenance = Provenance(document["origin"], document["date"], sha256(octets).hexdigest())
    return {row.number: row for row in algorithms}, {row.number: row for row in digests}, provenance


def _or_none(cells: list[Any]) -> list[Any]:
    return [cell or None for cell in cells]


# Values, read once: checks use them without any I/O of their own.
_algorithms, _digests, PROVENANCE = _load()
ALGORITHMS: Mapping[int, AlgorithmStatus] = MappingProxyType(_algorithms)
DIGESTS: Mapping[int, DigestStatus] = MappingProxyType(_digests)
