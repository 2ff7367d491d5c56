"""Verdicts on disk: `verdicts/<profile>.parquet`, and beside it what they were made with (`.json`).

The same verdicts give the same octets: rows are sorted, settings fixed, and nothing of the moment is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gnomon.base import Address, InputError, Level, parse_address
from gnomon.base.provenance import Provenance
from gnomon.checks.profile import Profile
from gnomon.evidence import durable
from gnomon.judge.verdict import Verdict
from gnomon.sources.routing import Route

SCHEMA_VERSION = 1
_TEXTS = ("zone", "check_id", "subject", "property", "code", "state", "level", "args", "profile")
SCHEMA = pa.schema(
    [
        ("zone", pa.string()),
        ("check_id", pa.string()),
        ("check_version", pa.int32()),
        ("subject", pa.string()),
        ("property", pa.string()),
        ("properties", pa.list_(pa.string())),
        ("code", pa.string()),
        ("state", pa.string()),
        ("level", pa.string()),
        ("args", pa.string()),
        ("evidence", pa.list_(pa.string())),
        ("profile", pa.string()),
    ]
)
_ROW_GROUP = 65_536


@dataclass(frozen=True, slots=True)
class StoredRoutes:
    """The part of a routing table that verdicts rest on: the route of each address that was looked up."""

    routes: Mapping[Address, Route | None]
    provenance: tuple[Provenance, ...]

    def route(self, address: Address) -> Route | None:
        return self.routes.get(address)


@dataclass(frozen=True, slots=True)
class Made:
    """What verdicts were made with and what they add up to: everything that judging again needs."""

    run_id: str
    code_version: str
    profile: Profile
    only: tuple[str, ...] | None
    routing: StoredRoutes | None
    zones: int
    verdicts: int
    levels: Mapping[str, int]
    internal_errors: int
    digest: str


def to_table(verdicts: Sequence[Verdict], profile: str) -> pa.Table:
    """The verdicts as columns, in the order given."""
    columns: dict[str, list[object]] = {
        "zone": [v.zone for v in verdicts],
        "check_id": [v.check_id for v in verdicts],
        "check_version": [v.check_version for v in verdicts],
        "subject": [v.subject for v in verdicts],
        "property": [v.properties[0] for v in verdicts],
        "properties": [v.properties for v in verdicts],
        "code": [v.code for v in verdicts],
        "state": [v.state for v in verdicts],
        "level": [v.level for v in verdicts],
        "args": [v.args_json for v in verdicts],
        "evidence": [v.evidence for v in verdicts],
        "profile": [profile] * len(verdicts),
    }
    return pa.table(columns, SCHEMA)


def zone_digest(rows: Iterable[str]) -> str:
    """SHA-256 (hex) over the rows of one zone (`Verdict.row`) in their order."""
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def run_digest(of_zones: Mapping[str, str]) -> str:
    """SHA-256 (hex) over the lines `<zone> <digest of its rows>`, sorted by zone."""
    return hashlib.sha256("".join(f"{zone} {of_zones[zone]}\n" for zone in sorted(of_zones)).encode()).hexdigest()


def write(directory: Path, tables: Sequence[pa.Table], made: Made) -> Path:
    """Store the verdicts sorted by zone, and what they were made with; returns the path of the Parquet file.

    Raises:
        InputError, RetryLater: it cannot be written; what was there before stays.
    """
    table = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
    table = table.take(pc.sort_indices(table["zone"]))
    sink = pa.BufferOutputStream()
    # Without the Arrow schema in the file's metadata the octets depend on the rows alone.
    pq.write_table(
        table,
        sink,
        row_group_size=_ROW_GROUP,
        compression="zstd",
        compression_level=3,
        use_dictionary=[*_TEXTS, "properties.list.element", "evidence.list.element"],
        store_schema=False,
    )
    path = _paths(directory, made.profile.name)
    path.parent.mkdir(exist_ok=True)
    durable.store(path, sink.getvalue().to_pybytes())
    durable.store(path.with_suffix(".json"), made_to_octets(made))
    return path


def read_made(directory: Path, profile: str) -> Made:
    """What the verdicts of that profile were made with.

    Raises:
        InputError: the run was not judged with that profile, or the file is damaged.
    """
    path = _paths(directory, profile).with_suffix(".json")
    if not path.is_file():
        raise InputError(f"{directory} has no verdicts of the profile {profile!r}; run: gnomon judge {directory}")
    try:
        return made_from_octets(durable.read(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({error}); judge the run again") from None


def verdicts(directory: Path, profile: str = "default") -> Iterator[Verdict]:
    """The stored verdicts in their order.

    Raises:
        InputError: the run was not judged with that profile, or the file is damaged.
    """
    path = _paths(directory, profile)
    if not path.is_file():
        raise InputError(f"{directory} has no verdicts of the profile {profile!r}; run: gnomon judge {directory}")
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                yield Verdict(
                    row["zone"], row["check_id"], row["check_version"], row["subject"], tuple(row["properties"]),
                    row["code"], row["state"], row["level"], json.loads(row["args"]), tuple(row["evidence"]),
                )  # fmt: skip
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); judge the run again") from None


def _paths(directory: Path, profile: str) -> Path:
    return directory / "verdicts" / f"{profile}.parquet"


def made_to_octets(made: Made) -> bytes:
    """The JSON beside the verdicts."""
    profile, routing = made.profile, made.routing
    document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": made.run_id,
        "code_version": made.code_version,
        "profile": {
            "name": profile.name,
            "digest": profile.digest,
            "levels": _words(profile.levels),
            "overrides": {zone_class: _words(of) for zone_class, of in profile.overrides.items()},
        },
        "only": made.only,
        "routing": routing and {"routes": _routes(routing), "provenance": [asdict(p) for p in routing.provenance]},
        "zones": made.zones,
        "verdicts": made.verdicts,
        "levels": dict(made.levels),
        "internal_errors": made.internal_errors,
        "digest": made.digest,
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def made_from_octets(octets: bytes) -> Made:
    """What `made_to_octets` gave.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is something else.
    """
    document = json.loads(octets)
    if document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema version {document['schema_version']}; this Gnomon reads {SCHEMA_VERSION}")
    profile, routing, only = document["profile"], document["routing"], document["only"]
    overrides = {zone_class: _levels(of) for zone_class, of in profile["overrides"].items()}
    return Made(
        run_id=document["run_id"],
        code_version=document["code_version"],
        profile=Profile(profile["name"], _levels(profile["levels"]), overrides),
        only=None if only is None else tuple(only),
        routing=None if routing is None else _stored_routes(routing),
        zones=document["zones"],
        verdicts=document["verdicts"],
        levels=document["levels"],
        internal_errors=document["internal_errors"],
        digest=document["digest"],
    )


def _words(levels: Mapping[str, Level]) -> dict[str, str]:
    return {code: level.word for code, level in levels.items()}


def _levels(words: Mapping[str, str]) -> dict[str, Level]:
    return {code: Level.from_word(word) for code, word in words.items()}


def _routes(routing: StoredRoutes) -> dict[str, object]:
    return {
        str(address): route and [str(route.first), str(route.last), route.asn, route.name]
        for address, route in routing.routes.items()
    }


def _stored_routes(document: Mapping[str, object]) -> StoredRoutes:
    routes, provenance = document["routes"], document["provenance"]
    assert isinstance(routes, dict) and isinstance(provenance, list)
    read = {
        parse_address(address): route and Route(parse_address(route[0]), parse_address(route[1]), route[2], route[3])
        for address, route in routes.items()
    }
    return StoredRoutes(read, tuple(Provenance(**entry) for entry in provenance))
