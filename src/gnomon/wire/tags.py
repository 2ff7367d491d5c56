"""Policies in TXT records that are lists of `tag=value;`: DMARC, MTA-STS, TLS-RPT (RFC 6376 section 3.2 and kin)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from gnomon.base import InputError, Name

_MAILTO = "mailto:"
_SPACE = " \t"

TagList = tuple[tuple[str, str], ...]


def joined(texts: Iterable[tuple[bytes, ...]]) -> tuple[str, ...]:
    """TXT records as texts, their strings put together, sorted; octets outside ASCII are kept as that character."""
    return tuple(sorted(b"".join(strings).decode("latin-1") for strings in texts))


def policies(texts: Iterable[tuple[bytes, ...]], version: str) -> tuple[str, ...]:
    """The texts that are a policy of that version: its tag comes first, its value is compared exactly."""
    begins = _beginning(version)
    return tuple(text for text in joined(texts) if begins.match(text))


@cache
def _beginning(version: str) -> re.Pattern[str]:
    return re.compile(rf"v[ \t]*=[ \t]*{re.escape(version)}[ \t]*(?:;|$)")


def read(policy: str) -> TagList | None:
    """The tags in order, their names in lower case; None if it is no list of tags. One `;` may end it."""
    parts = policy.split(";")
    if not parts[-1].strip(_SPACE):
        parts.pop()
    tags: list[tuple[str, str]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        name, value = name.strip(_SPACE), value.strip(_SPACE)
        plain = name.replace("_", "").isalnum() and name[0].isalpha() and name.isascii()
        if not equals or not plain or not value.isascii() or not value.replace("\t", "").isprintable():
            return None
        tags.append((name.lower(), value))
    return tuple(tags) or None


def mail_domains(value: str) -> tuple[Name, ...]:
    """The domains of the `mailto:` addresses in a list of URIs, in order, each once."""
    domains: dict[Name, None] = {}
    for uri in value.split(","):
        scheme, address = uri.strip()[: len(_MAILTO)], uri.strip()[len(_MAILTO) :]
        domain = re.split("[?!]", address, maxsplit=1)[0].rpartition("@")[2]
        if scheme.lower() == _MAILTO and domain.replace(".", "").replace("-", "").isalnum() and domain.isascii():
            try:
                domains[Name.from_text(domain)] = None
            except InputError:
                continue
    return tuple(domains)
