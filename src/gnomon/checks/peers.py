"""What other tools call our outcomes, to import and compare their reports. Format: `peers/README.md`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class PeerTag:
    """One message of a peer: the test case it belongs to, its tag, the peer's default level."""

    testcase: str
    tag: str
    level: str


@lru_cache(maxsize=8)
def load_peers(peer: str) -> dict[str, tuple[PeerTag, ...]]:
    """Our full codes (`check-id/condition`) to the peer's messages, in order of code."""
    tags: dict[str, tuple[PeerTag, ...]] = {}
    folder = resources.files("gnomon.checks") / "peers" / peer
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for code, entries in tomllib.loads(file.read_text(encoding="utf-8"))["tags"].items():
                tags[code] = (*tags.get(code, ()), *(PeerTag(**entry) for entry in entries))
    return dict(sorted(tags.items()))
