"""Sending queries within limits. `open_engine` gives the real one; the lab has one without sockets."""

from gnomon.engine.types import ASSESS_LIMITS, LAB_LIMITS, SURVEY_LIMITS, Attempt, Engine, Limits, Query, Status

__all__ = [
    "ASSESS_LIMITS", "LAB_LIMITS", "SURVEY_LIMITS", "Attempt", "Engine", "Limits", "Query", "Status",
]  # fmt: skip
