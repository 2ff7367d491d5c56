"""Recorded exchanges with proofs."""

from gnomon.evidence.exchange import EvidenceRef, Exchange

__all__ = ["EvidenceRef", "Exchange"]
