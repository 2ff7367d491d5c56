"""Verdicts as columns: texts as indices."""

from __future__ import annotations

from array import array
from collections import Counter
from hashlib import sha256
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon._core import TextColumn, VerdictColumns, in_order
from gnomon.checks.outcome import Outcome, State
from gnomon.evidence.exchange import EvidenceRef
from gnomon.judge import Judged, Note, Verdict
from gnomon.judge.columns import TEXT_LISTS, TEXTS, Gathering, Piece, plain
from gnomon.judge.store import SCHEMA, to_table
from gnomon.judge.verdict import kind_of

words = st.sampled_from(["", "a", "b", "ä", "c" * 70])
lists = st.lists(words, max_size=4).map(lambda texts: tuple(map(EvidenceRef, texts)))


def _judged(subject: str, code: str, level: str, evidence: tuple[EvidenceRef, ...], fact: str | None) -> Judged:
    kind = kind_of(f"del.{code}", len(code), ("security", "stability")[: 1 + len(code)], code, "observed", level)
    notes = () if fact is None else (Note("class", {"level": fact}),)
    return Judged("z.test.", kind, Outcome(code, {"n": subject}, evidence, State.OBSERVED, subject), notes)


verdicts = st.lists(st.builds(_judged, words, words, words, lists, st.none() | words), max_size=6)


@given(verdicts)
def test_columns_have_what_the_verdicts_have(judged: list[Judged]) -> None:
    made = VerdictColumns()
    digest = made.add("z.test.", judged)
    assert digest == sha256("\n".join(one.row for one in judged).encode()).hexdigest()
    table = plain(to_table(made, "p"))
    assert table.schema.equals(SCHEMA)
    for row, one in zip(table.to_pylist(), judged, strict=True):
        verdict = Verdict.of(one)
        assert (verdict.row, verdict.args_json) == (one.row, one.args_json)
        for name in ("zone", "check_id", "check_version", "subject", "code", "state", "level"):
            assert row[name] == getattr(verdict, name)
        assert (tuple(row["properties"]), row["property"]) == (verdict.properties, verdict.properties[0])
        assert (row["args"], tuple(row["evidence"]), row["profile"]) == (one.args_json, verdict.evidence, "p")
        assert (row["explanation"] == "[]") is (not verdict.explanation)
    assert Counter(one.kind for one in judged) == dict(made.kinds)


@given(verdicts)
def test_verdicts_are_put_in_the_order_of_their_rows(judged: list[Judged]) -> None:
    assert [one.row for one in in_order(judged)] == sorted(one.row for one in judged)


@given(st.lists(st.lists(st.lists(words, max_size=3), min_size=1, max_size=5), min_size=1, max_size=3), st.randoms())
def test_rows_of_several_tables_are_gathered(tables: list[list[list[str]]], random: Random) -> None:
    schema = pa.schema([("text", TEXTS), ("texts", TEXT_LISTS), ("number", pa.int32())])
    arrow = [
        pa.table(
            [pa.array([str(row) for row in of]).dictionary_encode(), pa.array(of, TEXT_LISTS), range(len(of))], schema
        )
        for of in tables
    ]
    rows = [(part, row) for part, of in enumerate(tables) for row in range(len(of))]
    random.shuffle(rows)
    gathering = Gathering(arrow)
    for some in (rows, rows[: 1 + len(rows) // 2]):
        table = gathering.take([(part, row, 1) for part, row in some])
        lists = [tables[part][row] for part, row in some]
        assert table.schema.equals(schema)
        assert plain(table).to_pydict() == {
            "text": list(map(str, lists)), "texts": lists, "number": [row for _, row in some],
        }  # fmt: skip
        used = table["texts"].chunk(0).values.dictionary.to_pylist()
        assert used == list(dict.fromkeys(text for texts in lists for text in texts))


@pytest.mark.parametrize(("indices", "pieces"), [([0, 2], [(0, 0, 2)]), ([0, 1], [(0, 1, 2)]), ([0, 1], [(1, 0, 1)])])
def test_rows_and_words_that_are_not_there_are_refused(indices: list[int], pieces: list[Piece]) -> None:
    words = (array("i", [0, 1, 2]).tobytes(), b"ab")
    with pytest.raises(ValueError, match="do not have"):
        TextColumn([(None, array("i", indices).tobytes(), words)]).take(pieces)
