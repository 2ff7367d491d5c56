"""Recorded exchanges with proofs."""

from gnomon.evidence.directory import EvidenceDir, ZonePartition
from gnomon.evidence.exchange import EvidenceRef, Exchange
from gnomon.evidence.manifest import Manifest
from gnomon.evidence.run import Plan, RunInfo, Tool, Undelegated, ZoneSource
from gnomon.evidence.subject import cut_subject, name_subject, server_subject, zone_subject
from gnomon.evidence.verify import Problem, VerifyReport, verify
from gnomon.evidence.writer import SegmentWriter

__all__ = [
    "EvidenceDir", "EvidenceRef", "Exchange", "Manifest", "Plan", "Problem", "RunInfo", "SegmentWriter", "Tool",
    "Undelegated", "VerifyReport", "ZonePartition", "ZoneSource", "cut_subject", "name_subject", "server_subject",
    "verify", "zone_subject",
]  # fmt: skip
