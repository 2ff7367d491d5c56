"""Who operates a name server, told by its name: the registrable domain above it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.base import Name

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


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
    domain = _suffixes_below(text.rpartition(".")[2]).privatesuffix(text) if text else None
    if domain is None:
        return name
    for _ in range(len(labels) - domain.count(".") - 1):
        name = name.parent()
    return name


@cache
def _suffixes_below(top: str) -> PublicSuffixList:
    """The rules for names below one top-level domain; to read those of all takes as long as to judge two zones."""
    from publicsuffixlist import PublicSuffixList

    try:
        shown = top.encode("ascii").decode("idna")
    except UnicodeError:
        shown = top
    return PublicSuffixList([rule for of in dict.fromkeys((top, shown)) for rule in icann_rules().get(of, ())])


@cache
def icann_rules() -> Mapping[str, Sequence[str]]:
    """The rules of the packaged list's ICANN section by their last label, which is the top-level domain."""
    text = public_suffix_list().decode("utf-8")
    icann = text.partition("===BEGIN ICANN DOMAINS===")[2].partition("===END ICANN DOMAINS===")[0]
    rules: dict[str, list[str]] = defaultdict(list)
    for line in icann.splitlines():
        if line and not line.startswith("//"):
            rule = line.split(None, 1)[0]
            rules[rule.rpartition(".")[2]].append(rule)
    return dict(rules)


def public_suffix_list() -> bytes:
    """The packaged Public Suffix List."""
    from publicsuffixlist import PSLFILE

    return Path(PSLFILE).read_bytes()
