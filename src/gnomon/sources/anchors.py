"""Trust anchors: DS records of the root (or of another zone) to begin validation with.

Formats: DS or DNSKEY records in presentation form, and IANA's root-anchors.xml (RFC 9718).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from gnomon.base import ROOT, InputError, Name, RRType, printable
from gnomon.base.codes import DNSKEY, DS
from gnomon.base.provenance import Provenance
from gnomon.sources.files import provenance_of, text
from gnomon.sources.masterfile import read_records
from gnomon.wire import dnssec, rdata

_SHA256 = 2


@dataclass(frozen=True, slots=True)
class Anchor:
    """One DS record taken on trust, and the Unix times in s between which it holds (None: no such bound)."""

    owner: Name
    ds: rdata.Ds
    valid_from: int | None = None
    valid_until: int | None = None

    def __str__(self) -> str:
        """Presentation form, as `parse_anchor` reads it."""
        tag, algorithm, digest_type, digest = self.ds
        return f"{self.owner} IN DS {tag} {algorithm} {digest_type} {digest.hex().upper()}"

    def holds_at(self, at: int) -> bool:
        """Whether it holds at a Unix time in s."""
        return (self.valid_from or at) <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """Anchors in the order of their file; not all need hold at the same time."""

    anchors: tuple[Anchor, ...]
    provenance: Provenance

    def at(self, at: int) -> tuple[Anchor, ...]:
        """Those which hold at a Unix time in s."""
        return tuple(anchor for anchor in self.anchors if anchor.holds_at(at))


def read_anchors(path: Path) -> TrustAnchors:
    """Read a file of DS or DNSKEY records, or one in the format of root-anchors.xml; told apart by the content.

    Raises:
        InputError: unreadable, bad syntax, or no anchor in it.
    """
    content = text(path)
    is_xml = content.lstrip().startswith("<")
    anchors = tuple(dict.fromkeys(_from_xml(content, path) if is_xml else _from_records(path)))
    if not anchors:
        raise InputError(f"{path} has no trust anchor in it: it needs DS or DNSKEY records, or KeyDigest elements")
    return TrustAnchors(anchors, provenance_of(path))


def parse_anchor(line: str) -> Anchor:
    """One DS record in presentation form: owner, optional TTL, optional class, DS, four fields.

    Raises:
        InputError: it is none.
    """
    fields = line.split()
    owner, rest = fields[:1], fields[1:]
    while rest and (rest[0].isdecimal() or rest[0].upper() == "IN"):
        rest = rest[1:]
    if len(rest) < 5 or rest[0].upper() != "DS":
        raise InputError(f"{printable(line)!r} is no DS record such as . IN DS 20326 8 2 E06D...")
    return Anchor(Name.from_text(owner[0]), _ds(rest[1], rest[2], rest[3], "".join(rest[4:])))


@cache
def default_anchors() -> TrustAnchors:
    """The root's key-signing keys of 2017 and 2024, as packaged."""
    read = read_anchors(Path(__file__).parent / "data" / "root-anchors.ds")
    origin = "https://data.iana.org/root-anchors/root-anchors.xml as packaged with Gnomon"
    return TrustAnchors(read.anchors, Provenance(origin, "2024-07-18", read.provenance.sha256))


def _from_records(path: Path) -> Iterable[Anchor]:
    types: tuple[RRType, ...] = (DS, DNSKEY)
    for line, owner, rtype, _, octets in read_records(path, ROOT, types, ttl_s=0):
        try:
            if rtype == DS:
                yield Anchor(owner, rdata.ds(octets))
            elif rdata.dnskey(octets).is_sep:
                digest = dnssec.ds_digest(owner, octets, _SHA256)
                assert digest is not None
                key = rdata.dnskey(octets)
                yield Anchor(owner, rdata.Ds(key.key_tag, key.algorithm, _SHA256, digest))
        except rdata.MalformedRdata as error:
            raise InputError(f"{path}, line {line}: {error}") from None


class _Parser:
    """Collects KeyDigest elements; a document type, and with it every entity, is refused."""

    def __init__(self, path: Path) -> None:
        self.anchors: list[Anchor] = []
        self._path = path
        self._zone = ""
        self._digest: dict[str, str] | None = None
        self._text = ""
        self._expat = expat.ParserCreate("utf-8")
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.StartElementHandler = self._start
        self._expat.CharacterDataHandler = self._data
        self._expat.EndElementHandler = self._end

    def parse(self, content: str) -> None:
        try:
            self._expat.Parse(content.encode(), True)
        except expat.ExpatError as error:
            self._fail(f"not well-formed XML: {expat.ErrorString(error.code)}")

    def _fail(self, reason: str) -> NoReturn:
        raise InputError(f"{self._path}, line {self._expat.CurrentLineNumber}: {printable(reason)}") from None

    def _doctype(self, *_: object) -> None:
        self._fail("a document type is not allowed here; root-anchors.xml has none")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._text = ""
        if tag == "KeyDigest":
            self._digest = dict(attributes)

    def _data(self, data: str) -> None:
        self._text += data

    def _end(self, tag: str) -> None:
        try:
            if tag == "Zone":
                self._zone = self._text.strip()
            elif tag == "KeyDigest" and self._digest is not None:
                self.anchors.append(self._anchor(self._digest))
                self._digest = None
            elif self._digest is not None:
                self._digest[tag] = self._text.strip()
        except InputError as error:
            self._fail(str(error))

    def _anchor(self, fields: dict[str, str]) -> Anchor:
        for name in ("KeyTag", "Algorithm", "DigestType", "Digest"):
            if name not in fields:
                raise InputError(f"a KeyDigest lacks {name}")
        return Anchor(
            Name.from_text(self._zone),
            _ds(fields["KeyTag"], fields["Algorithm"], fields["DigestType"], fields["Digest"]),
            _time(fields.get("validFrom")),
            _time(fields.get("validUntil")),
        )


def _from_xml(content: str, path: Path) -> list[Anchor]:
    parser = _Parser(path)
    parser.parse(content)
    return parser.anchors


def _ds(tag: str, algorithm: str, digest_type: str, digest: str) -> rdata.Ds:
    try:
        octets = bytes.fromhex(digest)
        ds = rdata.Ds(_number(tag, 16), _number(algorithm, 8), _number(digest_type, 8), octets)
    except ValueError:
        octets = b""
    if not octets:
        text = f"{tag} {algorithm} {digest_type} {digest}"
        raise InputError(f"{text!r} is no key tag, algorithm, digest type and hexadecimal digest")
    return ds


def _number(text: str, bits: int) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1
    if not 0 <= number < 1 << bits:
        raise ValueError(text)
    return number


def _time(written: str | None) -> int | None:
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputError(f"{written!r} is no time with a time zone, such as 2017-02-02T00:00:00+00:00")
    return int(at.timestamp())
