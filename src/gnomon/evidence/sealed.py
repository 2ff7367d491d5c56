"""JSON documents that carry their own digest, so that any changed octet is noticed.

A sealed document is one object in exactly one text form (keys sorted, one-space indent, UTF-8, final newline);
its key `sha256` holds the SHA-256 of the same text with that key left out.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from gnomon.base import InputError

_DIGEST = "sha256"


def seal(document: dict[str, Any]) -> bytes:
    """The text of `document` with its digest added."""
    members = _members(document)
    members[_DIGEST] = _members({_DIGEST: sha256(_text(members)).hexdigest()})[_DIGEST]
    return _text(members)


def unseal(octets: bytes, where: object) -> dict[str, Any]:
    """The document without its digest.

    Args:
        where: the file's name, for the message.

    Raises:
        InputError: not JSON, or changed after it was written.
    """
    try:
        document = json.loads(octets)
    except (ValueError, RecursionError):
        raise InputError(f"{where} is damaged: it is not JSON; restore it from a copy") from None
    if not isinstance(document, dict) or not isinstance(document.get(_DIGEST), str):
        raise InputError(f"{where} is damaged: it has no digest of itself; restore it from a copy")
    del document[_DIGEST]
    try:
        unchanged = octets == seal(document)
    except (ValueError, RecursionError):
        unchanged = False
    if not unchanged:
        raise InputError(f"{where} was changed after it was written: its digest differs; restore it from a copy")
    return document


def _members(document: dict[str, Any]) -> dict[str, str]:
    """The text of each member, as `json.dumps` with an indent of 1 gives it but lists of words quickly."""
    members = {}
    for key, value in document.items():
        if isinstance(value, list | tuple) and value and all(isinstance(word, str) for word in value):
            words = json.dumps(value, ensure_ascii=False, separators=(",\n  ", ": "))
            text = f"[\n  {words[1:-1]}\n ]"
        else:
            # A line end in a string is written as an escape: these are all of the layout.
            text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
            text = text.replace("\n", "\n ")
        members[key] = f"{json.dumps(key, ensure_ascii=False)}: {text}"
    return members


def _text(members: dict[str, str]) -> bytes:
    joined = ",\n ".join(members[key] for key in sorted(members))
    return (f"{{\n {joined}\n}}" if members else "{}").encode() + b"\n"
