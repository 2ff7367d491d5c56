"""CSYNC and DSYNC record data, against dnspython's encoder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.wire import MalformedRdata, rdata


def octets(rdtype: str, text: str) -> bytes:
    return bytes(dns.rdata.from_text("IN", rdtype, text).to_wire())


def test_csync() -> None:
    found = rdata.csync(octets("CSYNC", "66 3 A NS AAAA"))
    assert (found.serial, found.flags, found.types) == (66, 3, frozenset({1, 2, 28}))


def test_dsync() -> None:
    found = rdata.dsync(octets("DSYNC", "CDS NOTIFY 5359 notify.example."))
    assert (found.rtype, found.scheme, found.port, str(found.target)) == (59, 1, 5359, "notify.example.")


@pytest.mark.parametrize("parse", [rdata.csync, rdata.dsync])
@given(data=st.binary(max_size=40))
def test_any_octets_are_read_or_refused(parse: Callable[[bytes], object], data: bytes) -> None:
    with suppress(MalformedRdata):
        parse(data)
