"""Names: wire and presentation forms, RFC 4343 comparison, RFC 4034 section 6.1 order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.base import ROOT, InputError, Name, printable

labels = st.lists(st.binary(min_size=1, max_size=63), max_size=4)


def wire(parts: list[bytes]) -> bytes:
    return b"".join(bytes([len(p)]) + p for p in parts) + b"\0"


@given(labels)
def test_presentation_form_reads_back_to_the_same_octets(parts: list[bytes]) -> None:
    octets = wire(parts)
    if len(octets) <= 255:
        name = Name.from_wire(octets)
        assert Name.from_text(str(name)).wire == octets
        assert str(name) == printable(str(name))
        assert name.labels == tuple(parts)


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_one_clear_error(text: str) -> None:
    try:
        name = Name.from_text(text)
    except InputError as error:
        assert str(error)
    else:
        assert Name.from_wire(name.wire) == name


@given(st.binary(max_size=300))
def test_any_octets_are_a_name_or_one_clear_error(octets: bytes) -> None:
    try:
        assert Name.from_wire(octets).wire == octets
    except InputError as error:
        assert str(error)


def test_case_is_kept_and_ignored() -> None:
    assert Name.from_text("WWW.Example") == Name.from_text("www.example.")
    assert str(Name.from_text("WWW.Example")) == "WWW.Example."
    assert hash(Name.from_text("A.")) == hash(Name.from_text("a."))


def test_canonical_order_of_rfc_4034_section_6_1() -> None:
    order = ["example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example."]
    names = [Name.from_text(text) for text in order]
    names += [Name.from_wire(wire([b"\x01", b"z", b"example"])), Name.from_text("*.z.example.")]
    names += [Name.from_wire(wire([b"\xc8", b"z", b"example"]))]
    shuffled = names[::-1]
    assert sorted(shuffled) == names


def test_subdomain_compares_whole_labels() -> None:
    example = Name.from_text("example.")
    assert Name.from_text("a.EXAMPLE.").is_subdomain_of(example)
    assert example.is_subdomain_of(ROOT)
    assert not Name.from_text("notexample.").is_subdomain_of(example)
    # A label that ends in the octets of another name is not below it.
    assert not Name.from_wire(wire([b"x\x07example"])).is_subdomain_of(example)


def test_international_names_become_a_labels() -> None:
    assert str(Name.from_text("münchen.example")) == "xn--mnchen-3ya.example."


@pytest.mark.parametrize(
    ("text", "says"),
    [("a..b", "empty label"), ("", "empty"), ("a b.", "space"), ("x" * 64, "at most 63"), ("a\\9z", "escape")],
)
def test_bad_names_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Name.from_text(text)
    with pytest.raises(InputError, match="at most 255"):
        Name.from_text(".".join(["a" * 60] * 5))
