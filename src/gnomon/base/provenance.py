"""Where an input came from, so that whoever reads a result can get the same input."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provenance:
    """A file or packaged data set that was used.

    `origin` is a path, or says which publication was restated; `date` is the day of its content (ISO 8601), None
    if the content does not say; `sha256` is the digest of the file as it was stored, in hexadecimal digits.
    """

    origin: str
    date: str | None
    sha256: str
