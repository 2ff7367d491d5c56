"""Examining signatures: times by serial arithmetic, budgets, and what each state means."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.base import Name
from gnomon.base.codes import DNSKEY
from gnomon.checks.signed import Key
from gnomon.checks.validation import (
    MAX_KEYS_PER_TAG,
    MAX_SIGNATURES_PER_RRSET,
    SignatureState,
    Validator,
    describe,
    iso,
    key_label,
    keys_of,
    moment_s,
)
from gnomon.checks.view import ZoneView
from gnomon.lab import Scenario
from gnomon.wire import RRset, dnssec
from worlds import view_of

ZONE = Name.from_text("example.test.")


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> ZoneView:
    return view_of(Scenario("healthy", (), (), {}, ()), tmp_path_factory.mktemp("healthy"))


@pytest.fixture(scope="module")
def keyset(view: ZoneView) -> RRset:
    return next(iter(view.apex_rrset(DNSKEY).values()))


@pytest.fixture(scope="module")
def keys(keyset: RRset) -> tuple[Key, ...]:
    return keys_of(keyset.rdatas)


def with_rrsig(keyset: RRset, *signatures: bytes) -> RRset:
    return RRset(keyset.owner, keyset.rtype, keyset.rclass, keyset.ttl_s, keyset.rdatas, signatures)


def test_a_good_signature(view: ZoneView, keyset: RRset, keys: tuple[Key, ...]) -> None:
    examined = Validator(view.observed_at).examine(keyset, ZONE, keys)
    assert not examined.failure
    assert len(examined.valid) == 1
    assert describe(examined, view.observed_at) == ""


@pytest.mark.parametrize(
    ("offset", "octets", "state"),
    [
        (16, b"\0\0", SignatureState.NO_KEY),
        (2, b"\x0f", SignatureState.NO_KEY),
        (3, b"\x09", SignatureState.BAD_LABELS),
        (18, b"\x07EXAMPLF", SignatureState.WRONG_SIGNER),
        (8, b"\0\0\0\0", SignatureState.EXPIRED),
        (40, b"\xff\xff\xff", SignatureState.INVALID),
    ],
)
def test_states(
    view: ZoneView, keyset: RRset, keys: tuple[Key, ...], offset: int, octets: bytes, state: SignatureState
) -> None:
    good = keyset.signatures[0]
    bad = good[:offset] + octets + good[offset + len(octets) :]
    examined = Validator(view.observed_at).examine(with_rrsig(keyset, bad), ZONE, keys)
    assert examined.failure == state.value
    assert "example.test" in describe(examined, view.observed_at).lower()
    beside = Validator(view.observed_at).examine(with_rrsig(keyset, bad, good), ZONE, keys)
    assert beside.failure == ""


def test_missing_and_unreadable(view: ZoneView, keyset: RRset, keys: tuple[Key, ...]) -> None:
    validator = Validator(view.observed_at)
    assert validator.examine(with_rrsig(keyset), ZONE, keys).failure == "missing"
    assert validator.examine(with_rrsig(keyset, b"\0" * 5), ZONE, keys).failure == "malformed"


def test_time_comes_from_the_caller(keyset: RRset, keys: tuple[Key, ...], view: ZoneView) -> None:
    day_s = 86_400
    for by_s, state in ((-3 * day_s, "not-yet-valid"), (40 * day_s, "expired"), (0, "")):
        assert Validator(view.observed_at + by_s).examine(keyset, ZONE, keys).failure == state


def test_keys_that_must_not_sign(view: ZoneView, keyset: RRset, keys: tuple[Key, ...]) -> None:
    """Without the zone flag or with another protocol a key is as if it were not there."""
    for flags, protocol in ((1, 3), (257, 2)):
        crafted = keys_of(tuple(struct.pack("!HB", flags, protocol) + key.rdata[3:] for key in keys))
        # The tag changes with the flags: give the signature the tag of the crafted key.
        for key in crafted:
            tagged = keyset.signatures[0][:16] + key.dnskey.key_tag.to_bytes(2, "big") + keyset.signatures[0][18:]
            examined = Validator(view.observed_at).examine(with_rrsig(keyset, tagged), ZONE, crafted)
            assert examined.failure == "no-key"


def test_budget_of_the_zone(view: ZoneView, keyset: RRset, keys: tuple[Key, ...]) -> None:
    spent = Validator(view.observed_at, verifications=0).examine(keyset, ZONE, keys)
    assert spent.failure == "not-checkable"
    assert spent.best is not None and spent.best.reason == "budget"
    one = Validator(view.observed_at, verifications=1)
    assert [one.examine(keyset, ZONE, keys).failure for _ in range(3)] == ["", "", ""]


def test_caps_on_signatures_and_keys(
    view: ZoneView, keyset: RRset, keys: tuple[Key, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bytes] = []

    def count(rrset: RRset, rrsig: bytes, key: bytes) -> dnssec.Verification:
        calls.append(key)
        return dnssec.Verification(dnssec.State.INVALID)

    monkeypatch.setattr(dnssec, "verify", count)
    ksk = next(key for key in keys if key.dnskey.is_sep)
    many = tuple(replace(ksk, rdata=ksk.rdata + bytes([n])) for n in range(20))  # same tag by construction below
    signatures = tuple(keyset.signatures[0][:-1] + bytes([n]) for n in range(20))
    examined = Validator(view.observed_at).examine(with_rrsig(keyset, *signatures), ZONE, many)
    assert len(calls) == MAX_SIGNATURES_PER_RRSET * MAX_KEYS_PER_TAG
    assert len(examined.signatures) == 20
    assert all(one.reason == "budget" for one in examined.signatures), "of each, keys or the whole were left untried"


@settings(deadline=None)
@given(st.integers(0, 2**34), st.integers(-(2**31) + 1, 2**31 - 1))
def test_serial_times(now_s: int, ahead_s: int) -> None:
    """The 32-bit stamp of any moment within 68 years comes back as that moment, also after 2106."""
    assert moment_s((now_s + ahead_s) % 2**32, now_s) == now_s + ahead_s


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63))
def test_iso_never_raises(seconds: int) -> None:
    assert iso(seconds)


def test_texts() -> None:
    assert iso(1_793_491_200) == "2026-11-01T00:00:00Z"
    assert key_label(12345, 13) == "12345/ECDSAP256SHA256"
    assert key_label(1, 99) == "1/99"
