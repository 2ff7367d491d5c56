"""Verdicts as columns: texts as indices."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon._core import renumbered
from gnomon.checks.outcome import Outcome, State
from gnomon.evidence.exchange import EvidenceRef
from gnomon.judge import Judged, Note
from gnomon.judge.store import SCHEMA, plain, to_table
from gnomon.judge.verdict import kind_of, row_of

words = st.sampled_from(["", "a", "b", "ä", "c" * 70])
lists = st.lists(words, max_size=4).map(lambda texts: tuple(map(EvidenceRef, texts)))


def _judged(subject: str, code: str, level: str, evidence: tuple[EvidenceRef, ...], fact: str | None) -> Judged:
    kind = kind_of(f"del.{code}", len(code), ("security", "stability")[: 1 + len(code)], code, "observed", level)
    notes = () if fact is None else (Note("class", {"level": fact}),)
    row, args = row_of("z.test.", kind, subject, {"n": subject}, evidence, notes)
    return Judged(row, args, "z.test.", kind, Outcome(code, {"n": subject}, evidence, State.OBSERVED, subject), notes)


@given(st.lists(st.builds(_judged, words, words, words, lists, st.none() | words), max_size=6))
def test_columns_have_what_the_verdicts_have(judged: list[Judged]) -> None:
    table = plain(to_table(judged, "p"))
    assert table.schema.equals(SCHEMA)
    for row, one in zip(table.to_pylist(), judged, strict=True):
        verdict = one.verdict
        for name in ("zone", "check_id", "check_version", "subject", "code", "state", "level"):
            assert row[name] == getattr(verdict, name)
        assert (tuple(row["properties"]), row["property"]) == (verdict.properties, verdict.properties[0])
        assert (row["args"], tuple(row["evidence"]), row["profile"]) == (one.args_json, verdict.evidence, "p")
        assert (row["explanation"] == "[]") is (not verdict.explanation)


@given(st.lists(st.integers(0, 5), max_size=12))
def test_only_words_that_are_used_keep_a_place(indices: list[int]) -> None:
    made = renumbered(array("i", indices).tobytes(), 6)
    if made is None:
        assert list(dict.fromkeys(indices)) == list(range(6))
        return
    new, used = (memoryview(octets).cast("i").tolist() if octets else [] for octets in made)
    assert used == list(dict.fromkeys(indices))
    assert [used[index] for index in new] == indices


def test_an_index_beyond_the_words_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        renumbered(array("i", [0, 2]).tobytes(), 2)
