"""Domain names as uncompressed wire octets (RFC 1035 section 3.1), compared case-insensitively (RFC 4343)."""

from __future__ import annotations

from functools import total_ordering

from gnomon.base.errors import InputError

_LOWER = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))


@total_ordering
class Name:
    """An absolute domain name. `wire` keeps the case it came in; equality and hash ignore it.

    Ordering is the canonical DNS name order of RFC 4034 section 6.1.
    """

    __slots__ = ("_key", "_text", "wire")

    wire: bytes

    def __init__(self, wire: bytes) -> None:
        """Take uncompressed wire octets, 1 to 255, ending in the root label; not checked (see `from_wire`)."""
        self.wire = wire
        self._key = wire.translate(_LOWER)

    @classmethod
    def from_wire(cls, wire: bytes) -> Name:
        """Check and take uncompressed wire octets.

        Raises:
            InputError: not exactly one name of at most 255 octets with labels of at most 63.
        """
        at = 0
        while at < len(wire) and wire[at]:
            if wire[at] > 63:
                raise InputError(f"octet {at} of the name is no label length: {wire[at]} (labels have 1 to 63)")
            at += wire[at] + 1
        if at != len(wire) - 1 or len(wire) > 255:
            raise InputError(f"the {len(wire)} octets are not one domain name of at most 255 octets")
        return cls(wire)

    @classmethod
    def from_text(cls, text: str) -> Name:
        r"""Read presentation form; a missing final dot is added. U-labels become A-labels (RFC 5891).

        Raises:
            InputError: empty label, label over 63 octets, name over 255 octets, or a bad escape.
        """
        if not text.isascii():
            text = _to_a_labels(text)
        if text in ("", "."):
            if text == "":
                raise InputError("the domain name is empty; the root is written as a single dot")
            return ROOT
        labels: list[bytearray] = [bytearray()]
        at = 0
        while at < len(text):
            ch = text[at]
            if ch == ".":
                labels.append(bytearray())
            elif ch == "\\":
                ddd = text[at + 1 : at + 4]
                if len(ddd) == 3 and ddd.isdigit() and int(ddd) < 256:
                    labels[-1].append(int(ddd))
                    at += 3
                elif ddd and not ddd[0].isdigit():
                    labels[-1].append(ord(ddd[0]))
                    at += 1
                else:
                    raise InputError(f"bad escape in the domain name {text!r} at character {at + 1}: write \\DDD")
            elif ch.isspace() or ord(ch) < 33 or ord(ch) > 126:
                raise InputError(f"the domain name {text!r} has a space or control character; write it as \\DDD")
            else:
                labels[-1].append(ord(ch))
            at += 1
        if not labels[-1]:
            labels.pop()
        wire = bytearray()
        for label in labels:
            if not label:
                raise InputError(f"the domain name {text!r} has an empty label (two dots in a row)")
            if len(label) > 63:
                raise InputError(f"a label of the domain name {text!r} has {len(label)} octets; at most 63 are allowed")
            wire.append(len(label))
            wire += label
        wire.append(0)
        if len(wire) > 255:
            raise InputError(f"the domain name {text[:40]!r}... has {len(wire)} octets; at most 255 are allowed")
        return cls(bytes(wire))

    @property
    def key(self) -> bytes:
        """The wire octets in lower case: the form to use as a dictionary key or to compare bytes."""
        return self._key

    @property
    def labels(self) -> tuple[bytes, ...]:
        """The labels from left to right, without the root label."""
        out, at, wire = [], 0, self.wire
        while wire[at]:
            out.append(wire[at + 1 : at + 1 + wire[at]])
            at += wire[at] + 1
        return tuple(out)

    @property
    def is_root(self) -> bool:
        return len(self.wire) == 1

    def parent(self) -> Name:
        """The name without its first label; the root's parent is the root."""
        return self if self.is_root else Name(self.wire[self.wire[0] + 1 :])

    def ancestors(self) -> tuple[Name, ...]:
        """The name itself, then each parent, ending with the root."""
        out = [self]
        while not out[-1].is_root:
            out.append(out[-1].parent())
        return tuple(out)

    def is_subdomain_of(self, other: Name) -> bool:
        """True if the name is `other` or below it."""
        if not self._key.endswith(other._key):
            return False
        at, stop = 0, len(self._key) - len(other._key)
        while at < stop:
            at += self._key[at] + 1
        return at == stop

    def prepend(self, label: bytes) -> Name:
        """`label` put in front.

        Raises:
            InputError: the result would exceed 63 octets a label or 255 octets in all.
        """
        return Name.from_wire(bytes([len(label)]) + label + self.wire)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and self._key == other._key

    def __lt__(self, other: Name) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[bytes, ...]:
        return tuple(reversed(Name(self._key).labels))

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        """Presentation form with final dot, case kept; every octet that is not plain ASCII text as \\DDD."""
        try:
            return self._text
        except AttributeError:
            self._text: str = "".join([_label_text(label) + "." for label in self.labels]) or "."
            return self._text

    def __repr__(self) -> str:
        return f"Name({str(self)!r})"


def _label_text(label: bytes) -> str:
    if label.isalnum() or label.replace(b"-", b"").replace(b"_", b"").isalnum():
        return label.decode("ascii")
    out = []
    for c in label:
        if c in b'."();@$\\':
            out.append("\\" + chr(c))
        elif 33 <= c <= 126:
            out.append(chr(c))
        else:
            out.append(f"\\{c:03d}")
    return "".join(out)


def _to_a_labels(text: str) -> str:
    import idna

    try:
        return idna.encode(text.rstrip("."), uts46=True).decode("ascii") + "."
    except idna.IDNAError as error:
        raise InputError(f"{text!r} is not a valid internationalised domain name: {error}") from None


ROOT = Name(b"\x00")
