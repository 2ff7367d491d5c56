"""The words in which everything is judged: five properties and eight levels."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Property(StrEnum):
    """What a check speaks about; the first property of a check is the one it is reported under."""

    SEC = "security"
    STA = "stability"
    REL = "reliability"
    RES = "resiliency"
    IOP = "interoperability"


class Level(IntEnum):
    """How bad an outcome is. The numbers order the levels; only their names are stored."""

    NOT_APPLICABLE = 0
    UNKNOWN = 1
    PASS = 2
    INFO = 3
    NOTICE = 4
    WARNING = 5
    ERROR = 6
    CRITICAL = 7

    @property
    def word(self) -> str:
        """The level in lower case with a hyphen, as it is written in profiles, files and output."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def from_word(cls, word: str) -> Level:
        """The level of that word.

        Raises:
            KeyError: no such level.
        """
        return cls[word.upper().replace("-", "_")]
