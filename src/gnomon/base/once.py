"""What is computed once for an object: functions of it, and its properties."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import ParamSpec, TypeVar

from gnomon._core import Once
from gnomon._core import cached_property as cached_property

P = ParamSpec("P")
T = TypeVar("T")


def once(make: Callable[P, T]) -> Callable[P, T]:
    """A function that works once for each object and what else it is called with, by position.

    The first argument, for example a zone view, keeps the results in its dictionary `_memo`.
    """
    return update_wrapper(Once(make), make)
