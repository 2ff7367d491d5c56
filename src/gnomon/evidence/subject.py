"""The subjects of exchanges as text; see `Exchange` for what each kind means."""

from __future__ import annotations

from functools import lru_cache

from gnomon.base import Address, Name

ZONE = "zone "
# In the order of the text, all shared kinds come before `zone`: a segment begins with its shared rows.
SHARED = ("cut ", "name ", "server ")


def zone_subject(zone: Name) -> str:
    return ZONE + zone_text(zone)


def server_subject(address: Address) -> str:
    return f"server {address}"


def name_subject(server_name: Name) -> str:
    return f"name {zone_text(server_name)}"


def cut_subject(zone: Name) -> str:
    return f"cut {zone_text(zone)}"


@lru_cache(maxsize=1 << 16)
def zone_text(zone: Name) -> str:
    """A name in lower case with final dot, as subjects, manifests and zones.txt have it."""
    return str(Name(zone.key))
