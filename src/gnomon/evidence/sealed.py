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
    return _text({**document, _DIGEST: sha256(_text(document)).hexdigest()})


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
    digest = document.pop(_DIGEST)
    try:
        unchanged = digest == sha256(_text(document)).hexdigest() and octets == seal(document)
    except (ValueError, RecursionError):
        unchanged = False
    if not unchanged:
        raise InputError(f"{where} was changed after it was written: its digest differs; restore it from a copy")
    return document


def _text(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return text.encode() + b"\n"
