"""The OPT pseudo-record (RFC 6891 section 6.1)."""

from gnomon._core import Edns

__all__ = ["DO", "Edns"]

DO = 0x8000
