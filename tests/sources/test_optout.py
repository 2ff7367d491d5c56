"""Opt-out lists."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from gnomon.base import InputError, Name
from gnomon.engine import OptOut
from gnomon.sources import read_opt_out

Write = Callable[..., Path]


def test_the_documented_format(write: Write) -> None:
    listed = read_opt_out(
        write(
            "# who asked us to\nprefix 192.0.2.0/24\n\nprefix 2001:db8:53::/48 # all of it\n"
            "server ns1.example.net\n  zone\texample.org.\n",
        )
    )
    assert listed.opt_out == OptOut(
        (ip_network("192.0.2.0/24"), ip_network("2001:db8:53::/48")),
        (Name.from_text("ns1.example.net."),),
        (Name.from_text("example.org."),),
    )
    assert len(listed.provenance.sha256) == 64


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("192.0.2.0/24", "is not 'prefix PREFIX'"),
        ("prefix", "is not 'prefix PREFIX'"),
        ("prefix 192.0.2.1/24", "host bits"),
        ("prefix 300.0.0.0/8", "write for example"),
        ("server a..b", "two dots"),
        ("zone .", "nothing to ask"),
        ("zone a b", "is not"),
    ],
)
def test_a_line_that_is_none(write: Write, line: str, word: str) -> None:
    with pytest.raises(InputError, match="line 2") as error:
        read_opt_out(write(f"zone example.org\n{line}\n"))
    assert word in str(error.value)
