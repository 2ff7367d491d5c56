"""The formats against their specification: an independent program, published vectors, round trips."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gnomon._core import MerkleTree, Recording, Rows
from gnomon.base import InputError, Name, Transport
from gnomon.base.provenance import Provenance
from gnomon.engine import Status
from gnomon.evidence import EvidenceDir, Exchange, Manifest, RunInfo, Undelegated
from gnomon.evidence.row import changed_rows, exchanges_from, record, rows_of, table_of

# The leaves and roots of the Certificate Transparency reference implementation (RFC 6962, same tree as RFC 9162).
_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_tree_has_the_published_roots() -> None:
    assert MerkleTree().root() == sha256(b"").digest()
    tree = MerkleTree()
    for size, (leaf, root) in enumerate(zip(_LEAVES, _ROOTS, strict=True), start=1):
        tree.extend(sha256(b"\x00" + bytes.fromhex(leaf)).digest())
        assert (tree.size, tree.root().hex()) == (size, root)


@given(st.integers(0, 70), st.integers(1, 9))
def test_the_tree_does_not_depend_on_how_leaves_come(size: int, step: int) -> None:
    leaves = [sha256(bytes([n])).digest() for n in range(size)]
    one, many = MerkleTree(), MerkleTree()
    one.extend(b"".join(leaves))
    for at in range(0, size, step):
        many.extend(b"".join(leaves[at : at + step]))
    assert one.root() == many.root()


_names = st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4).map(
    lambda labels: Name(b"".join(bytes([len(label)]) + label for label in labels) + b"\x00")
)
_exchanges = st.builds(
    Exchange,
    seq=st.integers(0, 2**63 - 1),
    subject=st.sampled_from(["zone a.example.", "zone b.example.", "server 192.0.2.1", "cut ."]),
    ask=st.text(max_size=3),
    server_name=st.none() | _names,
    address=st.ip_addresses(),
    port=st.integers(0, 65535),
    transport=st.sampled_from(Transport),
    attempt=st.integers(0, 65535),
    sent_at_ns=st.integers(-(2**63), 2**63 - 1),
    rtt_us=st.none() | st.integers(0, 2**32 - 1),
    local_port=st.integers(0, 65535),
    status=st.sampled_from(Status),
    os_error=st.integers(-(2**31), 2**31 - 1),
    query=st.binary(max_size=40),
    response=st.none() | st.binary(max_size=40),
    vantage=st.text(max_size=5),
)


def _rows(exchanges: list[Exchange]) -> Rows:
    recordings = {exchange.subject: Recording(exchange.subject) for exchange in exchanges}
    for exchange in exchanges:
        record(recordings[exchange.subject], exchange)
    return Rows.of(list(recordings.values()))


def _key(exchange: Exchange) -> tuple[str, str, str, int, int]:
    return exchange.subject, str(exchange.address), exchange.ask, exchange.attempt, exchange.seq


@given(st.lists(_exchanges, max_size=12, unique_by=_key))
def test_rows_are_read_back_as_they_were_in_order(exchanges: list[Exchange]) -> None:
    rows = _rows(exchanges)
    leaves = rows.leaves()
    table = table_of(rows, leaves)
    read = exchanges_from(table, "ab" * 32, 7)
    assert [replace(exchange, ref=None) for exchange in read] == sorted(exchanges, key=_key)
    assert [exchange.ref for exchange in read] == [f"{'ab' * 32}:{row}" for row in range(7, 7 + len(read))]
    wires = {exchange.server_name.wire for exchange in exchanges if exchange.server_name}
    assert {exchange.server_name.wire for exchange in read if exchange.server_name} == wires
    assert rows_of(table).leaves() == leaves
    assert rows.out_of_order() == changed_rows(table, leaves) == []
    assert rows.subjects() == [(subject, len(list(of))) for subject, of in groupby(x.subject for x in read)]


@given(st.lists(_exchanges, min_size=1, max_size=12, unique_by=_key), st.integers(0, 12))
def test_a_part_of_the_rows_has_their_values(exchanges: list[Exchange], first: int) -> None:
    rows = _rows(exchanges)
    leaves = rows.leaves()
    table = table_of(rows, leaves, first)
    assert table.to_pylist() == table_of(rows, leaves).slice(first).to_pylist()
    part = rows_of(table)
    assert part.leaves() == leaves[32 * first :]
    assert rows_of(table_of(rows, leaves).slice(first)).leaves() == leaves[32 * first :]
    assert part.out_of_order(rows) == ([0] if first < len(rows) - 1 else [])


@given(st.lists(_exchanges, min_size=2, max_size=2))
def test_different_exchanges_have_different_leaves(exchanges: list[Exchange]) -> None:
    one, two = (_rows([exchange]).leaves() for exchange in exchanges)
    case_kept = [exchange.server_name and exchange.server_name.wire for exchange in exchanges]
    assert (one == two) == (exchanges[0] == exchanges[1] and case_kept[0] == case_kept[1])


def test_columns_that_do_not_fit_together_are_refused() -> None:
    rows = _rows([])
    with pytest.raises(ValueError, match="a column is missing"):
        Rows.read(0, {})
    with pytest.raises(ValueError, match="too few rows"):
        Rows.read(1, rows.columns(0, 1))
    one = Recording("cut .")
    one.add(1, "C1", None, "192.0.2.1", 53, 0, 1, 5, None, 40000, 1, 0, b"query", None, "here")
    columns = Rows.of([one]).columns(0, 1)
    with pytest.raises(ValueError, match="different numbers of rows"):
        Rows.read(1, {**columns, "port": (0, None, b"5")})
    for name, column in {
        "ask": (0, None, b"\x01\0\0\0", ["C1"]),
        "vantage": (0, b"\0", b"\0\0\0\0", ["here"]),
        "query": (0, None, b"\0\0\0\0\x06\0\0\0", b"query"),
        "response": (0, None, b"\x01\0\0\0\0\0\0\0", b"query"),
    }.items():
        with pytest.raises(ValueError, match="outside"):
            Rows.read(1, {**columns, name: column})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="a query is absent"):
        Rows.read(1, {**columns, "query": (0, b"\0", b"\0\0\0\0\0\0\0\0", b"")})


def test_the_documented_program_computes_the_same_root(
    tmp_path: Path, store: Callable[..., EvidenceDir], make: Callable[..., Exchange]
) -> None:
    document = Path(__file__).parents[2] / "docs/formats/segment.md"
    (program,) = re.findall(r"```python\n(.*?)```", document.read_text(), re.S)
    (tmp_path / "check.py").write_text(program)
    exchanges = [make("zone a.", server_name=None, rtt_us=None, response=None), make("server 192.0.2.1", os_error=-1)]
    (manifest,) = store([*exchanges, *(make("zone a.", f"Q{n}") for n in range(11))], ["a."]).manifests()
    out = subprocess.run(
        [sys.executable, tmp_path / "check.py", tmp_path / "run" / manifest.file],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert out.stdout == manifest.segment_root + "\n"


def test_run_json_is_read_back_as_it_was(run_info: RunInfo) -> None:
    full = replace(
        run_info,
        undelegated={"example.": Undelegated(("ns1.example./192.0.2.1",), ("1 8 2 AB",))},
        address_map_sha256="0a" * 32,
        asn_table=Provenance("asn.csv", "2026-07-14", "0b" * 32),
    )
    for info in (run_info, full):
        assert RunInfo.from_octets(info.to_octets(), "run.json") == info


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "run.json has the unknown field 'extra'"),
        ({"vantage": 5}, "run.json has in 'vantage' 5 instead of a text"),
        ({"source": {"kind": "x"}}, "run.json: source lacks the field 'origin'"),
        ({"started_at": "yesterday"}, "instead of a UTC time"),
        ({"schema_version": 2}, "run.json has schema version 2"),
        ({"limits": {"a": "b"}}, "run.json has in 'limits' an object instead of an object of numbers"),
        ({"undelegated": {"a.": {"ns": [], "ds": [1]}}}, "run.json: undelegated.a. has in 'ds' a list"),
        ({"vantage": None}, "run.json has in 'vantage' None"),
    ],
)
def test_run_json_is_read_strictly(run_info: RunInfo, change: dict[str, object], message: str) -> None:
    from gnomon.evidence.sealed import seal, unseal

    document = {**unseal(run_info.to_octets(), "run.json"), **change}
    with pytest.raises(InputError) as raised:
        RunInfo.from_octets(seal(document), "run.json")
    assert message in str(raised.value)


_manifests = st.builds(
    Manifest,
    sequence=st.integers(1, 10**6),
    run_id=st.text(max_size=5),
    previous_sha256=st.just("0" * 64),
    segment_root=st.binary(min_size=32, max_size=32).map(bytes.hex),
    file_sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    file_size_octets=st.integers(0, 2**40),
    rows=st.integers(10, 2**40),
    shared_rows=st.integers(0, 10),
    zones=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    first_sent_at_ns=st.none() | st.integers(0, 2**60),
    last_sent_at_ns=st.none() | st.integers(0, 2**60),
)


@given(_manifests, st.data())
def test_a_manifest_is_read_back_and_no_changed_octet_is_accepted(manifest: Manifest, data: st.DataObject) -> None:
    octets = bytearray(manifest.to_octets())
    assert Manifest.from_octets(bytes(octets), "m") == manifest
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InputError):
        Manifest.from_octets(bytes(octets), "m")


@example(b'{"sha256": "", "a": NaN}')
@example(b'{"sha256": "", "a": "\\ud800"}')
@example(b'{"sha256": "", "a": ' + b"9" * 5000 + b"}")
@example(b"[" * 100_000)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_is_in_a_manifest_only_an_input_error_comes(octets: bytes) -> None:
    for read in (Manifest.from_octets, RunInfo.from_octets):
        with pytest.raises(InputError):
            read(octets, "m")
