"""Sending queries within limits. `NetworkEngine` is the real one; the lab has one without sockets."""

from gnomon._core import Attempts, Queries
from gnomon.engine.network import NetworkEngine
from gnomon.engine.types import (
    ASSESS_LIMITS,
    LAB_LIMITS,
    SURVEY_LIMITS,
    Attempt,
    Engine,
    Limits,
    Mismatch,
    OptOut,
    Query,
    Status,
    address_text,
    take_queries,
)  # fmt: skip

__all__ = [
    "ASSESS_LIMITS", "LAB_LIMITS", "SURVEY_LIMITS", "Attempt", "Attempts", "Engine", "Limits", "Mismatch",
    "NetworkEngine", "OptOut", "Queries", "Query", "Status", "address_text", "take_queries",
]  # fmt: skip
