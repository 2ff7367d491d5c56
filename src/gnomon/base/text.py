"""Printing text that came from the network: nothing a terminal, a page or a log would act on gets through."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    r"""`text` with control, format (bidi), surrogate and separator characters written as \xNN or \uNNNN.

    Newlines and tabs are escaped too: one value stays on one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(ch) if unicodedata.category(ch) in _UNSAFE else ch for ch in text)


def printable_bytes(octets: bytes) -> str:
    r"""ASCII text as it is, every other octet as \DDD (the zone file convention, RFC 1035 section 5.1)."""
    return "".join(chr(c) if 32 <= c <= 126 and c != 92 else ("\\\\" if c == 92 else f"\\{c:03d}") for c in octets)


_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _escape(ch: str) -> str:
    point = ord(ch)
    return f"\\x{point:02x}" if point < 256 else f"\\u{point:04x}" if point < 65536 else f"\\U{point:08x}"
