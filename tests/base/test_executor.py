"""The contract of executors: the same results in the same order, whatever they run in and whatever dies."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gnomon.base import Broken, InputError
from gnomon.base.executor import Executor, Inline
from gnomon.base.processes import Processes

# Work is sent by name: its module has to be found by the other process too.
sys.path.append(str(Path(__file__).parent))
import executor_work as work

EXECUTORS = [Inline(), Processes(1), Processes(2)]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_results_in_order(executor: Executor) -> None:
    assert list(executor.map(partial(work.adder, 7), range(20))) == list(range(7, 27))
    assert list(executor.map(partial(work.adder, 7), [])) == []


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_error_of_the_work_comes_at_its_place(executor: Executor) -> None:
    results = executor.map(partial(work.refuser, 3), range(6))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="three is damaged"):
        next(results)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_more_is_taken_than_is_worked_on(executor: Executor) -> None:
    taken: list[int] = []

    def partitions() -> object:
        for number in range(1000):
            taken.append(number)
            yield number

    results = executor.map(partial(work.adder, 0), partitions())  # type: ignore[arg-type, call-overload]
    assert next(results) == 0
    assert len(taken) <= 5
    results.close() if hasattr(results, "close") else None


@pytest.mark.parametrize("number", [0, 4, 9])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV])
def test_the_part_of_a_process_that_died_is_done_again(number: int, sign: int, tmp_path: Path) -> None:
    start: Callable[[], Callable[[int], int]] = partial(work.dier, number, int(sign), str(tmp_path / "died"), 1)
    assert list(Processes(2).map(start, range(10))) == list(range(10))
    assert (tmp_path / "died").read_text() == "x"


def test_a_part_that_always_kills_is_given_up(tmp_path: Path) -> None:
    start = partial(work.dier, 1, int(signal.SIGKILL), str(tmp_path / "died"), 100)
    results = Processes(2).map(start, range(4))
    assert next(results) == 0
    with pytest.raises(Broken, match="died 3 times"):
        list(results)
    assert os.getpid()
