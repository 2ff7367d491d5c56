"""Master file records of any form, read by dnspython."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.tokenizer
import dns.transaction
import dns.zonefile

from gnomon.base import Name, RRType
from gnomon.sources.files import at_line
from gnomon.sources.masterfile import Record

# Stands for an unknown origin: a name below it was relative to nothing.
_NO_ORIGIN = dns.name.Name((b"\xffno-origin", b""))


class General:
    """dnspython's reader, given one record or directive at a time, with its state kept in between."""

    def __init__(self, path: Path, origin: Name | None, ttl_s: int | None) -> None:
        self._path = path
        self._taken: list[tuple[dns.name.Name, int, dns.rdata.Rdata]] = []
        start = _NO_ORIGIN if origin is None else dns.name.Name((*origin.labels, b""))
        self._reader = dns.zonefile.Reader(
            dns.tokenizer.Tokenizer(""),
            dns.rdataclass.IN,
            cast(dns.transaction.Transaction, _Sink(self._taken)),
            allow_directives=("$ORIGIN", "$TTL"),
            default_ttl=ttl_s,
        )
        self._reader.current_origin = start
        self._reader.last_name = None
        self._last_owner: str | None = None

    def remember(self, owner: str, ttl_s: int) -> None:
        """A record was read elsewhere; a following one may leave out its owner or TTL."""
        self._last_owner = owner
        self._reader.last_ttl, self._reader.last_ttl_known = ttl_s, True

    def read(self, text: str, first_line: int) -> Iterator[Record]:
        """The records of one chunk, which begins at line `first_line`."""
        reader = self._reader
        tokens = dns.tokenizer.Tokenizer(text, idna_codec=dns.name.IDNA_2008_UTS_46)
        reader.tok = tokens
        try:
            if self._last_owner is not None:
                reader.last_name = dns.name.from_text(self._last_owner)
                self._last_owner = None
            reader.read()
            for owner, ttl_s, rdata in self._taken:
                wire, octets = cast(bytes, owner.to_wire()), cast(bytes, rdata.to_wire())
                if any(name.is_subdomain(_NO_ORIGIN) for name in (owner, *_names_in(rdata))):
                    raise ValueError("a relative name before any $ORIGIN; give the zone's name")
                line = first_line + text.count("\n") - 1
                yield Record(line, Name(wire), RRType(rdata.rdtype), ttl_s, octets)
        except (dns.exception.DNSException, ValueError) as error:
            line = first_line + max(0, min(tokens.where()[1], text.count("\n")) - 1)
            reason = re.sub(r"^<string>:\d+: ", "", str(error)) or "bad syntax"
            raise at_line(self._path, line, reason) from None
        finally:
            self._taken.clear()


def _names_in(rdata: dns.rdata.Rdata) -> Iterator[dns.name.Name]:
    for kind in type(rdata).__mro__:
        for field in getattr(kind, "__slots__", ()):
            value = getattr(rdata, field, None)
            if isinstance(value, dns.name.Name):
                yield value


class _Sink:
    """As much of a dnspython transaction as its zone file reader uses."""

    def __init__(self, taken: list[tuple[dns.name.Name, int, dns.rdata.Rdata]]) -> None:
        self.manager = self
        self._taken = taken

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        # The root: nothing counts as outside the zone, so nothing is left out without a word.
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, check: object) -> None:
        pass

    def _set_origin(self, origin: dns.name.Name) -> None:
        pass

    def add(self, owner: dns.name.Name, ttl_s: int, rdata: dns.rdata.Rdata) -> None:
        self._taken.append((owner, ttl_s, rdata))
