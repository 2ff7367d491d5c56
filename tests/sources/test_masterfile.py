from __future__ import annotations

import gzip
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import dns.zone
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gnomon.base import InputError, Name
from gnomon.base.codes import AAAA, DS, NS, SOA, TXT, A
from gnomon.sources import ParentZone, default_hints, read_hints, read_parent_zone
from gnomon.sources.masterfile import read_records

Write = Callable[..., Path]

GENERAL = """\
$ORIGIN example.
$TTL 1h
@ IN SOA ns1 hostmaster (
        2026010100 ; serial
        4h 1h 2w 1h )
   NS ns1
   NS ns2.other.test.
ns1 A 198.41.0.4
    AAAA 2001:500:2::c
child 300 IN NS ns1.child
      DS 12345 13 2 (
          E06D44B80B8F1D39A95C0B0D7C65D084
          58E880409BBC683457104237C7F8EC8D ) ; keytag
ns1.child.example. IN 60 A 198.41.0.5
text TXT "a ( in quotes ; and this" "more"
"""
PLAIN = """\
; a dump
example. 3600 IN SOA ns1.example. hostmaster.example. 2026010100 14400 3600 1209600 3600
example. 3600 IN NS ns1.example.
example.\t3600\tin\tns\tns2.other.test.
ns1.example. 3600 IN A 198.41.0.4
ns1.example. 3600 IN AAAA 2001:500:2::c

child.example. 300 IN NS ns1.child.example.
child.example. 300 IN DS 12345 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
child.example. 300 IN RRSIG DS 13 2 300 20270101000000 20260101000000 1 example. AAAA
ns1.child.example. 60 IN A 198.41.0.5
"""
SOA_LINE = "example. 1 IN SOA a. b. 1 1 1 1 1\n"


def _without_provenance(zone: ParentZone) -> tuple[object, ...]:
    return (zone.origin, zone.soa, zone.apex_ns, zone.ns, zone.ds, zone.addresses, zone.records)


def test_both_paths_read_the_same(write: Write) -> None:
    general, plain = read_parent_zone(write(GENERAL, "a")), read_parent_zone(write(PLAIN, "b"))
    assert _without_provenance(general) == _without_provenance(plain)
    assert general.origin == Name.from_text("example.")
    assert general.soa.serial == 2026010100 and general.soa.refresh_s == 14400
    assert general.apex_ns == (Name.from_text("ns1.example."), Name.from_text("ns2.other.test."))
    assert general.ns == {Name.from_text("child.example."): (Name.from_text("ns1.child.example."),)}
    assert [ds.key_tag for ds in general.ds[Name.from_text("child.example.")]] == [12345]
    assert general.addresses[Name.from_text("ns1.example.")] == (
        ip_address("198.41.0.4"),
        ip_address("2001:500:2::c"),
    )
    assert plain.provenance.sha256 != general.provenance.sha256 and plain.provenance.origin.endswith("b")


def test_gzip_is_unpacked(write: Write) -> None:
    packed = read_parent_zone(write(gzip.compress(PLAIN.encode()), "zone.gz"))
    assert packed.records == 8


def test_ttls_owners_and_lines_come_through(write: Write) -> None:
    records = list(read_records(write(GENERAL), None, (SOA, NS, A, TXT)))
    assert [(r.line, str(r.owner), str(r.rtype), r.ttl_s) for r in records] == [
        (5, "example.", "SOA", 3600),
        (6, "example.", "NS", 3600),
        (7, "example.", "NS", 3600),
        (8, "ns1.example.", "A", 3600),
        (10, "child.example.", "NS", 300),
        (14, "ns1.child.example.", "A", 60),
        (15, "text.example.", "TXT", 3600),
    ]
    mixed = "a. 5 IN A 198.41.0.4\n  A 198.41.0.5\nb. 7 IN AAAA ::1 ; c\n 9 A 198.41.0.6\n"
    records = list(read_records(write(mixed), None, (A, AAAA)))
    assert [(str(r.owner), r.ttl_s) for r in records] == [("a.", 5), ("a.", 5), ("b.", 7), ("b.", 9)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SOA_LINE + "example. 1 IN A 198.41.0.400\n", "line 2: bad A record"),
        (SOA_LINE + "a.example. 1 IN NS b..\n", "line 2: bad NS record"),
        (SOA_LINE + "a.example. 1 IN NS b. c.\n", "line 2: "),
        (SOA_LINE + "a.example. 1 IN DS 1 2 3 XY\n", "line 2: bad DS record"),
        (SOA_LINE + "a.example. 1 IN DS 70000 2 3 AB\n", "line 2: bad DS record"),
        (SOA_LINE + "a.example. 1 IN DS -1 2 3 AB\n", "line 2: "),
        (SOA_LINE + "a.example. 1 CH NS b.\n", "line 2: RR class is not zone's class"),
        (SOA_LINE + "a.example. 1 IN NOTHING b.\n", "line 2: unknown rdatatype"),
        (SOA_LINE + "\n$INCLUDE /etc/passwd\n", "line 3: zone file directive '$INCLUDE' is not allowed"),
        (SOA_LINE + "$GENERATE 1-4000000000 a$ A 198.41.0.4\n", "'$GENERATE' is not allowed"),
        (SOA_LINE + "a.example. 1 IN NS (\n\n", "line 2: a parenthesis is opened here and never closed"),
        (SOA_LINE + 'a.example. 1 IN TXT "open\n', "line 2: "),
        (SOA_LINE + "a.example. 99999999999 IN NS b.\n", "line 2: "),
        (SOA_LINE + "other. 1 IN NS b.\n", "line 2: other. is outside the zone example."),
        (SOA_LINE + "a.example. 1 IN DS 1 2 3 AB\n", "line 2: a.example. has a DS record, but no delegation"),
        (SOA_LINE + "a.example. 1 IN SOA a. b. 1 1 1 1 1\n", "line 2: a second SOA record"),
        ("\n@ 1 IN SOA a. b. 1 1 1 1 1\n", "line 2: a relative name before any $ORIGIN"),
        ("example. 1 IN SOA a b. 1 1 1 1 1\n", "line 1: a relative name before any $ORIGIN"),
        ("example. IN SOA a. b. (\n1 1\n1 x 1 )\n", "line 3: "),
        ("a.example. 1 IN NS b.\n", "no SOA record"),
        ("", "no SOA record"),
        ("\x00\x01\x02", "line 1: "),
        (b"\xff\xfe", "line 1: not UTF-8"),
        (b"; ok\n" + b"x" * (1 << 21), "line 2: longer than a mebibyte"),
    ],
)
def test_errors_name_file_and_line(write: Write, content: str | bytes, message: str) -> None:
    path = write(content)
    with pytest.raises(InputError) as raised:
        read_parent_zone(path)
    assert str(raised.value).startswith(str(path)) and message in str(raised.value)


def test_a_given_origin_is_used_and_checked(write: Write) -> None:
    path = write("@ 1 IN SOA a b 1 1 1 1 1\nchild 1 IN NS ns.child\n")
    zone = read_parent_zone(path, Name.from_text("example."))
    assert list(zone.ns) == [Name.from_text("child.example.")]
    with pytest.raises(InputError, match=r"line 1: the SOA record is of example\., not of test\."):
        read_parent_zone(write(SOA_LINE), Name.from_text("test."))


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00broken", b"not gzip", gzip.compress(PLAIN.encode())[:-9]])
def test_broken_gzip_is_named(write: Write, content: bytes) -> None:
    with pytest.raises(InputError, match="cannot be unpacked"):
        read_parent_zone(write(content, "zone.gz"))


def test_missing_file_and_directory(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="cannot be read"):
            read_parent_zone(path)


_WORDS = st.sampled_from(
    ["example.", "a", "a.example.", "@", "$ORIGIN", "$TTL", "$INCLUDE", "3600", "1h", "IN", "CH", "NS", "A", "AAAA",
     "DS", "SOA", "TXT", "RRSIG", "198.41.0.4", "::1", "AB", "(", ")", '"', ";", "\\", "\\300", "\n", "\n", " ", "\t",
     "ü.", "\x00", "\r", "TYPE65280", r"\# 1 00", "." * 3]
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(st.text() | st.lists(_WORDS, max_size=60).map(" ".join) | st.binary())
@example(content="a. 1 IN NS " + "x" * 300 + ".\n")
@example(content="$ORIGIN " + "a." * 200 + "\n")
@example(content="$ORIGIN " + "a." * 120 + "\n" + "b." * 20 + " 1 IN NS c\n")
def test_whatever_is_in_a_file_only_an_input_error_comes(write: Write, content: str | bytes) -> None:
    path = write(content)
    for read in (read_parent_zone, read_hints):
        try:
            read(path)
        except InputError as error:
            assert str(error).startswith(str(path))


_LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
_OWNER = st.lists(_LABEL, min_size=1, max_size=3).map(lambda labels: ".".join(labels) + ".example.")
_LINE = st.one_of(
    st.tuples(_OWNER, st.integers(0, 2**31 - 1), st.just("NS"), _OWNER),
    st.tuples(_OWNER, st.integers(0, 2**31 - 1), st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(_OWNER, st.integers(0, 2**31 - 1), st.just("AAAA"), st.ip_addresses(v=6).map(str)),
    st.tuples(
        _OWNER, st.integers(0, 2**31 - 1), st.just("DS"), st.binary(min_size=1).map(lambda d: f"1 8 9 {d.hex()}")
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(_LINE, max_size=20))
def test_the_fast_path_reads_what_dnspython_reads(write: Write, lines: list[tuple[object, ...]]) -> None:
    plain = "".join(f"{owner} {ttl} IN {rtype} {rdata}\n" for owner, ttl, rtype, rdata in lines)
    # A comment sends a line the general way.
    general = plain.replace("\n", " ; general\n")
    types = (NS, A, AAAA, DS)
    assert list(read_records(write(plain, "a"), None, types)) == list(read_records(write(general, "b"), None, types))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "serial", "delegations", "signed", "records"),
    [
        ("root-zone/root.2026073102.zone.gz", 2026073102, 1438, 1349, 20642),
        ("root-zone/root.2014062501.zone.gz", 2014062501, 629, 434, 6271),
        ("domains/gov.2026-08-22.zone.gz", 1787383922, 16536, 2069, 47806),
    ],
)
def test_real_zones(
    real: Callable[[str], Path], name: str, serial: int, delegations: int, signed: int, records: int
) -> None:
    zone = read_parent_zone(real(name))
    assert (zone.soa.serial, len(zone.ns), len(zone.ds), zone.records) == (serial, delegations, signed, records)


@pytest.mark.real
def test_a_real_zone_is_what_dnspython_makes_of_it(real: Callable[[str], Path]) -> None:
    path = real("root-zone/root.2014062501.zone.gz")
    zone = read_parent_zone(path)
    text = gzip.decompress(path.read_bytes()).decode()
    other = dns.zone.from_text(text, origin=".", relativize=False)
    theirs = {
        Name(name.to_wire() or b""): {Name(ns.target.to_wire()) for ns in rdataset}
        for name, rdataset in other.iterate_rdatasets("NS")
    }
    assert theirs.pop(zone.origin) == set(zone.apex_ns)
    assert theirs == {name: set(servers) for name, servers in zone.ns.items()}


def test_packaged_hints() -> None:
    hints = default_hints()
    assert [str(name) for name in hints.servers] == [f"{letter}.root-servers.net." for letter in "abcdefghijklm"]
    assert all(len(addresses) == 2 for addresses in hints.servers.values())
    assert hints.provenance.date == "2024-04-18" and "internic" in hints.provenance.origin


@pytest.mark.real
def test_packaged_hints_are_the_published_ones(real: Callable[[str], Path]) -> None:
    assert read_hints(real("trust-anchor/root.hints")).servers == default_hints().servers


def test_hints_without_addresses_are_refused(write: Write) -> None:
    with pytest.raises(InputError, match="names no root server with an address"):
        read_hints(write(". 1 IN NS a.root-servers.net.\n"))
