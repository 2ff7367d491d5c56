"""What other tools call our outcomes, to import and compare their reports. Format: `peers/README.md`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import tomli

PEERS = {"zonemaster": "Zonemaster", "dnsviz": "DNSViz", "internetnl": "Internet.nl"}
"""The peers by the name of their folder, with their own name. A folder that is not there has no messages."""


@dataclass(frozen=True, slots=True)
class PeerTag:
    """One message of a peer: the test case (or group of tests) it belongs to, its tag, the peer's own word for it."""

    testcase: str
    tag: str
    level: str


@lru_cache(maxsize=8)
def load_peers(peer: str) -> dict[str, tuple[PeerTag, ...]]:
    """Our full codes (`check-id/condition`) to the peer's messages, in order of code."""
    tags: dict[str, tuple[PeerTag, ...]] = {}
    folder = Path(__file__).parent / "peers" / peer
    for file in sorted(folder.iterdir() if folder.is_dir() else (), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for code, entries in tomli.loads(file.read_text(encoding="utf-8"))["tags"].items():
                tags[code] = (*tags.get(code, ()), *(PeerTag(**entry) for entry in entries))
    return dict(sorted(tags.items()))


def tags_of(code: str) -> dict[str, tuple[PeerTag, ...]]:
    """What the peers that know the same outcome call one of our full codes, by peer; peers without are left out."""
    found = {peer: load_peers(peer).get(code, ()) for peer in PEERS}
    return {peer: tags for peer, tags in found.items() if tags}
