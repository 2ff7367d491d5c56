"""What is inside a DNSKEY, against keys that a cryptographic library makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.checks.key_material import _point_flaw, _weakness
from gnomon.lab.keys import dnskey_rdata
from gnomon.lab.spec import KeySpec
from gnomon.wire import rdata
from gnomon.wire.rdata import Dnskey

P25519 = 2**255 - 19


@pytest.mark.parametrize("algorithm", [13, 14, 15, 16])
@pytest.mark.parametrize("index", range(4))
def test_generated_keys_are_points_of_large_order(algorithm: int, index: int) -> None:
    assert _point_flaw(rdata.dnskey(dnskey_rdata(KeySpec(256, algorithm, index)))) == ""


@pytest.mark.parametrize("y", [1, P25519 - 1, 0])
def test_points_of_small_order_are_known(y: int) -> None:
    assert _point_flaw(Dnskey(256, 3, 15, y.to_bytes(32, "little"))) == "small-order"


def test_a_coordinate_beyond_the_prime_is_no_point() -> None:
    assert _point_flaw(Dnskey(256, 3, 15, (P25519 + 1).to_bytes(32, "little"))) == "off-curve"
    assert _point_flaw(Dnskey(256, 3, 13, b"\xff" * 64)) == "off-curve"


@given(st.sampled_from([(13, 64), (14, 96), (15, 32), (16, 57)]), st.data())
def test_any_octets_are_judged(shape: tuple[int, int], data: st.DataObject) -> None:
    algorithm, size = shape
    octets = data.draw(st.binary(min_size=size, max_size=size))
    assert _point_flaw(Dnskey(256, 3, algorithm, octets)) in ("", "off-curve", "small-order")


@pytest.mark.parametrize("index", range(2))
def test_generated_moduli_have_no_known_weakness(index: int) -> None:
    parts = rdata.dnskey(dnskey_rdata(KeySpec(256, 8, index))).rsa_parts
    assert parts is not None and _weakness(parts[1]) == ""


@given(st.binary(max_size=64))
def test_any_modulus_is_judged(octets: bytes) -> None:
    assert _weakness(octets) in ("", "small-factor", "close-factors", "roca")
