"""Derived tables of a run: zones, servers and keys as columns. Rebuildable from the evidence at any time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon.base import Name
from gnomon.base.codes import ALGORITHM_NAMES
from gnomon.checks.profile import Profile
from gnomon.checks.read import read_all
from gnomon.checks.view import ZoneView
from gnomon.evidence import EvidenceDir
from gnomon.judge import ByZone, JudgeSummary, ViewMaker, judge
from gnomon.judge.store import read_made, write_sorted
from gnomon.sources import RoutingTable, operator_key
from gnomon.wire import rdata

ZONES = pa.schema(
    [
        ("zone", pa.string()),
        ("zone_class", pa.string()),
        ("observed_at_s", pa.int64()),
        ("delegated", pa.bool_()),
        ("ns_count", pa.int32()),
        ("ns_relation", pa.string()),
        ("addresses", pa.int32()),
        ("answering_addresses", pa.int32()),
        ("serials", pa.int32()),
        ("origin_ases", pa.int32()),
        ("signed", pa.bool_()),
        ("ds_count", pa.int32()),
        ("dnssec", pa.string()),
    ]
)
SERVERS = pa.schema(
    [
        ("zone", pa.string()),
        ("ns_name", pa.string()),
        ("address", pa.string()),
        ("family", pa.int8()),
        ("operator", pa.string()),
        ("asn", pa.int64()),
        ("as_name", pa.string()),
        ("glue", pa.bool_()),
        ("state", pa.string()),
        ("udp", pa.bool_()),
        ("tcp", pa.bool_()),
    ]
)
KEYS = pa.schema(
    [
        ("zone", pa.string()),
        ("kind", pa.string()),
        ("key_tag", pa.int32()),
        ("algorithm", pa.int16()),
        ("algorithm_name", pa.string()),
        ("digest_type", pa.int16()),
        ("rsa_bits", pa.int32()),
    ]
)

SCHEMAS = {"zones": ZONES, "servers": SERVERS, "keys": KEYS}

Row = dict[str, object]


class TableRows:
    """Collects the rows of the tables from views, a batch at a time; can be given to `judge` as `derive`."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}

    def add(self, view: ZoneView) -> None:
        """Add the rows of one zone."""
        servers = list(_servers(view))
        self._rows["zones"].append(_zone(view, servers))
        for name, rows in (("servers", servers), ("keys", _keys(view))):
            self._rows[name] += sorted(rows, key=lambda row: [str(value) for value in list(row.values())[1:4]])

    def take(self) -> dict[str, pa.Table]:
        """The rows since the last time, as tables by name."""
        tables = {name: pa.Table.from_pylist(self._rows[name], schema) for name, schema in SCHEMAS.items()}
        self._rows = {name: [] for name in SCHEMAS}
        return tables


def judge_with_tables(
    evidence: Path,
    profile: Profile | str = "default",
    *,
    routing: RoutingTable | None = None,
    only: Collection[str] | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> JudgeSummary:
    """`judge`, and `tables/{zones,servers,keys}.parquet` from the same views.

    Raises:
        InputError, RetryLater: as `judge`.
    """
    with _Sorted(EvidenceDir.open(evidence).finished_zones()) as tables:
        summary = judge(
            evidence, profile, routing=routing, only=only, jobs=jobs, progress=progress,
            derive=TableRows, derived=tables.add,
        )  # fmt: skip
        tables.write(evidence)
    return summary


def write_tables(evidence: Path, profile: str = "default") -> None:
    """Write the tables of a judged run again, with the routes it was judged with.

    Raises:
        InputError: the run was not judged with that profile, its evidence is damaged, or it cannot be written.
        RetryLater: no space left; the table that did not fit is as it was before.
    """
    store, rows = EvidenceDir.open(evidence), TableRows()
    made = read_made(evidence, profile)
    maker = ViewMaker(store, made.routing, made.profile.zone_class)
    with _Sorted(store.finished_zones()) as tables:
        for partition in store.zone_partitions():
            for view in maker.views(partition):
                rows.add(view)
            tables.add(rows.take())
        tables.write(evidence)


class _Sorted:
    """The tables of all batches, each sorted by zone."""

    def __init__(self, zones: Collection[str]) -> None:
        self._tables = {name: ByZone(zones) for name in SCHEMAS}

    def __enter__(self) -> _Sorted:
        return self

    def __exit__(self, *exception: object) -> None:
        for table in self._tables.values():
            table.close()

    def add(self, batch: Mapping[str, pa.Table]) -> None:
        for name, table in batch.items():
            self._tables[name].add(table)

    def write(self, evidence: Path) -> None:
        folder = evidence / "tables"
        folder.mkdir(exist_ok=True)
        for name, schema in SCHEMAS.items():
            write_sorted(folder / f"{name}.parquet", schema, self._tables[name].tables(), dictionary=True)


def _zone(view: ZoneView, servers: list[Row]) -> Row:
    soas, delegation, ds = view.soas(), view.delegation(), view.ds()
    answering = {s["address"] for s in servers if s["udp"] or s["tcp"]}
    ases = {s["asn"] for s in servers if s["asn"] is not None}
    return {
        "zone": _key(view.zone),
        "zone_class": view.zone_class,
        "observed_at_s": view.observed_at,
        "delegated": view.is_root or delegation is not None,
        "ns_count": len(view.parent_ns() or view.ns_names),
        "ns_relation": _relation(view),
        "addresses": len(view.addresses),
        "answering_addresses": len(answering),
        "serials": len({soa.serial for soa in soas.values()}),
        "origin_ases": len(ases) if view.routing is not None else None,
        "signed": bool(view.keys()) if soas else None,
        "ds_count": len(ds.rdatas) if ds is not None else 0,
        "dnssec": view.chain().status,
    }


def _relation(view: ZoneView) -> str | None:
    """How the delegated NS names relate to the apex ones (union over all servers)."""
    parent, child = set(view.parent_ns()), {n for names in view.child_ns().values() for n in names}
    if not parent or not child:
        return None
    if parent == child:
        return "equal"
    if not parent & child:
        return "disjoint"
    return "parent has fewer" if parent < child else "parent has more" if parent > child else "overlap"


def _servers(view: ZoneView) -> Iterable[Row]:
    for server in view.servers:
        route = view.routing.route(server.address) if view.routing is not None else None
        yield {
            "zone": _key(view.zone),
            "ns_name": _key(server.name),
            "address": str(server.address),
            "family": server.address.version,
            "operator": str(operator_key(server.name)),
            "asn": route.asn if route is not None else None,
            "as_name": (route.name or "") if route is not None else "",
            "glue": server.address in view.addresses_of(server.name).glue,
            "state": view.service(server.address).state,
            "udp": any(view.answer(ask, server.address) is not None for ask in ("Q1", "Q2", "Q3")),
            "tcp": view.answer("Q7", server.address) is not None if view.asked("Q7", server.address) else None,
        }


def _keys(view: ZoneView) -> Iterable[Row]:
    ds = view.ds()
    for record in read_all(rdata.ds, ds.rdatas) if ds is not None else ():
        yield _key_row(view, "ds", record.key_tag, record.algorithm, record.digest_type, None)
    for key in view.keys():  # noqa: SIM118 a method of the view, not of a dict
        yield _key_row(view, "dnskey", key.dnskey.key_tag, key.dnskey.algorithm, None, key.dnskey.rsa_bits)


def _key_row(view: ZoneView, kind: str, tag: int, algorithm: int, digest: int | None, bits: int | None) -> Row:
    return {
        "zone": _key(view.zone),
        "kind": kind,
        "key_tag": tag,
        "algorithm": algorithm,
        "algorithm_name": ALGORITHM_NAMES.get(algorithm, "algorithm"),
        "digest_type": digest,
        "rsa_bits": bits,
    }


def _key(name: Name) -> str:
    return str(name).lower()
