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
    name = Name(server_name.key)
    labels = name.labels
    # The list knows plain labels only; any other, which may even hold a dot, is nobody's suffix.
    text = ".".join(label.decode() if label.replace(b"-", b"").isalnum() else "_" for label in labels)
    domain = _public_suffixes().privatesuffix(text) if text else None
    if domain is None:
        return name
    for _ in range(len(labels) - domain.count(".") - 1):
        name = name.parent()
    return name


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)
