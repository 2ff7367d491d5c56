"""Verdicts on disk: `verdicts/<profile>.parquet`, and beside it what they were made with (`.json`).

The same verdicts give the same octets: rows are sorted, settings fixed, and nothing of the moment is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, chain
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gnomon._core import canonical
from gnomon.base import Address, InputError, parse_address
from gnomon.base.provenance import Provenance
from gnomon.checks.levels import Profile, digest_of
from gnomon.evidence import durable
from gnomon.judge.verdict import Note, Verdict
from gnomon.judge.zone import Judged
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
_INDEXED = pa.list_(pa.dictionary(pa.int32(), pa.string()))
_IN_MEMORY = pa.schema([f.with_type(_INDEXED) if pa.types.is_list(f.type) else f for f in SCHEMA])
_DIGESTS = pa.schema([("zone", pa.string()), ("digest", pa.string())])
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


def to_table(rows: Sequence[Judged], profile: str) -> pa.Table:
    """The verdicts as columns, in the order given; references to evidence, which come again and again, as indices."""
    kinds = [row.kind for row in rows]
    columns: dict[str, object] = {
        "zone": [row.zone for row in rows],
        "check_id": [kind.check_id for kind in kinds],
        "check_version": [kind.check_version for kind in kinds],
        "subject": [row.outcome.subject for row in rows],
        "property": [kind.properties[0] for kind in kinds],
        "properties": _lists([kind.properties for kind in kinds]),
        "code": [kind.code for kind in kinds],
        "state": [kind.state for kind in kinds],
        "level": [kind.level for kind in kinds],
        "args": [row.args_json for row in rows],
        "evidence": _lists([row.outcome.evidence for row in rows]),
        "explanation": [canonical(row.explanation) if row.explanation else "[]" for row in rows],
        "profile": [profile] * len(rows),
    }
    return pa.table(columns, _IN_MEMORY)


def _lists(texts: Sequence[Sequence[str]]) -> pa.Array:
    """A list of texts in each row, the texts as indices into what is in order of first appearance."""
    flat = list(chain.from_iterable(texts))
    index = {text: at for at, text in enumerate(dict.fromkeys(flat))}
    indices = pa.array(map(index.__getitem__, flat), pa.int32(), size=len(flat))
    values = pa.DictionaryArray.from_arrays(indices, pa.array(index, pa.string()))
    return pa.ListArray.from_arrays(pa.array([0, *accumulate(map(len, texts))], pa.int32()), values)


def zone_digest(rows: Iterable[str]) -> str:
    """SHA-256 (hex) over the rows of one zone (`Verdict.row`) in their order."""
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


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
    """Store tables one after the other as one Parquet file, a row group in memory at a time.

    Raises:
        InputError, RetryLater: it cannot be written; what was there before stays.
    """
    # Without the Arrow schema in the file's metadata the octets depend on the rows alone.
    settings = {"compression": "zstd", "compression_level": 3, "use_dictionary": dictionary, "store_schema": False}
    with durable.storing(path) as file, pq.ParquetWriter(file, schema, **settings) as writer:
        for table in tables:
            for start in range(0, table.num_rows, _ROW_GROUP):
                writer.write_table(_compact(table.slice(start, _ROW_GROUP), schema))


def _compact(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Indices into the texts of these rows only: what is written does not depend on the rows around them."""
    return _with_lists(table, schema, _only_used)


def _only_used(texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same texts, their dictionary in order of first appearance."""
    if list(dict.fromkeys(_int32s(texts.indices))) == list(range(len(texts.dictionary))):
        return texts  # as `to_table` made it
    used = texts.indices.dictionary_encode()
    return pa.DictionaryArray.from_arrays(used.indices, texts.dictionary.take(used.dictionary))


def plain(table: pa.Table) -> pa.Table:
    """The table of `to_table` with texts in place of indices, as it is read back."""
    return _with_lists(table, SCHEMA, lambda texts: texts.dictionary_decode())


def _with_lists(table: pa.Table, schema: pa.Schema, change: Callable[[pa.Array], pa.Array]) -> pa.Table:
    """The table with the values of the lists of indices changed; the offsets begin at 0."""
    for at, field in enumerate(table.schema):
        if field.type == _INDEXED:
            column = pa.concat_arrays(table.column(at).chunks)
            ends = _int32s(column.offsets)
            values = change(column.values.slice(ends[0], ends[-1] - ends[0]))
            offsets = pa.array([end - ends[0] for end in ends], pa.int32())
            table = table.set_column(at, schema.field(at), pa.ListArray.from_arrays(offsets, values))
    return table


def _int32s(of: pa.Int32Array) -> Sequence[int]:
    """The numbers of an array without gaps; the functions that Arrow has for arrays take long to import."""
    octets = of.buffers()[1]
    return memoryview(octets or b"").cast("i")[of.offset : of.offset + len(of)].tolist()


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
