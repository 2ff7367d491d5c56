"""A claim: the verdicts on one zone with all evidence that they rest on and its proofs, in one file.

Whoever has the file can check the proofs and judge again, without a network and without the rest of the run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gnomon import __version__
from gnomon.base import InputError, Name, printable
from gnomon.evidence import EvidenceDir, RunInfo
from gnomon.evidence.excerpt import SegmentExcerpt, excerpt
from gnomon.evidence.fields import Fields
from gnomon.evidence.log import Document
from gnomon.evidence.logged import receipt_problem
from gnomon.evidence.note import VerifierKey
from gnomon.evidence.sealed import seal, unseal
from gnomon.evidence.subject import zone_text
from gnomon.judge import store
from gnomon.judge.store import Made, StoredRoutes
from gnomon.judge.verdict import Verdict
from gnomon.judge.views import ViewMaker, view_from
from gnomon.judge.zone import judge_zone

KIND = "gnomon-claim"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said about a zone (`verdicts`), what it was judged with (`made`), and what was recorded (`segments`)."""

    zone: Name
    run: RunInfo
    made: Made
    segments: tuple[SegmentExcerpt, ...]
    verdicts: tuple[Verdict, ...]

    def to_octets(self) -> bytes:
        """The file's content; docs/formats/claim.md is the specification."""
        return seal(
            {
                "schema_version": SCHEMA_VERSION,
                "kind": KIND,
                "zone": zone_text(self.zone),
                "run": self.run.to_octets().decode(),
                "made": store.made_to_octets(self.made).decode(),
                "segments": [segment.to_json() for segment in self.segments],
                "verdicts": [verdict.row for verdict in self.verdicts],
            }
        )

    @classmethod
    def from_octets(cls, octets: bytes, where: str) -> Claim:
        """Read a claim; `where` names it in messages.

        Raises:
            InputError: no claim, damaged, or of a version that this Gnomon does not know.
        """
        fields = Fields(unseal(octets, where), where)
        version, kind = fields.count("schema_version"), fields.text("kind")
        if (version, kind) != (SCHEMA_VERSION, KIND):
            found = f"{printable(kind)} of version {version}"
            raise InputError(f"{where} is {found}; this Gnomon reads {KIND} of version {SCHEMA_VERSION}")
        try:
            made = store.made_from_octets(fields.text("made").encode())
            zone = Name.from_text(fields.text("zone"))
            verdicts = tuple(Verdict.from_row(row) for row in fields.texts("verdicts"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{where} is damaged ({error}); ask for it again") from None
        run = RunInfo.from_octets(fields.text("run").encode(), f"the run in {where}")
        segments = tuple(SegmentExcerpt.from_json(inner, where) for inner in fields.list("segments"))
        fields.end()
        return cls(zone, run, made, segments, verdicts)


@dataclass(frozen=True, slots=True)
class ClaimReport:
    """What checking a claim came to.

    `problems` say what is not proven. `missing` verdicts are claimed and were not found when judging again, `more`
    were found and are not claimed; with another `code_version` that can be a changed rule. `logged` of `segments`
    have a sound receipt of a log, signed by the key if one was given.
    """

    claim: Claim
    problems: tuple[str, ...]
    exchanges: int
    segments: int
    logged: int
    missing: tuple[Verdict, ...]
    more: tuple[Verdict, ...]
    code_version: str = __version__

    @property
    def holds(self) -> bool:
        return not (self.problems or self.missing or self.more)


def make_claim(evidence_dir: Path, zone: Name, profile: str = "default") -> Claim:
    """The claim about one judged zone of a run.

    Raises:
        InputError: the zone is not in the run, or the run was not judged with that profile, or is damaged.
    """
    evidence, made, text = EvidenceDir.open(evidence_dir), store.read_made(evidence_dir, profile), zone_text(zone)
    verdicts = tuple(v for v in store.verdicts(evidence_dir, profile) if v.zone == text)
    view = ViewMaker(evidence, made.routing, made.profile.zone_class).view_of(zone)
    if view is None or not verdicts:
        raise InputError(f"{evidence_dir} has no verdicts on the zone {text}")
    if made.routing is not None:
        known = {address: made.routing.route(address) for address in view.addresses}
        made = replace(made, routing=StoredRoutes(known, made.routing.provenance))
    return Claim(zone, evidence.run, made, excerpt(evidence, view.exchanges), verdicts)


def check_claim(claim: Claim, key: VerifierKey | None = None) -> ClaimReport:
    """Check every proof of a claim, then judge its evidence again.

    Args:
        key: of the log whose receipts must cover the run and every segment; None: receipts are checked if there are.
    """
    problems = [problem for segment in claim.segments for problem in segment.problems()]
    logged = 0
    for segment in claim.segments:
        if segment.manifest.run_id != claim.run.run_id:
            problems.append(f"{segment.manifest.file} is of another run, {segment.manifest.run_id}")
        problem = _receipt_problem(segment, key)
        if problem is not None:
            problems.append(problem)
        logged += segment.receipt is not None and problem is None
    exchanges = [exchange for segment in claim.segments for exchange in segment.exchanges()]
    view = view_from(claim.run, claim.zone, exchanges, claim.made.routing, claim.made.profile.zone_class(claim.zone))
    now = judge_zone(view, claim.made.profile, claim.made.only)
    rows, claimed = {v.row for v in now}, {v.row for v in claim.verdicts}
    return ClaimReport(
        claim,
        tuple(problems),
        len(exchanges),
        len(claim.segments),
        logged,
        tuple(v for v in claim.verdicts if v.row not in rows),
        tuple(v for v in now if v.row not in claimed),
    )


def _receipt_problem(segment: SegmentExcerpt, key: VerifierKey | None) -> str | None:
    name = f"manifests/{segment.manifest.name}"
    if segment.receipt is None:
        return None if key is None else f"{name} comes without a receipt of {key.name}"
    document = Document(segment.manifest.run_id, name, segment.manifest.sha256())
    return receipt_problem(segment.receipt, f"the receipt of {name}", document, key)
