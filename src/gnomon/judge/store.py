"""Verdicts on disk: `verdicts/<profile>.parquet`, and beside it what they were made with (`.json`).

The same verdicts give the same octets: rows are sorted, settings fixed, and nothing of the moment is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gnomon._core import VerdictColumns
from gnomon.base import Address, InputError, parse_address
from gnomon.base.provenance import Provenance
from gnomon.checks.levels import Profile, digest_of
from gnomon.evidence import durable
from gnomon.judge import columns
from gnomon.judge.verdict import Note, Verdict
from gnomon.sources.routing import Route

SCHEMA_VERSION = 2
_TEXTS = ("zone", "check_id", "subject", "property", "code", "state", "level", "args", "explanation", "profile")
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
        ("explanation", pa.string()),
        ("profile", pa.string()),
    ]
)
_IN_MEMORY_AS = {pa.string(): columns.TEXTS, pa.list_(pa.string()): columns.TEXT_LISTS}
_IN_MEMORY = pa.schema([field.with_type(_IN_MEMORY_AS.get(field.type, field.type)) for field in SCHEMA])
_DIGESTS = pa.schema([("zone", pa.string()), ("digest", pa.string())])


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


def to_table(verdicts: VerdictColumns, profile: str) -> pa.Table:
    """The verdicts as a table with texts as indices; `columns.plain` makes one with `SCHEMA` of it."""
    texts, versions, lists = verdicts.columns(profile)
    names = ("check_id", "property", "code", "state", "level", "zone", "subject", "args", "explanation", "profile")
    arrays = {name: columns.texts(*column) for name, column in zip(names, texts, strict=True)}
    arrays["check_version"] = columns.numbers(versions)
    arrays["properties"], arrays["evidence"] = (columns.text_lists(*column) for column in lists)
    return pa.Table.from_arrays([arrays[name] for name in _IN_MEMORY.names], schema=_IN_MEMORY)


def digests_table(of_zones: Mapping[str, str]) -> pa.Table:
    """The digests of zones as columns, for `run_digest`."""
    return pa.table({"zone": list(of_zones), "digest": list(of_zones.values())}, _DIGESTS)


def run_digest(tables: Iterable[pa.Table]) -> str:
    """SHA-256 (hex) over the lines `<zone> <digest of its rows>` of tables sorted by zone."""
    digest = hashlib.sha256()
    for table in tables:
        rows = zip(table["zone"].to_pylist(), table["digest"].to_pylist(), strict=True)
        digest.update("".join(f"{zone} {of}\n" for zone, of in rows).encode())
    return digest.hexdigest()


def write(directory: Path, tables: Iterable[pa.Table], made: Made) -> Path:
    """Store the verdicts of tables sorted by zone, and what they were made with; returns the path of the Parquet file.

    Raises:
        InputError, RetryLater: it cannot be written; what was there before stays.
    """
    path = _paths(directory, made.profile.name)
    path.parent.mkdir(exist_ok=True)
    write_sorted(path, _IN_MEMORY, tables, [*_TEXTS, "properties.list.element", "evidence.list.element"])
    durable.store(path.with_suffix(".json"), made_to_octets(made))
    return path


def write_sorted(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], dictionary: bool | list[str]) -> None:
    """Store tables one after the other as one Parquet file, each as a row group.

    Raises:
        InputError, RetryLater: it cannot be written; what was there before stays.
    """
    # Without the Arrow schema in the file's metadata the octets depend on the rows alone. Rows are sorted by zone: of
    # other columns the least and the greatest value say nothing.
    settings = {"compression": "zstd", "compression_level": 3, "use_dictionary": dictionary, "store_schema": False}
    with durable.storing(path) as file, pq.ParquetWriter(file, schema, write_statistics=["zone"], **settings) as writer:
        for table in tables:
            writer.write_table(table)


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
    return read_rows(stored_tables(directory, profile))


def stored_tables(directory: Path, profile: str) -> Iterator[pa.Table]:
    """The stored verdicts as tables, one after the other.

    Raises:
        InputError: the run was not judged with that profile, or the file is damaged.
    """
    path = _paths(directory, profile)
    if not path.is_file():
        raise InputError(f"{directory} has no verdicts of the profile {profile!r}; run: gnomon judge {directory}")
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            yield pa.Table.from_batches([batch]).cast(SCHEMA)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); judge the run again") from None


def read_rows(tables: Iterable[pa.Table]) -> Iterator[Verdict]:
    """The verdicts in the rows of tables.

    Raises:
        InputError: a row is none.
    """
    for table in tables:
        try:
            for row in table.to_pylist():
                yield Verdict(
                    row["zone"], row["check_id"], row["check_version"], row["subject"], tuple(row["properties"]),
                    row["code"], row["state"], row["level"], json.loads(row["args"]), tuple(row["evidence"]),
                    tuple([Note(rule, facts) for rule, facts in json.loads(row["explanation"])]),
                )  # fmt: skip
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"the stored verdicts are damaged ({error}); judge the run again") from None


class Rows:
    """The rows of tables, taken so many at a time."""

    def __init__(self, tables: Iterator[pa.Table]) -> None:
        self._tables = tables
        self._left = SCHEMA.empty_table()

    def take(self, count: int) -> pa.Table:
        """The next `count` rows, or as many as are left."""
        parts = [self._left]
        while sum(part.num_rows for part in parts) < count and (table := next(self._tables, None)) is not None:
            parts.append(table)
        rows = pa.concat_tables(parts)
        self._left = rows.slice(count)
        return rows.slice(0, count)

    def rest(self) -> Iterator[pa.Table]:
        """All that is left."""
        return chain([self._left], self._tables)


def _paths(directory: Path, profile: str) -> Path:
    return directory / "verdicts" / f"{profile}.parquet"


def made_to_octets(made: Made) -> bytes:
    """The JSON beside the verdicts."""
    routing, profile = made.routing, made.profile.document
    document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": made.run_id,
        "code_version": made.code_version,
        "profile": {**profile, "digest": digest_of(profile)},
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
    return Made(
        run_id=document["run_id"],
        code_version=document["code_version"],
        profile=Profile.from_document(profile),
        only=None if only is None else tuple(only),
        routing=None if routing is None else _stored_routes(routing),
        zones=document["zones"],
        verdicts=document["verdicts"],
        levels=document["levels"],
        internal_errors=document["internal_errors"],
        digest=document["digest"],
    )


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
