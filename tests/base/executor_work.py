"""Work for the tests of executors, in a module that other processes can import."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from gnomon.base import InputError


def adder(amount: int) -> Callable[[int], int]:
    return lambda number: number + amount


def refuser(refused: int) -> Callable[[int], int]:
    def work(number: int) -> int:
        if number == refused:
            raise InputError("the file three is damaged")
        return number

    return work


def dier(deadly: int, sign: int, marks: str, times: int) -> Callable[[int], int]:
    """Ends its own process at one number, so many times."""

    def work(number: int) -> int:
        file = Path(marks)
        died = file.read_text() if file.exists() else ""
        if number == deadly and len(died) < times:
            file.write_text(died + "x")
            os.kill(os.getpid(), sign)
        return number

    return work
