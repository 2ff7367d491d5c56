from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.base import Name
from gnomon.wire import MalformedRdata, rdata

DECODERS: list[Callable[[bytes], object]] = [
    rdata.soa, rdata.ns, rdata.mx, rdata.txt, rdata.address, rdata.ds, rdata.dnskey, rdata.rrsig, rdata.nsec,
    rdata.nsec3, rdata.nsec3param, rdata.type_bitmap,
]  # fmt: skip


def wire(rtype: str, text: str) -> bytes:
    parsed = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rtype), text)
    octets = parsed.to_wire()
    assert octets is not None
    return octets


@pytest.mark.parametrize("decode", DECODERS)
@given(octets=st.binary(max_size=80) | st.binary(max_size=3).map(lambda tail: b"\x03abc\0" * 3 + tail))
def test_any_octets_give_a_value_or_malformed_rdata(decode: Callable[[bytes], object], octets: bytes) -> None:
    try:
        decode(octets)
    except MalformedRdata as error:
        assert str(error)


@pytest.mark.parametrize(
    ("rtype", "text", "decode", "whole_too"),
    [
        ("SOA", "ns.test. root.test. 1 2 3 4 5", rdata.soa, ()),
        ("NS", "ns.test.", rdata.ns, ()),
        ("MX", "10 mx.test.", rdata.mx, ()),
        ("A", "192.0.2.1", rdata.address, ()),
        ("NSEC3PARAM", "1 0 5 aabb", rdata.nsec3param, ()),
        # Without the type bit map, or without its last window, these are whole.
        ("NSEC3", "1 1 5 aabb 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A RRSIG", rdata.nsec3, (28,)),
        ("NSEC", "a.test. A RRSIG TYPE1234", rdata.nsec, (8, 16)),
    ],
)
def test_exactly_its_octets(
    rtype: str, text: str, decode: Callable[[bytes], object], whole_too: tuple[int, ...]
) -> None:
    octets = wire(rtype, text)
    decode(octets)
    for end in range(len(octets)):
        if end in whole_too:
            decode(octets[:end])
        else:
            with pytest.raises(MalformedRdata):
                decode(octets[:end])
    with pytest.raises(MalformedRdata):
        decode(octets + b"\0")


def test_fields() -> None:
    name = Name.from_text
    assert rdata.soa(wire("SOA", "ns.test. root.test. 4294967295 2 3 4 5")) == (
        name("ns.test"), name("root.test"), 4294967295, 2, 3, 4, 5,
    )  # fmt: skip
    assert rdata.mx(wire("MX", "10 mx.test.")) == (10, name("mx.test"))
    assert rdata.txt(b"\x00\x02ab") == (b"", b"ab")
    assert rdata.address(wire("AAAA", "2001:db8::1")) == ip_address("2001:db8::1")
    assert rdata.ds(wire("DS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118")).key_tag == 60485
    nsec = rdata.nsec(wire("NSEC", "host.test. A MX RRSIG NSEC TYPE1234"))
    assert nsec == rdata.Nsec(name("host.test"), frozenset({1, 15, 46, 47, 1234}))
    nsec3 = rdata.nsec3(wire("NSEC3", "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS"))
    assert nsec3.opt_out and nsec3.salt == b"\xaa\xbb\xcc\xdd" and nsec3.types == {2} and len(nsec3.next_hash) == 20
    rrsig = rdata.rrsig(wire("RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. AAAA"))
    assert (rrsig.type_covered, rrsig.labels, rrsig.key_tag, rrsig.signer) == (1, 3, 2642, name("example.com"))
    assert rrsig.expiration - rrsig.inception == 30 * 86400 and rrsig.signature == b"\0\0\0"


def test_keys() -> None:
    key = rdata.dnskey(b"\x01\x81\x03\x08\x03\x01\x00\x01" + b"\x00\x80" + bytes(127))
    assert (key.is_zone_key, key.is_sep, key.is_revoked) == (True, True, True)
    assert (key.rsa_bits, key.rsa_exponent_bits) == (1024, 17)
    long = rdata.dnskey(b"\x01\x00\x03\x08\x00\x01\x00" + b"\x01" * 256 + b"\x01")
    assert (long.rsa_bits, long.rsa_exponent_bits) == (1, 2041)
    assert rdata.dnskey(b"\x01\x00\x03\x0d" + bytes(64)).rsa_bits is None
    assert [rdata.dnskey(b"\x01\x00\x03\x08" + rest).rsa_bits for rest in (b"", b"\0", b"\3\1\0\1")] == [None] * 3
    assert rdata.dnskey(b"\x01\x00\x03\x08").rdata == b"\x01\x00\x03\x08"


@pytest.mark.parametrize("octets", [b"\0", b"\0\0", b"\0\x21" + bytes(33), b"\0\2\1", b"\1\1\1\0\1\1", b"\0\1\1\0\1\1"])
def test_bad_bit_maps(octets: bytes) -> None:
    with pytest.raises(MalformedRdata):
        rdata.type_bitmap(octets)
