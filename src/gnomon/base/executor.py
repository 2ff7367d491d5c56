"""Where the partitions of a job are worked on: in this process, or in several; the results do not depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Works on partitions. What is given to it must be fit to be sent to another process (a module's own names)."""

    def map(self, start: Callable[[], Callable[[T], R]], partitions: Iterable[T]) -> Iterator[R]:
        """The result of each partition, in their order; `start` is called once in each process and makes the work.

        A partition whose process died is worked on again: so work must not change anything but by its result.

        Raises:
            Broken: a partition's process died three times.
            What the work raises, for the first partition for which it does.
        """


class Inline:
    """In this process, one after the other."""

    def map(self, start: Callable[[], Callable[[T], R]], partitions: Iterable[T]) -> Iterator[R]:
        work = start()
        return map(work, partitions)


def executor(processes: int) -> Executor:
    """In this process for one, else in so many."""
    if processes <= 1:
        return Inline()
    from gnomon.base.processes import Processes  # one process needs nothing of what several take

    return Processes(processes)
