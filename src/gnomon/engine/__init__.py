"""Sending queries within limits. `NetworkEngine` is the real one; the lab has one without sockets."""

from gnomon._core import Attempts
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
)  # fmt: skip

__all__ = [
    "ASSESS_LIMITS", "LAB_LIMITS", "SURVEY_LIMITS", "Attempt", "Attempts", "Engine", "Limits", "Mismatch",
    "NetworkEngine", "OptOut", "Query", "Status",
]  # fmt: skip
