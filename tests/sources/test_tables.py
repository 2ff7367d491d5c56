"""Routing tables, address maps, zone lists, algorithms and operators."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.base import InputError, Name
from gnomon.sources import (
    ALGORITHMS,
    DIGESTS,
    default_hints,
    operator_key,
    read_address_map,
    read_routes,
    read_zone_list,
)
from gnomon.sources.algorithms import PROVENANCE

Write = Callable[..., Path]

ASN = """\
first,last,asn,name
8.0.0.0,8.0.0.255,64500,Example One
2a00::,2a00:0:ffff:ffff:ffff:ffff:ffff:ffff,4200000000,"Two, Inc."
1.0.0.0,1.0.0.255,13335,
2a01::,2a01::,64501,Three
"""


def test_routes_of_both_families_in_any_order(write: Write) -> None:
    routes = read_routes([write(ASN)])
    assert len(routes) == 4
    found = routes.route(ip_address("8.0.0.255"))
    assert found is not None and (found.asn, found.name) == (64500, "Example One")
    assert (found.first, found.last) == (ip_address("8.0.0.0"), ip_address("8.0.0.255"))
    found = routes.route(ip_address("2a00:0:1::1"))
    assert found is not None and (found.asn, found.name) == (4200000000, "Two, Inc.")
    found = routes.route(ip_address("1.0.0.0"))
    assert found is not None and (found.asn, found.name) == (13335, None)
    for outside in ("0.255.255.255", "1.0.1.0", "8.0.1.0", "255.255.255.255", "::", "2a01::1", "2a02::"):
        assert routes.route(ip_address(outside)) is None


def test_as_names_come_from_their_own_table(write: Write) -> None:
    names = write(gzip.compress(b'asn,handle,org,cc\n13335,CF,"Cloud, Inc.",US\n64501,H,,\n7,,,\n'), "as.csv.gz")
    routes = read_routes([write(ASN)], names)
    assert [routes.route(ip_address(a)).name for a in ("1.0.0.1", "2a01::")] == ["Cloud, Inc.", "Three"]  # type: ignore[union-attr]
    assert [source.origin for source in routes.provenance] == [str(names.with_name("input")), str(names)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f'1.0.0.0,1.0.0.255,1,"{"x" * 200_000}"\n', "line 1: field larger"),
        ("1.0.0.0,1.0.0.255\n", "line 1: 2 fields instead of first,last,asn,name"),
        ("first,last,asn\n1.0.0.0,x,1\n", "line 2: '1.0.0.0' to 'x' is no range"),
        ("1.0.0.0,2a00::,1\n", "line 1: '1.0.0.0' to '2a00::' is no range"),
        ("1.0.0.9,1.0.0.0,1\n", "line 1: the range 1.0.0.9 to 1.0.0.0 ends before it begins"),
        ("1.0.0.0,1.0.0.0,AS1\n", "line 1: 'AS1' is no AS number"),
        ("1.0.0.0,1.0.0.0,4294967296\n", "line 1: '4294967296' is no AS number"),
        ("1.0.0.0,1.0.0.9,1\n1.0.0.9,1.0.0.10,2\n", "1.0.0.0 to 1.0.0.9 and 1.0.0.9 to 1.0.0.10 of the"),
        ("::1,::5,1\n::,::1,2\n", ":: to ::1 and ::1 to ::5 of the routing table overlap"),
    ],
)
def test_bad_routing_tables_are_refused(write: Write, content: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read_routes([write(content)])
    assert message in str(raised.value)


def test_a_table_of_as_names_needs_its_header(write: Write) -> None:
    routes = write(ASN)
    for content, message in (
        ("1,2,3\n", "line 1: no header"),
        ("", "line 1"),
        ("asn,handle,org\n1,2\n", "line 2: 2 fields"),
    ):
        with pytest.raises(InputError, match=message):
            read_routes([routes], write(content, "names"))


_RANGES = st.lists(st.integers(0, 300), min_size=2, max_size=30, unique=True).map(sorted)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_RANGES, st.booleans(), st.randoms(use_true_random=False))
def test_lookups_find_what_a_search_through_all_finds(write: Write, cuts: list[int], v6: bool, random: object) -> None:
    kind, base = (IPv6Address, (0x2A00 << 112) + (1 << 64) - 150) if v6 else (IPv4Address, 0x08000000)
    ranges = [(a, b, n) for n, (a, b) in enumerate(zip(cuts[::2], cuts[1::2], strict=False))]
    lines = [f"{kind(base + a)},{kind(base + b)},{n}\n" for a, b, n in ranges]
    random.shuffle(lines)  # type: ignore[attr-defined]
    routes = read_routes([write("".join(lines))])
    for number in range(-1, 302):
        expected = [n for a, b, n in ranges if a <= number <= b]
        found = routes.route(kind(base + number))
        assert ([] if found is None else [found.asn]) == expected


@pytest.mark.real
def test_the_root_servers_are_found_in_the_real_table(real: Callable[[str], Path]) -> None:
    routes = read_routes([real("asn/ip2asn-v4.csv.gz"), real("asn/ip2asn-v6.csv.gz")], real("asn/as.csv.gz"))
    assert len(routes) == 449_259 + 119_979
    found = [routes.route(address) for addresses in default_hints().servers.values() for address in addresses]
    assert all(found) and len(found) == 26
    assert [route.asn for route in found[20:22] if route] == [25152, 25152]
    assert found[20] is not None and found[20].name is not None and "K-Root" in found[20].name


def test_address_maps(write: Write) -> None:
    mapped = read_address_map(write("real,loopback\n8.0.0.1,127.0.0.2\n2a00::1,::1\n"))
    assert mapped.loopback == {
        ip_address("8.0.0.1"): ip_address("127.0.0.2"),
        ip_address("2a00::1"): ip_address("::1"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("8.0.0.1,8.0.0.2\n", "line 1: 8.0.0.2 is not a loopback address"),
        ("8.0.0.1,127.0.0.1\n8.0.0.1,127.0.0.2\n", "line 2: 8.0.0.1 is mapped a second time"),
        ("8.0.0.1\n", "line 1: 1 fields instead of real,loopback"),
        ("x,127.0.0.1\n", "line 1: 'x' is not an IPv4 or IPv6 address"),
    ],
)
def test_bad_address_maps_are_refused(write: Write, content: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read_address_map(write(content))
    assert message in str(raised.value)


def test_zone_lists(write: Write) -> None:
    listed = read_zone_list(write("\ufeff# all\nExample.TEST\nexample.test.  # again\n\nbücher.example\n.\n"))
    assert [str(zone) for zone in listed.zones] == ["Example.TEST.", "xn--bcher-kva.example.", "."]
    with pytest.raises(InputError, match=r"line 2: the domain name 'a\.\.b' has an empty label"):
        read_zone_list(write("ok.\na..b\n"))
    with pytest.raises(InputError, match="no zone name"):
        read_zone_list(write("# nothing\n"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text()
    | st.binary()
    | st.lists(st.sampled_from(["1.0.0.0", "::1", "127.0.0.1", ",", "5", "\n", '"', "#", "first", "asn", "\x00"])).map(
        "".join
    )
)
def test_whatever_is_in_a_file_only_an_input_error_comes(write: Write, content: str | bytes) -> None:
    path = write(content)
    good = write("1.0.0.0,1.0.0.1,5\n", "good")
    for read in (read_zone_list, read_address_map, lambda p: read_routes([p]), lambda p: read_routes([good], p)):
        try:
            read(path)
        except InputError as error:
            assert "\x1b" not in str(error)


def test_algorithms_and_digests_say_what_the_rfcs_say() -> None:
    assert ALGORITHMS[8].use_signing == "RECOMMENDED" and ALGORITHMS[8].mnemonic == "RSASHA256"
    assert [number for number, row in ALGORITHMS.items() if row.use_signing == "MUST NOT"] == [1, 3, 5, 6, 7, 12]
    assert [number for number, row in ALGORITHMS.items() if row.implement_signing == "MUST"] == [8, 13]
    assert ALGORITHMS[5].use_validation == "RECOMMENDED" and ALGORITHMS[0].use_signing is None
    assert ALGORITHMS[0].number == 0 and 4 not in ALGORITHMS
    assert [number for number, row in DIGESTS.items() if row.use_delegation == "MUST NOT"] == [0, 1, 3]
    assert DIGESTS[2].use_delegation == "RECOMMENDED" and "RFC 9905" in DIGESTS[1].source
    assert PROVENANCE.date == "2025-11" and len(PROVENANCE.sha256) == 64


@pytest.mark.parametrize(
    ("server", "operator"),
    [
        ("a.root-servers.net.", "root-servers.net."),
        ("NS-1.awsdns-01.co.uk.", "awsdns-01.co.uk."),
        ("ns1.example.test.", "example.test."),
        ("a.nic.de.", "nic.de."),
        ("de.", "de."),
        (".", "."),
        ("ns1.foo.github.io.", "github.io."),
        (r"a\.b.ns.example.com.", "example.com."),
        (r"ns.a\.b.com.", r"a\.b.com."),
        ("ns.bücher.example.com.", "example.com."),
    ],
)
def test_the_operator_is_the_registrable_domain(server: str, operator: str) -> None:
    assert operator_key(Name.from_text(server)) == Name.from_text(operator)


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5))
def test_the_operator_is_an_ancestor_of_any_name(labels: list[bytes]) -> None:
    name = Name(b"".join(bytes([len(label)]) + label for label in labels) + b"\x00")
    assert name.is_subdomain_of(operator_key(name))
