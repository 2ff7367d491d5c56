"""Denial of existence: proofs over whole zones, compared with what really exists."""

from __future__ import annotations

import base64

import dns.rdata
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.base import Name, RRType
from gnomon.base.codes import DS, NS, NSEC, NSEC3, SOA, A
from gnomon.checks.proofs import (
    MAX_HASHES_PER_RESPONSE,
    MAX_ITERATIONS,
    Denial,
    Proof,
    hash_of_label,
    hashed_span,
)
from gnomon.wire import RRset, dnssec

ZONE = Name.from_text("example.test.")
APEX = frozenset({int(NS), int(SOA), 46, 47, 48})
CUT = frozenset({int(NS), 46, 47})


def name(text: str) -> Name:
    return Name.from_text(f"{text}.example.test." if text else "example.test.")


def nsec(owner: Name, next_name: Name, types: frozenset[int]) -> RRset:
    text = f"{next_name} {' '.join(str(RRType(t)) for t in sorted(types))}"
    return RRset(owner, NSEC, 1, 60, (dns.rdata.from_text(1, 47, text).to_wire(),))


def nsec_chain(nodes: dict[Name, frozenset[int]]) -> list[RRset]:
    owners = sorted(nodes)
    return [nsec(o, owners[(i + 1) % len(owners)], nodes[o]) for i, o in enumerate(owners)]


def nsec3(owner: bytes, after: bytes, types: frozenset[int], flags: int = 0, iterations: int = 0) -> RRset:
    label = base64.b32hexencode(owner).lower()
    following = base64.b32hexencode(after).decode().lower()
    text = f"1 {flags} {iterations} - {following} {' '.join(str(RRType(t)) for t in sorted(types))}"
    return RRset(ZONE.prepend(label), NSEC3, 1, 60, (dns.rdata.from_text(1, 50, text).to_wire(),))


def nsec3_chain(nodes: dict[Name, frozenset[int]], flags: int = 0, iterations: int = 0) -> list[RRset]:
    with_ents = {a: frozenset[int]() for n in nodes for a in n.ancestors() if a.is_subdomain_of(ZONE)} | nodes
    computed = min(iterations, MAX_ITERATIONS)  # what claims more is refused before any hash is looked at
    hashes = {dnssec.nsec3_hash(n, 1, computed, b"") or b"": types for n, types in with_ents.items()}
    order = sorted(hashes)
    return [nsec3(h, order[(i + 1) % len(order)], hashes[h], flags, iterations) for i, h in enumerate(order)]


NODES = {
    name(""): APEX,
    name("a"): frozenset({int(A), 46, 47}),
    name("sub"): CUT,
    name("signed"): CUT | {int(DS)},
    name("x.y"): frozenset({int(A), 46, 47}),
}


@pytest.mark.parametrize("chain", [nsec_chain(NODES), nsec3_chain(NODES)], ids=["NSEC", "NSEC3"])
class TestProofs:
    def test_absent_name(self, chain: list[RRset]) -> None:
        assert Denial(ZONE, chain).no_name(name("nothing")) is Proof.PROVEN
        assert Denial(ZONE, chain).no_name(name("deep.down.nothing")) is Proof.PROVEN

    def test_existing_name(self, chain: list[RRset]) -> None:
        for text in ("", "a", "x.y", "y"):
            assert Denial(ZONE, chain).no_name(name(text)) is Proof.FAILS

    def test_below_a_delegation_nothing_is_denied(self, chain: list[RRset]) -> None:
        assert Denial(ZONE, chain).no_name(name("www.sub")) is Proof.FAILS

    def test_absent_type(self, chain: list[RRset]) -> None:
        denial = Denial(ZONE, chain)
        assert denial.no_type(name("a"), 65280) is Proof.PROVEN
        assert denial.no_type(name("a"), A) is Proof.FAILS
        assert denial.no_type(name("y"), A) is Proof.PROVEN

    def test_ds_is_denied_at_the_cut_only(self, chain: list[RRset]) -> None:
        denial = Denial(ZONE, chain)
        assert denial.no_type(name("sub"), DS) is Proof.PROVEN
        assert denial.no_type(name("signed"), DS) is Proof.FAILS
        assert denial.no_type(name("a"), DS) is Proof.FAILS  # no delegation there at all
        assert denial.no_type(name(""), DS) is Proof.FAILS  # the child's own apex

    def test_types_at_a_cut_are_the_childs(self, chain: list[RRset]) -> None:
        assert Denial(ZONE, chain).no_type(name("sub"), A) is Proof.FAILS

    def test_wildcard_answer(self, chain: list[RRset]) -> None:
        assert Denial(ZONE, chain).no_closer(name("nothing"), 2) is Proof.PROVEN
        assert Denial(ZONE, chain).no_closer(name("a"), 2) is Proof.FAILS

    def test_without_the_wildcards_proof(self, chain: list[RRset]) -> None:
        """One record that covers the name is not enough unless it covers the wildcard too."""
        some = [r for r in chain if Denial(ZONE, [r]).no_closer(name("nothing"), 2) is Proof.PROVEN]
        assert len(some) == 1
        assert Denial(ZONE, some).no_name(name("nothing")) in (Proof.FAILS, Proof.PROVEN)
        assert Denial(ZONE, []).no_name(name("nothing")) is Proof.MISSING


def test_compact_denial() -> None:
    """RFC 9824: NODATA for a name that exists only in this answer."""
    owner = name("nothing")
    one = nsec(owner, Name.from_text("\\000.nothing.example.test."), frozenset({46, 47, 128}))
    assert Denial(ZONE, [one]).no_type(owner, A) is Proof.PROVEN
    assert Denial(ZONE, [one]).no_name(owner) is Proof.PROVEN
    assert not Denial(ZONE, [one]).lacking_for_no_name(owner)


def test_a_wildcard_has_to_be_the_closest() -> None:
    chain = nsec_chain(NODES)
    assert Denial(ZONE, chain).no_closer(name("q"), 2) is Proof.PROVEN
    assert Denial(ZONE, chain).no_closer(name("q.y"), 3) is Proof.PROVEN
    assert Denial(ZONE, chain).no_closer(name("q.y"), 2) is Proof.FAILS, "y exists"


def test_a_next_name_outside_the_zone_covers_nothing() -> None:
    one = nsec(name(""), Name.from_text("zzz.test."), APEX)
    assert Denial(ZONE, [one]).no_name(name("nothing")) is Proof.FAILS


def test_opt_out() -> None:
    signed = {n: types for n, types in NODES.items() if n != name("sub")}
    chain = nsec3_chain(signed, flags=1)
    assert Denial(ZONE, chain).no_type(name("sub"), DS) is Proof.OPTED_OUT
    assert Denial(ZONE, chain).no_name(name("nothing")) is Proof.OPTED_OUT
    assert Denial(ZONE, nsec3_chain(signed)).no_type(name("sub"), DS) is Proof.FAILS
    assert Denial(ZONE, chain).no_type(name("sub"), A) is Proof.OPTED_OUT, "it may be a name above delegations"


def test_costs_are_bounded() -> None:
    assert Denial(ZONE, nsec3_chain(NODES, iterations=51)).no_name(name("nothing")) is Proof.TOO_COSTLY
    assert Denial(ZONE, nsec3_chain(NODES, iterations=50)).no_name(name("nothing")) is Proof.PROVEN
    deep = name(".".join("b" for _ in range(MAX_HASHES_PER_RESPONSE + 5)))
    assert Denial(ZONE, nsec3_chain(NODES)).no_name(deep) is Proof.TOO_COSTLY


def test_unknown_flags_and_owners_are_ignored() -> None:
    (record,) = nsec3(b"\1" * 20, b"\2" * 20, APEX, flags=2).rdatas
    assert hashed_span(ZONE, ZONE.prepend(b"0" * 32), record) is None
    (record,) = nsec3(b"\1" * 20, b"\2" * 20, APEX).rdatas
    assert hashed_span(ZONE, ZONE.prepend(b"0" * 32), record) is not None
    assert hashed_span(ZONE, ZONE.prepend(b"not base32!"), record) is None
    assert hashed_span(ZONE, Name.from_text("."), record) is None
    assert hashed_span(ZONE, name("a.b"), record) is None


labels = st.sampled_from(["a", "b", "c", "*", "m.n", "z.a"])


@settings(max_examples=150, deadline=None)
@given(st.sets(labels, max_size=4), st.sampled_from(["a", "b", "d", "n", "q.a", "q.b", "m.n", "x.m.n"]), st.booleans())
def test_never_denies_what_exists(names: set[str], asked: str, hashed: bool) -> None:
    """With every record of a zone at hand, absence is proven exactly for names that nothing answers."""
    nodes = {name(text): frozenset({int(A), 46, 47}) for text in names} | {name(""): APEX}
    qname = name(asked)
    existing = {a for n in nodes for a in n.ancestors()}
    encloser = next(a for a in qname.ancestors() if a in existing)
    absent = qname not in existing and encloser.prepend(b"*") not in nodes
    chain = nsec3_chain(nodes) if hashed else nsec_chain(nodes)
    assert (Denial(ZONE, chain).no_name(qname) is Proof.PROVEN) == absent
    if qname in nodes:
        assert Denial(ZONE, chain).no_type(qname, A) is Proof.FAILS
        assert Denial(ZONE, chain).no_type(qname, 65280) is Proof.PROVEN


@given(st.binary(min_size=1, max_size=40))
def test_the_hash_of_a_label_is_what_was_written_there(hashed: bytes) -> None:
    label = base64.b32hexencode(hashed)
    assert hash_of_label(label) == hash_of_label(label.lower()) == hashed


@pytest.mark.parametrize("label", [b"*", b"www", b"0123456w", b" 1234567", b"0_234567", b"+1234567"])
def test_a_label_that_is_no_hash_has_none(label: bytes) -> None:
    assert hash_of_label(label) is None
