from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path

import pytest

from gnomon.base import Name, Transport
from gnomon.engine import Status
from gnomon.evidence import EvidenceDir, Exchange, Plan, RunInfo, Tool, ZoneSource


@pytest.fixture
def run_info() -> RunInfo:
    return RunInfo(
        run_id="01JBC0000000000000000000XY",
        tool=Tool("gnomon", "0.1.0"),
        started_at="2026-11-01T00:00:00Z",
        vantage="lab",
        source=ZoneSource("names", "command line", None, None, 2),
        plan=Plan("abc", ("Q1", "P1")),
        limits={"rate_qps": 10.0, "burst": 4},
        hints={"a.root-servers.net.": ("198.41.0.4", "2001:503:ba3e::2:30")},
        trust_anchors=(". IN DS 20326 8 2 E06D",),
        undelegated={},
    )


@pytest.fixture
def make() -> Callable[..., Exchange]:
    count = iter(range(1_000_000))

    def one(subject: str, ask: str = "Q1", address: str = "198.41.0.4", **changes: object) -> Exchange:
        seq = next(count)
        fields: dict[str, object] = {
            "seq": seq, "subject": subject, "ask": ask, "server_name": Name.from_text("Ns1.Example."),
            "address": ip_address(address), "port": 53, "transport": Transport.UDP, "attempt": 1,
            "sent_at_ns": 1_790_000_000_000_000_000 + seq, "rtt_us": 1200, "local_port": 40000,
            "status": Status.ANSWERED, "os_error": 0, "query": seq.to_bytes(12, "big"), "response": b"\x80" * 12,
            "vantage": "lab",
        }  # fmt: skip
        return Exchange(**{**fields, **changes})  # type: ignore[arg-type]

    return one


@pytest.fixture
def store(tmp_path: Path, run_info: RunInfo) -> Callable[..., EvidenceDir]:
    def stored(exchanges: Iterable[Exchange], *flushes: Iterable[str]) -> EvidenceDir:
        """A run in tmp_path / "run" whose zones are those of `flushes`, one segment for each."""
        zones = [Name.from_text(zone) for flush in flushes for zone in flush]
        directory = EvidenceDir.create(tmp_path / "run", run_info, zones)
        with directory.writer() as writer:
            for exchange in exchanges:
                writer.add(exchange)
            for flush in flushes:
                for zone in flush:
                    writer.finish_zone(Name.from_text(zone))
                writer.flush()
        return EvidenceDir.open(tmp_path / "run")

    return stored
