"""What a run set out to do, under which circumstances and with which inputs: run.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gnomon.base import InputError
from gnomon.base.provenance import Provenance
from gnomon.evidence.fields import Fields
from gnomon.evidence.sealed import seal, unseal

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that ran."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class ZoneSource:
    """Where the names of the zones came from.

    `kind` is a word such as "names", "zone-list" or "zone-file"; `origin` says which; `zones` is their count.
    """

    kind: str
    origin: str
    date: str | None
    sha256: str | None
    zones: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The questions that could be asked, by their codes, and the digest of their definition."""

    digest: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undelegated:
    """A delegation given by hand: each of `ns` is "name" or "name/address", each of `ds` a DS in text form."""

    ns: tuple[str, ...]
    ds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """run.json, written once when the run begins; docs/formats/manifest.md is the specification.

    `started_at` is UTC in ISO 8601 ("2026-11-01T00:00:00Z"). `zones_sha256` is the digest of zones.txt and is
    filled in by `EvidenceDir.create`. `hints` maps root server names to addresses; `trust_anchors` are DS records
    in text form with owner; `undelegated` is keyed by zone. `identification` says how whoever sees the queries can
    know them and reach the sender; `send_from` are the local addresses, if they were chosen; `opt_out` is the list of
    those who were not asked.
    """

    run_id: str
    tool: Tool
    started_at: str
    vantage: str
    source: ZoneSource
    plan: Plan
    limits: Mapping[str, int | float]
    hints: Mapping[str, tuple[str, ...]]
    trust_anchors: tuple[str, ...]
    undelegated: Mapping[str, Undelegated]
    address_map_sha256: str | None = None
    asn_table: Provenance | None = None
    identification: str = ""
    send_from: tuple[str, ...] = ()
    opt_out: Provenance | None = None
    zones_sha256: str = "0" * 64

    def to_octets(self) -> bytes:
        """The file's content."""
        document: dict[str, Any] = asdict(self)
        return seal({"schema_version": SCHEMA_VERSION, **document})

    @classmethod
    def from_octets(cls, octets: bytes, where: str) -> RunInfo:
        """Read run.json; `where` names it in messages.

        Raises:
            InputError: damaged, changed, of a newer version, or with a field missing, unknown or of another type.
        """
        fields = Fields(unseal(octets, where), where)
        version = fields.count("schema_version")
        if version != SCHEMA_VERSION:
            raise InputError(f"{where} has schema version {version}; this Gnomon reads version {SCHEMA_VERSION}")
        run = cls(
            run_id=fields.text("run_id"),
            tool=_tool(fields.inner("tool")),
            started_at=fields.text("started_at"),
            vantage=fields.text("vantage"),
            source=_source(fields.inner("source")),
            plan=_plan(fields.inner("plan")),
            limits=fields.numbers("limits"),
            hints=fields.lists("hints"),
            trust_anchors=fields.texts("trust_anchors"),
            undelegated={zone: _undelegated(inner) for zone, inner in fields.objects("undelegated").items()},
            address_map_sha256=fields.optional("address_map_sha256", fields.digest),
            asn_table=fields.optional("asn_table", lambda name: _provenance(fields.inner(name))),
            identification=fields.text("identification"),
            send_from=fields.texts("send_from"),
            opt_out=fields.optional("opt_out", lambda name: _provenance(fields.inner(name))),
            zones_sha256=fields.digest("zones_sha256"),
        )
        fields.end()
        try:
            started = datetime.fromisoformat(run.started_at)
        except ValueError:
            started = None
        if started is None or started.utcoffset() is None or started.utcoffset():
            raise InputError(f"{where} has in 'started_at' {run.started_at!r} instead of a UTC time such as "
                             "2026-11-01T00:00:00Z")  # fmt: skip
        return run


def _tool(fields: Fields) -> Tool:
    tool = Tool(fields.text("name"), fields.text("version"))
    fields.end()
    return tool


def _source(fields: Fields) -> ZoneSource:
    source = ZoneSource(
        kind=fields.text("kind"),
        origin=fields.text("origin"),
        date=fields.optional("date", fields.text),
        sha256=fields.optional("sha256", fields.digest),
        zones=fields.count("zones"),
    )
    fields.end()
    return source


def _plan(fields: Fields) -> Plan:
    plan = Plan(fields.text("digest"), fields.texts("questions"))
    fields.end()
    return plan


def _undelegated(fields: Fields) -> Undelegated:
    undelegated = Undelegated(fields.texts("ns"), fields.texts("ds"))
    fields.end()
    return undelegated


def _provenance(fields: Fields) -> Provenance:
    read = Provenance(fields.text("origin"), fields.optional("date", fields.text), fields.digest("sha256"))
    fields.end()
    return read
