"""Domain names as uncompressed wire octets (RFC 1035 section 3.1), compared case-insensitively (RFC 4343)."""

from __future__ import annotations

from gnomon._core import Name

__all__ = ["ROOT", "Name"]

ROOT = Name(b"\x00")
