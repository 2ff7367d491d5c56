"""Who operates a name server, told by its name: the registrable domain above it."""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from gnomon.base import Name


@lru_cache(maxsize=1 << 16)
def operator_key(server_name: Name) -> Name:
    """The registrable domain of a name server's name: its public suffix (ICANN section of the list) and one label.

    A name that is a public suffix itself is its own operator. Two operators may hide behind one domain, and one
    behind several: this is a key to group by, not a proof.
    """
    text = str(Name(server_name.key)).removesuffix(".")
    domain = _public_suffixes().privatesuffix(text) if text else None
    if domain is None:
        return Name(server_name.key)
    labels_below = text.count(".") - domain.count(".")
    name = Name(server_name.key)
    # A dot inside a label is written "\." and counted alike on both sides.
    for _ in range(labels_below):
        name = name.parent()
    return name


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)
