"""Records of a master file (RFC 1035 section 5), as a stream in the order of the file.

Lines that hold one whole record with absolute owner and TTL, as zone dumps do, are read by a fast path; all else
goes record by record through dnspython. `$INCLUDE` and `$GENERATE` are refused: a file speaks for itself only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, NamedTuple

from gnomon.base import InputError, Name, RRType
from gnomon.base.codes import AAAA, DS, NS, A
from gnomon.sources.files import at_line, lines

if TYPE_CHECKING:
    from gnomon.sources.general import General

# A record spread over more lines than this is a file gone wrong.
_RECORD_LINES_MAX = 10_000
_TTL_S_MAX = (1 << 31) - 1  # RFC 2181 section 8


class Record(NamedTuple):
    """One record of class IN and the number of the line where it ends."""

    line: int
    owner: Name
    rtype: RRType
    ttl_s: int
    rdata: bytes


def read_records(
    path: Path, origin: Name | None, types: Collection[RRType], *, ttl_s: int | None = None
) -> Iterator[Record]:
    """The records of `types` in a plain or gzip master file.

    Records of other types are checked only where they are not on a plain line of their own.

    Args:
        origin: what relative names are relative to before the first $ORIGIN; None where there is no such name.
        ttl_s: the TTL of records that have none and no $TTL before them.

    Raises:
        InputError: unreadable, or bad syntax ("file, line N: reason").
    """
    fast = {str(rtype): (rtype, _PLAIN[rtype]) for rtype in types if rtype in _PLAIN}
    skip = frozenset(_SIGNED_NOISE.difference(map(str, types)))
    general: General | None = None
    before: tuple[str, int] | None = None  # owner and TTL of a plain line that the general reader has not heard of
    chunk: list[str] = []
    depth = first = 0
    for number, line in lines(path):
        if not chunk:
            # A $TTL, which only the general reader follows, comes before the default.
            fields = _fields(line, ttl_s if general is None else None)
            if fields is None:
                continue
            if fields:
                owner, ttl_text, rtype_text, rdata_text = fields
                if rtype_text in skip:
                    before = owner, int(ttl_text)
                    continue
                if rtype_text in fast:
                    rtype, convert = fast[rtype_text]
                    try:
                        rdata = convert(rdata_text)
                        if rdata is not None:
                            before = owner, int(ttl_text)
                            yield Record(number, _name(owner), rtype, int(ttl_text), rdata)
                            continue
                    except (InputError, ValueError, OSError) as error:
                        raise at_line(path, number, f"bad {rtype_text} record: {error}") from None
            first = number
        chunk.append(line)
        depth += _depth(line)
        if depth <= 0:
            if general is None:
                from gnomon.sources.general import General  # dnspython is large, and most files have plain lines only

                general = General(path, origin, ttl_s)
            if before is not None:
                general.remember(*before)
                before = None
            for record in general.read("\n".join(chunk) + "\n", first):
                if record.rtype in types:
                    yield record
            chunk, depth = [], 0
        elif len(chunk) > _RECORD_LINES_MAX:
            raise at_line(path, first, "a parenthesis is opened here and not closed for thousands of lines")
    if chunk:
        raise at_line(path, first, "a parenthesis is opened here and never closed")


def _fields(line: str, ttl_s: int | None) -> tuple[str, str, str, str] | tuple[()] | None:
    """Owner, TTL (or the one given), type and data of a line with one plain record; () of any other, None if empty."""
    fields = line.split(None, 4)
    if not fields or line[0] == ";":
        return None
    if len(fields) > 3 and fields[2].upper() != "IN":
        owner, ttl_text, rtype_text, rdata_text = line.split(None, 3)
    elif len(fields) == 5:
        owner, ttl_text, _, rtype_text, rdata_text = fields
    else:
        return ()
    if ttl_s is not None and ttl_text.upper() == "IN":
        ttl_text = str(ttl_s)
    if owner[-1] != "." or not ttl_text.isdecimal() or int(ttl_text) > _TTL_S_MAX or _NOT_PLAIN.search(line):
        return ()
    return owner, ttl_text, rtype_text.upper(), rdata_text


def _depth(line: str) -> int:
    """Parentheses opened less those closed in a line, outside quotes, escapes and comments."""
    if "(" not in line and ")" not in line:
        return 0
    bare = _NOT_PARENTHESES.sub("", line)
    return bare.count("(") - bare.count(")")


def _ns(text: str) -> bytes | None:
    text = text.rstrip()
    return _name(text).wire if text[-1] == "." and not _SPACE.search(text) else None


def _a(text: str) -> bytes:
    return inet_pton(AF_INET, text.rstrip())


def _aaaa(text: str) -> bytes:
    return inet_pton(AF_INET6, text.rstrip())


def _ds(text: str) -> bytes | None:
    fields = text.split()
    if len(fields) < 4 or not (fields[0].isdecimal() and fields[1].isdecimal() and fields[2].isdecimal()):
        return None
    try:
        return struct.pack("!HBB", *map(int, fields[:3])) + bytes.fromhex("".join(fields[3:]))
    except struct.error:
        raise ValueError("key tag, algorithm or digest type out of range") from None


@lru_cache(maxsize=1 << 16)
def _name(text: str) -> Name:
    return Name.from_text(text)


# Each takes the rdata of one plain line; None leaves the line to dnspython.
_PLAIN: dict[RRType, Callable[[str], bytes | None]] = {NS: _ns, DS: _ds, A: _a, AAAA: _aaaa}
# What a signed zone has most of.
_SIGNED_NOISE = {"RRSIG", "NSEC", "NSEC3"}
_NOT_PLAIN = re.compile(r'[()";\\$@]|^\s|[^\x09\x20-\x7e]')
_NOT_PARENTHESES = re.compile(r'\\.|"(?:\\.|[^"\\])*"|;.*')
_SPACE = re.compile(r"\s")
