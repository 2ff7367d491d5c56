"""Reports of other tools beside our verdicts: what agrees, what does not, and files that are no reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.base import InputError, Name
from gnomon.judge import Verdict
from gnomon.judge.compare import compare, read_report


def verdict(check: str, code: str, level: str) -> Verdict:
    return Verdict("example.test.", check, 1, "", ("REL",), code, "observed", level, {}, ())


OURS = [
    verdict("del.lame", "refused", "warning"),
    verdict("ds.matches-dnskey", "one-unmatched", "warning"),
    verdict("soa.refresh-min", "too-low", "notice"),
    verdict("cons.zoneversion", "differs", "warning"),
]
# As zonemaster-cli 5 prints it, and in the object that newer versions put around it.
ZONEMASTER: list[dict[str, Any]] = [
    {"level": "INFO", "tag": "HAS_PARENT", "testcase": "BASIC01", "args": {"zone": "example.test", "pname": "test"}},
    {"level": "WARNING", "tag": "IS_NOT_AUTHORITATIVE", "testcase": "DELEGATION04", "args": {"nsname": "a"}},
    {"level": "WARNING", "tag": "IS_NOT_AUTHORITATIVE", "testcase": "DELEGATION04", "args": {"nsname": "b"}},
    {"level": "ERROR", "tag": "NO_SUCH_TAG_OF_OURS", "testcase": "X", "args": {}},
    {"level": "ERROR", "tag": "NOT_ENOUGH_NS_DEL", "testcase": "DELEGATION01", "args": {}},
]
DNSVIZ = {
    "test.": {"delegation": {"errors": [{"code": "ABOVE"}]}},
    "example.test.": {
        "delegation": {"status": "SECURE", "ds": [{"warnings": [{"code": "SOMETHING"}]}]},
        "queries": {"example.test./IN/SOA": {"error": [{"errors": [{"code": "SERVER_X"}, {"code": "SERVER_X"}]}]}},
    },
}


def stored(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("document", [ZONEMASTER, {"results": ZONEMASTER}])
def test_zonemaster(document: object, tmp_path: Path) -> None:
    report = read_report(stored(tmp_path, document))
    assert (report.peer, report.zone) == ("zonemaster", "example.test.")
    rows = [(row.kind, row.said.tag if row.said else None, [code for code, _ in row.codes])
            for row in compare(report, OURS)]  # fmt: skip
    assert rows[:3] == [
        ("both", "IS_NOT_AUTHORITATIVE", ["del.lame/refused"]),
        ("theirs", "NOT_ENOUGH_NS_DEL", []),
        ("no counterpart", "NO_SUCH_TAG_OF_OURS", []),
    ]
    assert ("ours", None, ["ds.matches-dnskey/one-unmatched"]) in rows
    assert rows[-1] == ("only ours", None, ["cons.zoneversion/differs"])
    assert compare(report, OURS)[0].said.times == 2  # type: ignore[union-attr]


def test_dnsviz(tmp_path: Path) -> None:
    path = stored(tmp_path, DNSVIZ)
    report = read_report(path)
    assert (report.peer, report.zone) == ("dnsviz", "example.test.")
    assert [(said.tag, said.level, said.times) for said in report.messages] == [
        ("SERVER_X", "error", 2), ("SOMETHING", "warning", 1)
    ]  # fmt: skip
    assert [said.tag for said in read_report(path, Name.from_text("test.")).messages] == ["ABOVE"]
    with pytest.raises(InputError, match=r"nothing about nowhere\."):
        read_report(path, Name.from_text("nowhere."))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a.", "results", "tag", "level", "args", "errors", "code", "zone"]), inner)
    ),
    max_leaves=12,
)


@given(_JSON | st.binary(max_size=40))
def test_any_file(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    try:
        compare(read_report(path), OURS)
    except InputError as error:
        assert str(path) in str(error) or "domain name" in str(error)
