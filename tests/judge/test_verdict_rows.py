from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon._core import canonical
from gnomon.judge import Note, Verdict

texts = st.text(st.characters(codec=None), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda of: st.lists(of) | st.lists(of).map(tuple) | st.dictionaries(texts, of))
plain = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@given(values)
def test_the_one_form_is_that_of_sorted_json_without_spaces(value: object) -> None:
    assert canonical(value) == plain.encode(value)


@given(texts, st.dictionaries(texts, st.integers() | texts), st.lists(st.text("ab:12")), texts)
def test_a_row_reads_back(subject: str, args: dict[str, int | str], evidence: list[str], fact: str) -> None:
    notes = (Note("class", {"level": fact}),)
    verdict = Verdict("a.test.", "del.lame", 1, subject, ("stability",), "lame", "observed", "error", args,
                      tuple(evidence), notes)  # fmt: skip
    assert Verdict.from_row(verdict.row) == verdict
    assert verdict.args_json == plain.encode(args)


def test_what_is_no_json_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    for value in (object(), {1: object()}):
        with pytest.raises(TypeError):
            canonical(value)
    with pytest.raises(ValueError):
        canonical(endless)
