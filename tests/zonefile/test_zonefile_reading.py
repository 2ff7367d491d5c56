from __future__ import annotations

import gzip
from pathlib import Path

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnomon import _core
from gnomon.base import InputError, Name
from gnomon.zonefile import load_zone

ORIGIN = Name.from_text("ex.").wire
EMPTY = _core.ZoneReader(None, False).finish()


def read(text: str | bytes, origin: bytes | None = ORIGIN, chunk: int = 1 << 20) -> _core.Zone:
    octets = text.encode("latin-1") if isinstance(text, str) else text
    reader = _core.ZoneReader(origin, False)
    for at in range(0, len(octets), chunk):
        if not reader.feed(octets[at : at + chunk]):
            break
    reader.end_file()
    return reader.finish()


def lines(zone: _core.Zone) -> list[str]:
    """All records in canonical order, printed."""
    found = _core.ZoneDiff(EMPTY, zone).take(1 << 20)
    return [f"{owner} {ttl_s} IN {rtype} {rdata}" for _, _, owner, ttl_s, rtype, rdata in found]


def faults(zone: _core.Zone) -> list[tuple[int, str]]:
    return [(line, kind) for line, kind, _ in zone.faults]


def test_what_a_master_file_may_leave_out() -> None:
    zone = read(
        """\
; a comment
@ SOA ns1 host\\.master ( 1 ; serial
      1h 30m
      1w2d 60 )
  NS ns1
$TTL 1d
  IN NS "ns2"
ns1 in 5 A 192.0.2.1
    5 IN AAAA 2001:DB8::1

$ORIGIN sub
@ TXT a "b \\" ; c" \\100\\;
$ORIGIN other.
x CLASS1 TYPE65280 \\# 3 ab cdef
 TYPE1 \\# 4 c0000201""",
    )
    assert zone.faults == []
    assert lines(zone) == [
        "ex. 60 IN NS ns1.ex.",
        "ex. 86400 IN NS ns2.ex.",
        "ex. 60 IN SOA ns1.ex. host\\.master.ex. 1 3600 1800 777600 60",
        "ns1.ex. 5 IN A 192.0.2.1",
        "ns1.ex. 5 IN AAAA 2001:db8::1",
        'sub.ex. 86400 IN TXT "a" "b \\" ; c" "d;"',
        "x.other. 86400 IN A 192.0.2.1",
        "x.other. 86400 IN TYPE65280 \\# 3 abcdef",
    ]


# What dnspython reads and writes the same way; names are absolute.
RDATA = [
    ("A", "192.0.2.1"), ("AAAA", "2001:db8::1:0:0:1"), ("NS", "a\\.b.\\000\\255.test."), ("CNAME", "."),
    ("DNAME", "x."), ("PTR", "x."), ("SOA", "a. b. 1 2 3 4 5"), ("MX", "10 mail."), ("TXT", '"a" "" "\\"\\\\\\001"'),
    ("SPF", '"v=spf1 -all"'), ("HINFO", '"cpu" "os"'), ("SRV", "0 65535 443 srv."),
    ("NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:x!" .'), ("DS", "1 13 2 " + "00" * 32), ("CDS", "0 0 0 00"),
    ("DNSKEY", "257 3 13 " + "AB" * 43 + "A="), ("CDNSKEY", "0 3 0 AA=="), ("NSEC", "b. A TYPE65280 RRSIG NSEC"),
    ("RRSIG", "TYPE300 13 2 3600 20300101000000 20290101000000 65535 ex. AAAA"), ("NSEC3PARAM", "1 0 5 -"),
    ("NSEC3", "1 1 10 AABB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX CAA"), ("ZONEMD", "1 1 1 " + "ab" * 48),
    ("TLSA", "3 1 1 " + "cd" * 32), ("SMIMEA", "3 1 0 cd"), ("SSHFP", "4 2 " + "ef" * 32),
    ("CAA", '128 issue "ca.test; a=\\"b\\""'), ("URI", '10 1 "https://x/"'), ("OPENPGPKEY", "AAAA"),
    ("CSYNC", "1 3 A NS AAAA"), ("RP", "a. b."), ("AFSDB", "1 a."), ("CERT", "1 2 8 AAAA"), ("KX", "1 a."),
    ("DHCID", "AAAA"), ("HTTPS", "0 alias."), ("SVCB", "1 . "),
    ("HTTPS", '1 . mandatory="alpn,port" alpn="h2,h3" no-default-alpn port="443" ipv4hint="192.0.2.1,192.0.2.2"'),
    ("SVCB", '2 x. ech="AAQAAQID" ipv6hint="2001:db8::1" key667="hello\\210"'), ("TYPE731", "\\# 3 abcdef"),
    ("TYPE731", "\\# 0"), ("LOC", "\\# 1 00"),
]  # fmt: skip


@pytest.mark.parametrize(("rtype", "text"), RDATA)
def test_rdata_as_dnspython_reads_it_and_back(rtype: str, text: str) -> None:
    if rtype == "LOC":
        assert faults(read(f"a.ex. 1 IN LOC {text}")) == []
        return
    theirs = dns.rdata.from_text("IN", rtype, text).to_generic().to_text()
    zone = read(f"a.ex. 1 IN {rtype} {text}\n")
    assert zone.faults == []
    assert read(f"a.ex. 1 IN TYPE{dns.rdatatype.from_text(rtype):d} {theirs}").faults == []
    (ours,) = lines(zone)
    assert lines(read(f"a.ex. 1 IN {rtype} {theirs}")) == [ours]
    assert lines(read(ours)) == [ours]
    assert dns.rdata.from_text("IN", rtype, ours.split(" ", 4)[4]).to_generic().to_text().lower() == theirs.lower()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a 1 IN A 1.2.3", "syntax"), ("a 1 IN A 1.2.3.4 5", "syntax"), ("a 1 IN MX mail", "syntax"),
        ("a 1 IN", "syntax"), ("a", "syntax"), ("a 1 IN NOTYPE x", "syntax"), ("a 1 IN ANY x", "syntax"),
        ("a 1 IN OPT \\# 0", "syntax"), ("a IN A 192.0.2.1", "syntax"), ("a 4294967295 IN A 192.0.2.1", "ttl"),
        ("a 1 CH A 192.0.2.1", "class"), ("a..b 1 A 192.0.2.1", "syntax"), ("a\\256 1 A 192.0.2.1", "syntax"),
        ('a 1 TXT "x', "unbalanced"), ("a 1 TXT x )", "unbalanced"), ("a 1 TXT ( x", "unbalanced"),
        ("a 1 TXT", "syntax"),
        ("a 1 TXT " + "x" * 256, "syntax"), ("a 1 TXT a\x01b", "syntax"), ("a 1 A \\# 3 c00002", "syntax"),
        ("a 1 A \\# 5 c0000201", "syntax"), ("a 1 DS 1 13 2 0", "syntax"), ("a 1 DNSKEY 256 3 13 A", "syntax"),
        ("a 1 RRSIG A 13 1 1 20301301000000 20290101000000 1 ex. AAAA", "syntax"), ("a 1 NSEC b. WHAT", "syntax"),
        ("a 1 SVCB 1 . port=1 port=2", "syntax"), ("a 1 SVCB 1 . port=x", "syntax"), ("a 1 SVCB 1 . alpn", "syntax"),
        ("a 1 LOC 51 0 0 N 0 0 0 E 0m", "unsupported-presentation"), ("$INCLUDE other", "include-refused"),
        ("$GENERATE 1-9999999 a$ A 192.0.2.1", "generate-refused"), ("$WHAT", "syntax"), ("$TTL x", "ttl"),
        ("$ORIGIN", "syntax"), ("$TTL 1 2", "syntax"),
    ],
)  # fmt: skip
def test_faults_have_a_kind_and_a_line_and_reading_goes_on(text: str, kind: str) -> None:
    zone = read(f"; first\n\n{text}\nz 1 IN A 192.0.2.9\n")
    if text == "a 1 TXT ( x":
        assert (faults(zone), zone.records) == ([(3, "unbalanced")], 0)
    else:
        assert (faults(zone), lines(zone)) == ([(3, kind)], ["z.ex. 1 IN A 192.0.2.9"])


def test_names_without_anything_to_be_relative_to() -> None:
    assert faults(read("a 1 IN A 192.0.2.1\n 1 IN A 192.0.2.1\na. 1 IN NS b", None)) == [
        (1, "syntax"), (2, "syntax"), (3, "syntax"),
    ]  # fmt: skip


def test_a_faulty_owner_is_not_taken_for_the_next_record() -> None:
    zone = read("good 1 A 192.0.2.1\nbad.. 1 A 192.0.2.2\n 1 A 192.0.2.3\n")
    assert (len(zone.faults), zone.records) == (2, 1)


def test_at_most_a_hundred_faults() -> None:
    zone = read("x\n" * 1000)
    assert len(zone.faults) == 100 and zone.faults[-1][:2] == (100, "limit")


def test_an_endless_entry_is_given_up() -> None:
    reader = _core.ZoneReader(None, False)
    fed = 0
    while reader.feed(b"(" + b"x" * 65535):
        fed += 1
        assert fed < 100
    zone = reader.finish()
    assert faults(zone) == [(1, "limit")]


@given(st.lists(st.sampled_from(RDATA), max_size=8), st.integers(1, 40))
def test_pieces_of_any_size_read_the_same(chosen: list[tuple[str, str]], chunk: int) -> None:
    text = "".join(f"n{i} 1 IN {rtype} ( {rdata} ; c\n )\n" for i, (rtype, rdata) in enumerate(chosen))
    assert lines(read(text, chunk=chunk)) == lines(read(text))
    assert len(lines(read(text))) == len(chosen)


TOKENS = st.sampled_from(
    ["(", ")", '"', ";", "\n", " ", "\\", "\\000", "\\#", "@", ".", "$ORIGIN", "$TTL", "IN", "1", "-1", "a.", "=", ","]
    + [word for rtype, text in RDATA for word in (rtype, *text.split(" "))]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(TOKENS, max_size=60).map(lambda t: " ".join(t).encode("latin-1"))))
@example(b"\xef\xbb\xbf@ 1 IN A 192.0.2.1")
@example(b"\xef\xbb")
@example(b'"\\')
@example(b'"\\\n')
@example(b"a\\\r\n")
def test_any_octets_are_read_and_what_is_printed_reads_the_same(octets: bytes) -> None:
    zone = read(octets)
    printed = lines(zone)
    again = read("\n".join(printed), None)
    assert again.faults == []
    assert lines(again) == printed
    zone.audit(1_800_000_000, 1)


TYPES = st.sampled_from([1, 2, 6, 15, 16, 28, 35, 43, 46, 47, 48, 50, 51, 63, 64, 257])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TYPES, st.binary(max_size=80)), max_size=6))
def test_any_record_data_in_generic_form(records: list[tuple[int, bytes]]) -> None:
    text = "@ 1 SOA a b 1 1 1 1 1\n@ 1 DNSKEY 257 3 13 AAAA\n@ 1 NSEC3PARAM 1 0 0 -\n@ 1 NSEC @ A\n"
    for rtype, rdata in records:
        text += "".join(f"{owner} 1 TYPE{rtype} \\# {len(rdata)} {rdata.hex()}\n" for owner in ("@", "x"))
    zone = read(text)
    again = read("\n".join(lines(zone)), None)
    assert again.faults == [] and lines(again) == lines(zone)
    zone.audit(1_800_000_000, 2)


GENERATE = [
    ("1-3 h$ A 192.0.2.$", ["h1.ex. 1 IN A 192.0.2.1", "h2.ex. 1 IN A 192.0.2.2", "h3.ex. 1 IN A 192.0.2.3"]),
    ("0-8/4 a${10,3} 5 IN CNAME $.b", [f"a{i + 10:03}.ex. 5 IN CNAME {i}.b.ex." for i in (0, 4, 8)]),
    ("20-20 x${0,0,x}X${0,4,X}o${0,0,o} A 192.0.2.1", ["x14x0014o24.ex. 1 IN A 192.0.2.1"]),
    ("18-18 ${0,7,n} PTR a.", ["2.1.0.0.ex. 1 IN PTR a."]),
    ('7-7 a$$$ TXT "$ \\$ ; $$"', ['a\\$7.ex. 1 IN TXT "7 $ ; $"']),
]


@pytest.mark.parametrize(("text", "expected"), GENERATE)
def test_generate(text: str, expected: list[str]) -> None:
    zone = read(f"$TTL 1\n$GENERATE {text}\nz. A 192.0.2.9\n")
    assert (zone.faults, lines(zone)) == ([], [*sorted(expected), "z. 1 IN A 192.0.2.9"])


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("1-2", 0), ("1-2 a$", 0), ("2-1 a$ A 192.0.2.1", 0), ("1 a$ A 192.0.2.1", 0), ("1-65537 a$ A 192.0.2.1", 0),
        ("1-2/0 a$ A 192.0.2.1", 0), ("1-9 a${ A 192.0.2.1", 0), ("1-9 a${0,999} A 192.0.2.1", 0),
        ("254-257 a$ A 192.0.2.$", 2), ("1-2 $INCLUDE A", 0), ("1-2 a TXT " + "${0,128}" * 400, 0),
    ],
)  # fmt: skip
def test_generate_that_is_refused(text: str, records: int) -> None:
    zone = read(f"$TTL 1\n$GENERATE {text}\nz. A 192.0.2.9\n")
    assert ([line for line, _ in faults(zone)], zone.records) == ([2], records + 1)


def test_generated_records_are_counted_over_the_whole_file() -> None:
    zone = read("$TTL 1\n" + "$GENERATE 1-32768 a$ A 192.0.2.1\n" * 3)
    assert (faults(zone), zone.records) == ([(4, "generate-refused")], 65536)


def test_included_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "zone").write_text(
        "@ 60 SOA a b 1 1 1 1 1\n$INCLUDE sub/one in\n 60 NS x\n$INCLUDE two.gz\nwrong\n$INCLUDE sub/one also."
    )
    (tmp_path / "sub" / "one").write_text("\n\n$TTL 5\nx A 192.0.2.1\nbad\n$INCLUDE three\ny A 192.0.2.2")
    (tmp_path / "sub" / "three").write_text("\ufeff$ORIGIN three.\nz AAAA ::1\nworse\n")
    (tmp_path / "two.gz").write_bytes(gzip.compress(b"\n\nt 1 TXT two\n"))
    loaded = load_zone(tmp_path / "zone", Name(ORIGIN), includes=True)
    assert lines(loaded.zone) == [
        "x.also. 5 IN A 192.0.2.1", "y.also. 5 IN A 192.0.2.2",
        "ex. 60 IN NS x.ex.", "ex. 60 IN SOA a.ex. b.ex. 1 1 1 1 1",
        "x.in.ex. 5 IN A 192.0.2.1", "y.in.ex. 5 IN A 192.0.2.2", 't.ex. 1 IN TXT "two"',
        "z.three. 5 IN AAAA ::1",
    ]  # fmt: skip
    one, three = f"{tmp_path}/sub/one, line 5: no type", f"{tmp_path}/sub/three, line 3: no type"
    assert loaded.faults == [one, three, f"{tmp_path}/zone, line 5: no type", one, three]
    assert [Path(one.origin).name for one in loaded.included] == ["one", "three", "two.gz", "one", "three"]
    where = {line: loaded.place(line) for _, line, *_ in _core.ZoneDiff(EMPTY, loaded.zone).take(99)}
    sub = [f"{tmp_path}/sub/one, line {line}" for line in (4, 4, 7, 7)]
    assert sorted(where.values()) == sorted(
        ["line 1", "line 3", f"{tmp_path}/two.gz, line 3", f"{tmp_path}/sub/three, line 2", *sub]
    )


def test_includes_that_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret").write_text("s 1 A 192.0.2.1\n")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "fine").write_text("f 1 A 192.0.2.1\n")
    for text, reason in [
        ("../secret", "outside the folder"), (f"{tmp_path}/secret", "outside the folder"), ("link", "outside"),
        ("/dev/zero", "outside the folder"), ("absent", "no such file"), (".", "no such file"),
        ("x" * 5000, "no such file"), ("a\\000", "no such file"), ("zone", "10 deep"), ('"../secret"', "outside"),
    ]:  # fmt: skip
        (folder / "zone").write_text(f"@ 1 SOA a b 1 1 1 1 1\n$INCLUDE {text}\n")
        loaded = load_zone(folder / "zone", Name(ORIGIN), includes=True)
        assert [kind for _, kind, _ in loaded.zone.faults] == ["include-refused"], text
        assert reason in loaded.zone.faults[0][2]
    (folder / "zone").write_text(f"@ 1 SOA a b 1 1 1 1 1\n$INCLUDE {folder}/fine\n")
    assert load_zone(folder / "zone", Name(ORIGIN), includes=True).zone.records == 2
    refused = load_zone(folder / "zone", Name(ORIGIN))
    assert (refused.zone.records, [kind for _, kind, _ in refused.zone.faults]) == (1, ["include-refused"])
    # Files that include each other twice over stay within the number of files.
    (folder / "zone").write_text("@ 1 SOA a b 1 1 1 1 1\n" + "$INCLUDE zone\n" * 30)
    many = load_zone(folder / "zone", Name(ORIGIN), includes=True)
    assert len(many.included) <= 1000 and {kind for _, kind, _ in many.zone.faults} == {"include-refused", "limit"}


def test_files(tmp_path: Path) -> None:
    text = b"@ 1 IN SOA a b 1 1 1 1 1\nx 1 IN A 192.0.2.1\nwrong\n"
    (tmp_path / "zone.gz").write_bytes(gzip.compress(text))
    loaded = load_zone(tmp_path / "zone.gz", Name(ORIGIN))
    assert (loaded.zone.records, str(loaded.apex)) == (2, "ex.")
    assert loaded.faults == [f"{tmp_path}/zone.gz, line 3: no type"]
    (tmp_path / "bad.gz").write_bytes(gzip.compress(text)[:20])
    for name in ("bad.gz", "absent"):
        with pytest.raises(InputError, match=name):
            load_zone(tmp_path / name)
    reader = _core.ZoneReader(None, False)
    reader.finish()
    for late in (reader.finish, lambda: reader.feed(b"")):
        with pytest.raises(ValueError, match="finished"):
            late()
