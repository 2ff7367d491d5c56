"""What every template can use."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.http import HttpRequest

from gnomon import __version__


def workspace(request: HttpRequest) -> dict[str, object]:
    """The version, which part of the main navigation this is, and the style sheet's address with its digest."""
    first = request.path.split("/")[1]
    section = _SECTIONS.get(first, "")
    return {"version": __version__, "section": section, "style": f"/static/gnomon.css?{_style_digest()}"}


_SECTIONS = {"": "reviews", "r": "reviews", "zones": "zones", "zone": "zones", "verdict": "zones", "run": "zones",
             "packet": "zones", "checks": "checks", "check": "checks"}  # fmt: skip


@cache
def _style_digest() -> str:
    return hashlib.sha256((Path(__file__).parent / "static" / "gnomon.css").read_bytes()).hexdigest()[:12]
