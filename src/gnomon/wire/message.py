"""The message: a typed view of octets from anyone."""

from __future__ import annotations

from typing import Literal

from gnomon._core import Malformed, Message, asked_in, different_records, parsed, rrsets_in

__all__ = ["SECTIONS", "Malformed", "Message", "Section", "asked_in", "different_records", "parsed", "rrsets_in"]

Section = Literal["answer", "authority", "additional"]
SECTIONS: tuple[Section, ...] = ("answer", "authority", "additional")
