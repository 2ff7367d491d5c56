"""Ten megabytes (or as much as the format permits) of the worst input we know, at every entry point.

Nothing may raise but InputError, and cost grows with the size: eight times the octets cost less than thirty times the
CPU, where something quadratic would cost sixty-four times. Cost is compared with cost, never with a clock.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from worst_input import Case, cases, read_message, read_zone, zone_files

from gnomon.wire import Message

CASES = {case.name: case for case in cases()}
FACTOR, MOST = 8, 30
NOTHING_S = 0.02
MEMORY_MIB = 2048


def cost_s(case: Case, octets: bytes, folder: Path) -> float:
    began = time.process_time()
    case.read(octets, folder)
    return time.process_time() - began


@pytest.mark.parametrize("name", CASES)
def test_cost_grows_with_the_size(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    small, large = (case.make(size) for size in (case.size // FACTOR, case.size))
    # The larger one first: what is remembered makes the smaller one cheaper, never the larger one.
    whole_s = cost_s(case, large, tmp_path)
    if whole_s > NOTHING_S:
        assert whole_s < MOST * max(cost_s(case, small, tmp_path), NOTHING_S / FACTOR)


def test_memory_is_bounded(tmp_path: Path) -> None:
    """All of it in one process that may have two gibibytes of address space."""
    program = (
        "import resource, sys; from pathlib import Path; from worst_input import cases\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_MIB << 20}, {MEMORY_MIB << 20}))\n"
        "for case in cases(): case.read(case.make(case.size), Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


OUTCOMES = {
    "only b'x'": "limit",
    "only b'('": "limit",
    "only b')'": "limit",
    "only b'\"'": "limit",
    "one line": "limit",
    "a TTL of ten million digits": "limit",
    "quotes without partner": "unbalanced",
    "gigantic TTLs": "ttl",
    "generators": "generate-refused",
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_zone_files_have_a_named_outcome(name: str, tmp_path: Path) -> None:
    make = next(case.make for case in zone_files() if case.name == f"zone file: {name}")
    assert f"zonefile.syntax/{OUTCOMES[name]}" in read_zone(make(2_000_000), tmp_path)


HEADER = bytes.fromhex("0001840000000001")
MESSAGES = [
    ("zeros are an empty message", bytes(12), None),
    ("short header", bytes(11), "short-header"),
    ("65,535 claimed records", bytes.fromhex("000184000000ffffffffffff"), "short-record"),
    ("impossible length", HEADER + bytes(4) + b"\0\0\x10\0\1\0\0\0\0\xff\xff", "short-rdata"),
    ("forward pointer", HEADER + bytes(4) + b"\xc0\xff", "pointer-forward"),
    ("loop of one pointer", HEADER + bytes(4) + b"\xc0\x0c", "pointer-loop"),
    ("loop of two pointers", HEADER + bytes(4) + b"\1a\xc0\x0c", "pointer-loop"),
    ("label type", HEADER + bytes(4) + b"\x40", "label-type"),
    ("name of 257 octets", HEADER + bytes(4) + (b"\x3f" + b"a" * 63) * 4 + b"\0", "name-too-long"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "octets", "reason"), MESSAGES)
def test_messages_have_a_named_outcome(name: str, octets: bytes, reason: str | None) -> None:
    found = Message(octets).malformed
    assert (found.reason if found else None) == reason


def test_two_opt_records_and_a_long_txt(tmp_path: Path) -> None:
    opts = read_message(CASES["message: OPT records"].make(34), tmp_path)
    assert opts.opt_count == 2
    long = read_message(CASES["message: one TXT"].make(65_535), tmp_path)
    assert long.malformed is None and len(long.answer[0].rdata) == 65_512
