"""The message: a typed view of octets from anyone."""

from __future__ import annotations

from typing import Literal

from gnomon._core import Malformed, Message, different_records

__all__ = ["SECTIONS", "Malformed", "Message", "Section", "different_records"]

Section = Literal["answer", "authority", "additional"]
SECTIONS: tuple[Section, ...] = ("answer", "authority", "additional")
