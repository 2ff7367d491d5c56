"""Some rows of a run with the proofs that they are its rows: evidence that travels without the rest of the run."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Self

from gnomon.base import Broken, InputError, Name, Transport, parse_address
from gnomon.engine import Status
from gnomon.evidence import durable
from gnomon.evidence.directory import EvidenceDir
from gnomon.evidence.exchange import EvidenceRef, Exchange
from gnomon.evidence.fields import Fields
from gnomon.evidence.logged import RECEIPTS
from gnomon.evidence.manifest import Manifest
from gnomon.evidence.proof import HASH_OCTETS, range_path, root_of_range
from gnomon.evidence.receipt import RECEIPT_SUFFIX
from gnomon.evidence.row import leaf_hashes


@dataclass(frozen=True, slots=True)
class Rows:
    """Neighbouring rows of a segment from row `first` on, and the hashes of the subtrees beside them."""

    first: int
    exchanges: tuple[Exchange, ...]
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SegmentExcerpt:
    """Rows of one segment, its manifest, and a log's receipt of that manifest (None: not in a log)."""

    manifest: Manifest
    receipt: bytes | None
    rows: tuple[Rows, ...]

    def problems(self) -> Iterator[str]:
        """What shows that these are not the rows that the manifest stands for."""
        for part in self.rows:
            last = part.first + len(part.exchanges) - 1
            try:
                leaves = leaf_hashes(part.exchanges)
                root = root_of_range(leaves, part.first, self.manifest.rows, part.path)
            except (ValueError, OverflowError, TypeError) as error:
                yield f"rows {part.first} to {last} of {self.manifest.file}: {error}"
                continue
            if root.hex() != self.manifest.segment_root:
                yield f"rows {part.first} to {last} of {self.manifest.file} are not those that were recorded"

    def exchanges(self) -> Iterator[Exchange]:
        """The rows with their references."""
        for part in self.rows:
            for row, exchange in enumerate(part.exchanges, part.first):
                yield replace(exchange, ref=EvidenceRef(f"{self.manifest.segment_root}:{row}"))

    def to_json(self) -> dict[str, Any]:
        return {
            "manifest": self.manifest.to_octets().decode(),
            "receipt": self.receipt and self.receipt.decode(),
            "rows": [
                {
                    "first": part.first,
                    "exchanges": [_to_json(exchange) for exchange in part.exchanges],
                    "path": [one.hex() for one in part.path],
                }
                for part in self.rows
            ],
        }

    @classmethod
    def from_json(cls, fields: Fields, where: str) -> Self:
        """Read what `to_json` gave.

        Raises:
            InputError: a field is missing, unknown or not what it should be.
        """
        manifest = Manifest.from_octets(fields.text("manifest").encode(), f"the manifest in {where}")
        receipt = fields.optional("receipt", fields.text)
        parts = fields.list("rows")
        fields.end()
        return cls(manifest, None if receipt is None else receipt.encode(), tuple(_rows(part, where) for part in parts))


def excerpt(evidence: EvidenceDir, exchanges: Iterable[Exchange]) -> tuple[SegmentExcerpt, ...]:
    """The proofs for recorded exchanges (with references), segment by segment in the order of the manifests.

    Raises:
        InputError: a segment is missing or damaged.
    """
    wanted: dict[str, dict[int, Exchange]] = {}
    for exchange in exchanges:
        if exchange.ref is None:
            raise Broken("an exchange without reference was never recorded")
        wanted.setdefault(exchange.ref.segment, {})[exchange.ref.row] = exchange
    return tuple(
        _segment(evidence, manifest, wanted[manifest.segment_root])
        for manifest in evidence.manifests()
        if manifest.segment_root in wanted
    )


def _segment(evidence: EvidenceDir, manifest: Manifest, wanted: Mapping[int, Exchange]) -> SegmentExcerpt:
    leaves = evidence.leaves(manifest)
    parts = []
    for _, group in groupby(enumerate(sorted(wanted)), key=lambda pair: pair[1] - pair[0]):
        rows = [row for _, row in group]
        path = range_path(leaves, rows[0], rows[-1] + 1)
        parts.append(Rows(rows[0], tuple(wanted[row] for row in rows), tuple(path)))
    receipt = evidence.path / RECEIPTS / f"manifests/{manifest.name}{RECEIPT_SUFFIX}"
    return SegmentExcerpt(manifest, durable.read(receipt) if receipt.is_file() else None, tuple(parts))


def _to_json(x: Exchange) -> dict[str, Any]:
    return {
        "seq": x.seq,
        "subject": x.subject,
        "ask": x.ask,
        "server_name": None if x.server_name is None else str(x.server_name),
        "address": str(x.address),
        "port": x.port,
        "transport": int(x.transport),
        "attempt": x.attempt,
        "sent_at_ns": x.sent_at_ns,
        "rtt_us": x.rtt_us,
        "local_port": x.local_port,
        "status": int(x.status),
        "os_error": x.os_error,
        "query": base64.b64encode(x.query).decode(),
        "response": None if x.response is None else base64.b64encode(x.response).decode(),
        "vantage": x.vantage,
    }


def _rows(fields: Fields, where: str) -> Rows:
    first = fields.count("first")
    exchanges = tuple(_exchange(inner, where) for inner in fields.list("exchanges"))
    try:
        path = tuple(bytes.fromhex(text) for text in fields.texts("path"))
    except ValueError:
        path = (b"",)
    fields.end()
    if not exchanges or any(len(one) != HASH_OCTETS for one in path):
        raise InputError(f"{where} has rows without exchanges or with a damaged proof; restore it from a copy")
    return Rows(first, exchanges, path)


def _exchange(fields: Fields, where: str) -> Exchange:
    try:
        name = fields.optional("server_name", fields.text)
        response = fields.optional("response", fields.text)
        exchange = Exchange(
            seq=fields.count("seq"),
            subject=fields.text("subject"),
            ask=fields.text("ask"),
            server_name=None if name is None else Name.from_text(name),
            address=parse_address(fields.text("address")),
            port=fields.count("port"),
            transport=Transport(fields.count("transport")),
            attempt=fields.count("attempt"),
            sent_at_ns=fields.count("sent_at_ns"),
            rtt_us=fields.optional("rtt_us", fields.count),
            local_port=fields.count("local_port"),
            status=Status(fields.count("status")),
            os_error=fields.count("os_error"),
            query=base64.b64decode(fields.text("query"), validate=True),
            response=None if response is None else base64.b64decode(response, validate=True),
            vantage=fields.text("vantage"),
        )
    except (ValueError, binascii.Error) as error:
        raise InputError(f"{where} holds an exchange that cannot be read: {error}") from None
    fields.end()
    return exchange
