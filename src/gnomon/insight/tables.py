"""Derived tables of a run: zones, servers and keys as columns. Rebuildable from the evidence at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gnomon.base import Name
from gnomon.base.codes import ALGORITHM_NAMES
from gnomon.checks.read import read_all
from gnomon.checks.service import service
from gnomon.checks.view import ZoneView
from gnomon.evidence import EvidenceDir, durable
from gnomon.judge import views
from gnomon.judge.store import read_made
from gnomon.sources import operator_key
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

Row = dict[str, object]


def write_tables(evidence: Path, profile: str = "default", progress: Callable[[int, int], None] | None = None) -> None:
    """Write `tables/{zones,servers,keys}.parquet` of a judged run, sorted by zone, with the routes it was judged with.

    Raises:
        InputError: the run was not judged with that profile, its evidence is damaged, or it cannot be written.
        RetryLater: no space left; the table that did not fit is as it was before.
    """
    routing = read_made(evidence, profile).routing
    store = EvidenceDir.open(evidence)
    total = len(store.finished_zones())
    rows: dict[str, list[Row]] = {"zones": [], "servers": [], "keys": []}
    for done, view in enumerate(views(store, routing=routing), start=1):
        servers = list(_servers(view))
        rows["zones"].append(_zone(view, servers))
        rows["servers"] += servers
        rows["keys"] += _keys(view)
        if progress is not None:
            progress(done, total)
    folder = evidence / "tables"
    folder.mkdir(exist_ok=True)
    for name, schema in (("zones", ZONES), ("servers", SERVERS), ("keys", KEYS)):
        ordered = sorted(rows[name], key=lambda row: [str(row[column]) for column in schema.names[:4]])
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(ordered, schema), sink, compression="zstd")
        durable.store(folder / f"{name}.parquet", sink.getvalue().to_pybytes())


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
    states = {address: service(view, address).state for address in view.addresses}
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
            "state": states[server.address],
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
