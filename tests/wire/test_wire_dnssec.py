from __future__ import annotations

import base64
import gzip
import hashlib
import struct
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon import _core
from gnomon.base import Name, RRType
from gnomon.base.codes import DNSKEY, MX, NS, A
from gnomon.wire import RRset, dnssec, rdata
from gnomon.wire.dnssec import State, Verification

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
VALID = Verification(State.VALID)
INVALID = Verification(State.INVALID)


def wire(rtype: str, text: str) -> bytes:
    octets = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rtype), text).to_wire()
    assert octets is not None
    return octets


def flipped(octets: bytes, at: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


# RFC 8080 sections 6.1 and 6.2, RFC 6605 sections 6.1 and 6.2.
VECTORS = [
    (
        "example.com.", "MX", "10 mail.example.com.",
        "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
        "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
        "MX 15 2 3600 1440021600 1438207200 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeR"
        "AvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
    ),
    (
        "example.com.", "MX", "10 mail.example.com.",
        "257 3 16 3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA",
        "9713 16 2 6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7",
        "MX 16 2 3600 1440021600 1438207200 9713 example.com. 3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEA"
        "IJUA0amxWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKxE/07+4RQvE581N3Aj/JtIyaiYVdnYtyMWbSNyGEY2213WKsJlwEA",
    ),
    (
        "www.example.net.", "A", "192.0.2.1",
        "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
        "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
        "A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXA"
        "yGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
    ),
    (
        "www.example.net.", "A", "192.0.2.1",
        "257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBw"
        "Y8rp65F6Glur8I/mlVNgF6W/qTI37m40",
        "10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6",
        "A 14 3 3600 20100909102025 20100812102025 10771 example.net. /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP"
        "95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "rtype", "text", "key", "ds", "rrsig"), VECTORS)
def test_rfc_vectors(owner: str, rtype: str, text: str, key: str, ds: str, rrsig: str) -> None:
    key_octets, signature = wire("DNSKEY", key), wire("RRSIG", rrsig)
    name = Name.from_text(owner)
    rrset = RRset(name, RRType.from_text(rtype), 1, 60, (wire(rtype, text),))
    assert dnssec.verify(rrset, signature, key_octets) == VALID
    for at in (0, 3, 20, len(signature) - 1):
        assert dnssec.verify(rrset, flipped(signature, at), key_octets) == INVALID
    assert dnssec.verify(rrset, signature, flipped(key_octets, 9)) == INVALID
    fields = rdata.ds(wire("DS", ds))
    apex = rdata.rrsig(signature).signer
    assert dnssec.key_tag(key_octets) == fields.key_tag == rdata.dnskey(key_octets).key_tag
    assert dnssec.ds_digest(apex, key_octets, fields.digest_type) == fields.digest


def test_ds_of_rfc_4034_and_rfc_4509() -> None:
    key = wire(
        "DNSKEY",
        "256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx"
        "egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==",
    )
    owner = Name.from_text("DSkey.example.com.")
    sha1, sha256 = dnssec.ds_digest(owner, key, 1), dnssec.ds_digest(owner, key, 2)
    assert dnssec.key_tag(key) == 60485
    assert sha1 is not None and sha1.hex().upper() == "2BB183AF5F22588179A53B0A98631FAD1A292118"
    assert sha256 is not None
    assert sha256.hex().upper() == "D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A"
    assert dnssec.ds_digest(owner, key, 3) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
        ("a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
        ("ns1.Example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
        ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
        ("x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s"),
    ],
)
def test_nsec3_hashes_of_rfc_5155(name: str, expected: str) -> None:
    found = dnssec.nsec3_hash(Name.from_text(name), 1, 12, b"\xaa\xbb\xcc\xdd")
    assert found is not None and base64.b32hexencode(found).decode().lower() == expected


def test_nsec3_hash_has_a_budget() -> None:
    name = Name.from_text("example.")
    assert dnssec.nsec3_hash(name, 1, 50, b"") is not None
    assert dnssec.nsec3_hash(name, 1, 51, b"") is None
    assert dnssec.nsec3_hash(name, 2, 0, b"") is None


PRIVATE_KEYS: dict[int, Callable[[], PrivateKey]] = {
    5: lambda: rsa.generate_private_key(65537, 1024),
    7: lambda: rsa.generate_private_key(3, 1024),
    8: lambda: rsa.generate_private_key(65537, 2048),
    10: lambda: rsa.generate_private_key(65537, 1280),
    13: lambda: ec.generate_private_key(ec.SECP256R1()),
    14: lambda: ec.generate_private_key(ec.SECP384R1()),
    15: ed25519.Ed25519PrivateKey.generate,
    16: ed448.Ed448PrivateKey.generate,
}
RRSETS = [
    ("Host.Example.test.", "NS", ["NS1.Example.Test.", "ns2.example.test.", "NS1.example.test."]),
    ("example.test.", "SOA", ["NS1.test. Root.TEST. 1 2 3 4 5"]),
    ("example.test.", "MX", ["10 B.test.", "5 a.test."]),
    ("_x._tcp.example.test.", "SRV", ["1 2 53 Target.TEST."]),
    ("example.test.", "NAPTR", ['1 2 "U" "SIP" "!^.*$!A!" Repl.TEST.']),
    ("example.test.", "RP", ["Root.TEST. Text.TEST."]),
    ("example.test.", "DNAME", ["Other.TEST."]),
    ("example.test.", "NSEC", ["Next.TEST. A NS RRSIG NSEC"]),
    ("example.test.", "TXT", ['"Upper"', '"upper"', '""']),
    ("example.test.", "KX", ["5 KX.Test."]),
    ("example.test.", "SVCB", ["1 Foo.Test. alpn=h2"]),
    ("*.example.test.", "A", ["192.0.2.2", "192.0.2.1"]),
]


@pytest.mark.parametrize("algorithm", PRIVATE_KEYS)
def test_signatures_made_by_dnspython(algorithm: int) -> None:
    private = PRIVATE_KEYS[algorithm]()
    policy = dns.dnssec.allow_all_policy
    key = dns.dnssec.make_dnskey(private.public_key(), algorithm)
    for owner, rtype, texts in RRSETS:
        rrset = dns.rrset.from_text(owner, 300, "IN", rtype, *texts)
        signed = dns.dnssec.sign(
            rrset, private, dns.name.from_text("Example.TEST."), key, inception=1, expiration=2, policy=policy
        )
        rrsig, dnskey = signed.to_wire(), key.to_wire()
        assert rrsig is not None and dnskey is not None
        rdatas = tuple(rdata.to_wire() or b"" for rdata in rrset)
        ours = RRset(Name.from_text(owner.upper()), RRType(rrset.rdtype), 1, 1, rdatas)
        assert dnssec.verify(ours, rrsig, dnskey) == VALID, (owner, rtype)
        fewer = RRset(ours.owner, ours.rtype, 1, 1, (*rdatas, b"\x01x\0"))
        assert dnssec.verify(fewer, rrsig, dnskey) == INVALID
        if owner.startswith("*"):
            below = RRset(Name.from_text("a.b.example.test."), ours.rtype, 1, 1, rdatas)
            beside = RRset(Name.from_text("a.example2.test."), ours.rtype, 1, 1, rdatas)
            assert dnssec.verify(below, rrsig, dnskey) == VALID
            assert dnssec.verify(beside, rrsig, dnskey) == INVALID


def test_not_checkable() -> None:
    key = wire("DNSKEY", "257 3 13 " + base64.b64encode(bytes(64)).decode())
    covering = wire("RRSIG", f"A 13 1 300 20300101000000 20200101000000 {dnssec.key_tag(key)} test. AAAA")
    ours = RRset(Name.from_text("test."), A, 1, 300, (b"\xc0\x00\x02\x01",))
    assert dnssec.verify(ours, covering, key) == INVALID
    assert dnssec.verify(ours, covering[:10], key).reason == "malformed-rrsig"
    assert dnssec.verify(ours, covering, key[:3]).reason == "malformed-key"


# Numbers of the right size, made for this; whoever finds the factors finds them here.
PRIMES = {
    512: (
        0xFCDAAFDA328CA4FA1BA650145C2E013FD4C223D5AE011D8362A666C5D8CD1125,
        0xFF0BE18E3161CCBC635FD443B969C804EF3F08755CE3BC82A54CBD47F24A610B,
    ),
    768: (
        0xD44AFA398064BA53A62E02A326D6902D1D005B46747C1E1308DA8F4616B976DE26B12E3710BDB566A5D11CE7535BEE93,
        0xDA6E9B61D276194E3E0B52D5AB22848D5E54B2F382245C22B5E9A224B1A2A11F3A048EC140302945FD97E1B0903063E7,
    ),
}


@pytest.mark.parametrize("bits", PRIMES)
@pytest.mark.parametrize(("algorithm", "name"), [(5, "sha1"), (7, "sha1"), (8, "sha256"), (10, "sha512")])
@pytest.mark.parametrize("e", [65537, 2**32 + 15, 2**34 + 25])
def test_small_rsa(bits: int, algorithm: int, name: str, e: int) -> None:
    p, q = PRIMES[bits]
    n, d = p * q, pow(e, -1, (p - 1) * (q - 1))
    e_octets = e.to_bytes((e.bit_length() + 7) // 8, "big")
    key = bytes([1, 0, 3, algorithm, len(e_octets)]) + e_octets + n.to_bytes(bits // 8, "big")
    head = wire("RRSIG", f"A {algorithm} 1 300 20300101000000 20200101000000 {dnssec.key_tag(key)} test. AA==")[:-1]
    ours = RRset(Name.from_text("test."), A, 1, 300, (b"\xc0\x00\x02\x01",))
    hashed = hashlib.new(name, head + ours.owner.wire + struct.pack("!HHIH", 1, 1, 300, 4) + ours.rdatas[0]).digest()
    oid = {"sha1": "06052b0e03021a", "sha256": "0609608648016503040201", "sha512": "0609608648016503040203"}[name]
    der = bytes.fromhex(oid) + b"\5\0"
    der = b"\x30" + bytes([len(der)]) + der + b"\4" + bytes([len(hashed)]) + hashed
    der = b"\x30" + bytes([len(der)]) + der
    padding = bits // 8 - 3 - len(der)
    if padding < 8:
        # No such signature can be made (RFC 8017 section 9.2): a too short padding must not pass for one.
        assert (bits, name) == (512, "sha512")
        return
    padded = int.from_bytes(b"\0\1" + b"\xff" * padding + b"\0" + der, "big")
    rrsig = head + pow(padded, d, n).to_bytes(bits // 8, "big")
    assert dnssec.verify(ours, rrsig, key) == VALID
    assert dnssec.verify(ours, flipped(rrsig, len(rrsig) - 9), key) == INVALID
    assert dnssec.verify(ours, rrsig[:-1], key) == INVALID


def test_rfc_5702() -> None:
    key = wire(
        "DNSKEY",
        "256 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk=",
    )
    assert rdata.dnskey(key).rsa_bits == 512 and dnssec.key_tag(key) == 9033
    rrsig = wire(
        "RRSIG",
        "A 8 3 3600 20300101000000 20000101000000 9033 example.net. kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE"
        "9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg==",
    )
    ours = RRset(Name.from_text("www.example.net."), A, 1, 300, (b"\xc0\x00\x02\x5b",))
    assert dnssec.verify(ours, rrsig, key) == VALID


@settings(max_examples=200)
@given(
    st.binary(max_size=40),
    st.sampled_from([2, 6, 46, 47, 1]),
    st.lists(st.binary(max_size=30), max_size=4),
    st.binary(max_size=60),
    st.binary(max_size=60),
)
def test_any_octets_have_an_outcome(owner: bytes, rtype: int, rdatas: list[bytes], rrsig: bytes, dnskey: bytes) -> None:
    word = _core.verify_rrsig(owner, rtype, 1, rdatas, rrsig, dnskey)
    assert word == "invalid" or word.startswith("not-checkable:")
    assert sorted(set(found := _core.canonical_rdatas(rtype, rdatas))) == found
    assert _core.canonical_rdatas(rtype, found) == found


def test_the_same_octets_are_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    owner, rtype, text, key, _, rrsig = VECTORS[0]
    rrset = RRset(Name.from_text(owner), RRType.from_text(rtype), 1, 60, (wire(rtype, text),))
    monkeypatch.setattr(dnssec, "_verification", lru_cache(maxsize=2)(dnssec._verification.__wrapped__))
    calls = 0
    native = _core.verify_rrsig

    def counting(*arguments: object) -> str:
        nonlocal calls
        calls += 1
        return native(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(_core, "verify_rrsig", counting)
    assert dnssec.verify(rrset, wire("RRSIG", rrsig), wire("DNSKEY", key)) == VALID
    other_case = RRset(Name.from_text(owner.upper()), MX, 1, 99, rrset.rdatas)
    assert dnssec.verify(other_case, wire("RRSIG", rrsig), wire("DNSKEY", key)) == VALID
    assert calls == 1
    for at in range(20, 25):
        dnssec.verify(rrset, flipped(wire("RRSIG", rrsig), at), wire("DNSKEY", key))
    assert calls == 6 and dnssec._verification.cache_info().currsize == 2


def test_what_is_remembered_is_bounded() -> None:
    assert dnssec._verification.cache_info().maxsize == dnssec.MAX_REMEMBERED


@pytest.mark.parametrize(
    ("a", "b", "before"),
    [(0, 1, True), (1, 0, False), (1, 1, False), (0xFFFFFFFF, 0, True), (0, 0x7FFFFFFF, True), (0, 0x80000000, False),
     (0x80000000, 0, False), (0xC0000000, 0x10000000, True)],
)  # fmt: skip
def test_serial_numbers(a: int, b: int, before: bool) -> None:
    assert dnssec.serial_lt(a, b) is before


@pytest.mark.real
@pytest.mark.parametrize("serial", ["2026073102", "2019012200", "2014062501"])
def test_the_root_zone_verifies(shared_data: Path, serial: str) -> None:
    """RSA of 1024 to 2048 bits by Verisign and ICANN, with next names in upper case in 2019."""
    sets: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    signatures: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    with gzip.open(shared_data / "root-zone" / f"root.{serial}.zone.gz", "rt") as lines:
        for line in lines:
            owner, _, _, rtype, text = line.rstrip("\n").split(None, 4)
            # The apex, and the top-level domains of two letters.
            if len(owner) <= 3:
                octets = wire(rtype, text)
                if rtype == "RRSIG":
                    signatures[owner, str(RRType(rdata.rrsig(octets).type_covered))].append(octets)
                else:
                    sets[owner, rtype].append(octets)
    keys = {dnssec.key_tag(key): key for key in sets[".", "DNSKEY"]}
    verified = 0
    for (owner, rtype), rrsigs in signatures.items():
        rdatas = tuple(_core.canonical_rdatas(RRType.from_text(rtype), sets[owner, rtype]))
        rrset = RRset(Name.from_text(owner), RRType.from_text(rtype), 1, 0, rdatas)
        for rrsig in rrsigs:
            key = keys[rdata.rrsig(rrsig).key_tag]
            assert dnssec.verify(rrset, rrsig, key) == VALID, (owner, rtype)
            assert dnssec.verify(rrset, flipped(rrsig, len(rrsig) - 9), key) == INVALID
            changed = RRset(rrset.owner, rrset.rtype, 1, 0, (flipped(rdatas[0], len(rdatas[0]) - 1), *rdatas[1:]))
            assert dnssec.verify(changed, rrsig, key) == INVALID
            verified += 1
    assert verified > 300 and (".", str(DNSKEY)) in signatures and (".", str(NS)) in signatures
