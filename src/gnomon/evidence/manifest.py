"""A manifest makes a segment exist: what it holds, its digests, and the manifest before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gnomon.base import InputError, RetryLater
from gnomon.evidence import durable
from gnomon.evidence.fields import Fields
from gnomon.evidence.sealed import seal, unseal

SCHEMA_VERSION = 1
NO_PREVIOUS = "0" * 64


@dataclass(frozen=True, slots=True)
class Manifest:
    """One segment of a run; docs/formats/manifest.md is the specification.

    `sequence` counts from 1. `previous_sha256` is the digest of the manifest file before, 64 zeros in the first:
    a chain in which none can be exchanged or left out. The first `shared_rows` rows belong to shared subjects
    (cut, name, server), the others to zones. `zones` are those finished here, in text form and lower case; all
    exchanges of a finished zone are in this segment. Times are Unix times in ns, None in a segment without rows.
    """

    sequence: int
    run_id: str
    previous_sha256: str
    segment_root: str
    file_sha256: str
    file_size_octets: int
    rows: int
    shared_rows: int
    zones: tuple[str, ...]
    first_sent_at_ns: int | None
    last_sent_at_ns: int | None

    @property
    def name(self) -> str:
        """The manifest's file name."""
        return f"{self.sequence:06d}.json"

    @property
    def file(self) -> str:
        """The segment's path inside the evidence directory."""
        return f"segments/{self.segment_root}.parquet"

    def to_octets(self) -> bytes:
        """The file's content."""
        return seal(
            {
                "schema_version": SCHEMA_VERSION,
                "sequence": self.sequence,
                "run_id": self.run_id,
                "previous_sha256": self.previous_sha256,
                "segment_root": self.segment_root,
                "file": self.file,
                "file_sha256": self.file_sha256,
                "file_size_octets": self.file_size_octets,
                "rows": self.rows,
                "shared_rows": self.shared_rows,
                "zones": list(self.zones),
                "first_sent_at_ns": self.first_sent_at_ns,
                "last_sent_at_ns": self.last_sent_at_ns,
            }
        )

    @classmethod
    def from_octets(cls, octets: bytes, where: str) -> Manifest:
        """Read a manifest file; `where` names it in messages.

        Raises:
            InputError: damaged, changed, or of a version that this Gnomon does not know.
        """
        fields = Fields(unseal(octets, where), where)
        version = fields.count("schema_version")
        if version != SCHEMA_VERSION:
            raise InputError(f"{where} has schema version {version}; this Gnomon reads version {SCHEMA_VERSION}")
        manifest = cls(
            sequence=fields.count("sequence"),
            run_id=fields.text("run_id"),
            previous_sha256=fields.digest("previous_sha256"),
            segment_root=fields.digest("segment_root"),
            file_sha256=fields.digest("file_sha256"),
            file_size_octets=fields.count("file_size_octets"),
            rows=fields.count("rows"),
            shared_rows=fields.count("shared_rows"),
            zones=fields.texts("zones"),
            first_sent_at_ns=fields.optional("first_sent_at_ns", fields.count),
            last_sent_at_ns=fields.optional("last_sent_at_ns", fields.count),
        )
        if fields.text("file") != manifest.file:
            raise InputError(f"{where} names a file that is not its segment's: {manifest.file} is")
        if manifest.shared_rows > manifest.rows:
            raise InputError(f"{where} claims {manifest.shared_rows} shared rows of {manifest.rows}")
        fields.end()
        return manifest

    def sha256(self) -> str:
        """The digest of the manifest's file, which the next manifest carries."""
        return sha256(self.to_octets()).hexdigest()


def read_manifests(path: Path, run_id: str | None) -> Iterator[Manifest | InputError | RetryLater]:
    """The manifests of an evidence directory in their sequence, and an error wherever the chain is broken.

    A manifest that can be read is yielded also after an error about its place. `run_id` None: not compared.
    """
    expected, before = 1, NO_PREVIOUS
    for file in sorted((path / "manifests").glob("*.json")):
        try:
            octets = durable.read(file)
            manifest = Manifest.from_octets(octets, str(file))
        except (InputError, RetryLater) as error:
            yield error
            expected, before = expected + 1, ""
            continue
        if file.name != manifest.name:
            yield InputError(f"{file} holds manifest {manifest.sequence}: files were renamed; restore their names")
        elif manifest.sequence != expected:
            yield InputError(f"{path / 'manifests'} lacks manifest {expected:06d}.json; restore it from a copy")
        elif before and manifest.previous_sha256 != before:
            yield InputError(f"{file} does not follow the manifest before it; restore both from a copy")
        if run_id is not None and manifest.run_id != run_id:
            yield InputError(f"{file} is of another run, {manifest.run_id!r}; remove it")
        yield manifest
        expected, before = manifest.sequence + 1, sha256(octets).hexdigest()


def all_manifests(path: Path, run_id: str) -> tuple[Manifest, ...]:
    """The manifests of a run in their sequence.

    Raises:
        InputError, RetryLater: one is damaged, missing or cannot be read.
    """
    manifests: list[Manifest] = []
    for item in read_manifests(path, run_id):
        if not isinstance(item, Manifest):
            raise item
        manifests.append(item)
    return tuple(manifests)
