"""Recorded exchanges with proofs."""

from gnomon.evidence.directory import EvidenceDir, ZonePartition
from gnomon.evidence.exchange import EvidenceRef, Exchange
from gnomon.evidence.manifest import Manifest
from gnomon.evidence.run import Plan, RunInfo, Tool, Undelegated, ZoneSource
from gnomon.evidence.subject import cut_subject, name_subject, server_subject, zone_subject
from gnomon.evidence.writer import SegmentWriter

__all__ = [
    "EvidenceDir", "EvidenceRef", "Exchange", "Manifest", "Plan", "RunInfo", "SegmentWriter", "Tool",
    "Undelegated", "ZonePartition", "ZoneSource", "cut_subject", "name_subject", "server_subject", "zone_subject",
]  # fmt: skip
