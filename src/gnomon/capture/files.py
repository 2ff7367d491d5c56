"""Captures by their file: which format one has, and runs made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

from gnomon import __version__
from gnomon.base import InputError, Name, new_ulid
from gnomon.capture.cdns import is_cdns, read_cdns
from gnomon.capture.cdns_writer import write_cdns
from gnomon.capture.dnstap import is_dnstap, read_dnstap, write_dnstap
from gnomon.capture.heard import Heard, Skipped, exactly, open_capture
from gnomon.capture.pcap import is_pcap, read_pcap, write_pcap
from gnomon.capture.transactions import exchanges_of, messages_of
from gnomon.evidence import EvidenceDir, Exchange, Plan, RunInfo, Tool, ZoneSource
from gnomon.evidence.subject import ZONE

WRITERS: dict[str, Callable[[BinaryIO, Iterable[Exchange]], int]] = {
    "pcap": lambda file, exchanges: write_pcap(file, messages_of(exchanges)),
    "dnstap": lambda file, exchanges: write_dnstap(file, exchanges, __version__),
    "cdns": lambda file, exchanges: write_cdns(file, exchanges, __version__),
}
"""By format; each takes a file open for writing and recorded exchanges, and returns how many it wrote."""

_FLUSH_ROWS = 50_000


def format_of(path: Path) -> str:
    """The format of a capture: pcap (also pcapng), dnstap or cdns.

    Raises:
        InputError: none of them, or it cannot be read.
    """
    with open_capture(path) as file:
        head = exactly(file, 7)
    for name, is_one in (("pcap", is_pcap(head[:4])), ("cdns", is_cdns(head)), ("dnstap", is_dnstap(head))):
        if is_one:
            return name
    raise InputError(f"{path} is no capture that Gnomon knows: it reads pcap, pcapng, dnstap and C-DNS")


def read_capture(path: Path, vantage: str, skipped: Skipped) -> Iterator[Exchange]:
    """The exchanges of a capture; `skipped` counts what gave none.

    Raises:
        InputError: no capture, or damaged; what came before was given.
    """
    kind = format_of(path)
    if kind != "dnstap":
        yield from exchanges_of(
            read_pcap(path, skipped) if kind == "pcap" else read_cdns(path, skipped), vantage, skipped
        )
        return
    heard: list[Heard] = []
    for found in read_dnstap(path, skipped):
        if isinstance(found, Exchange):
            yield found
        else:
            heard.append(found)
    yield from exchanges_of(heard, vantage, skipped)


def import_capture(path: Path, evidence: Path, vantage: str, skipped: Skipped) -> int:
    """Make a run of the exchanges of a capture in a new directory; returns how many. It can be cited and verified.

    Raises:
        InputError: no capture, without any exchange, or damaged; or the directory cannot be used.
        RetryLater: no space left.
    """
    zones = {x.subject for x in read_capture(path, vantage, Skipped()) if x.subject.startswith(ZONE)}
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    now = datetime.now(UTC)
    run = RunInfo(
        run_id=new_ulid(int(now.timestamp() * 1000)),
        tool=Tool("gnomon", __version__),
        started_at=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        vantage=vantage,
        source=ZoneSource(format_of(path), path.name, None, digest, len(zones)),
        plan=Plan("0" * 64, ()),
        limits={},
        hints={},
        trust_anchors=(),
        undelegated={},
    )
    names = [Name.from_text(zone.removeprefix(ZONE)) for zone in sorted(zones)]
    count = 0
    with EvidenceDir.create(evidence, run, names).writer() as writer:
        for exchange in read_capture(path, vantage, skipped):
            writer.add(exchange)
            count += 1
            if writer.ready_rows >= _FLUSH_ROWS:
                writer.flush()
        for name in names:
            writer.finish_zone(name)
    return count
