"""A job worked on in several processes of this machine (see `gnomon.base.executor`)."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from gnomon.base.errors import Broken

T = TypeVar("T")
R = TypeVar("R")

_TRIES = 3
_AHEAD = 2  # partitions given to the pool for each process: enough to keep it busy, few enough to wait in memory


class Processes:
    """In several processes of this machine."""

    def __init__(self, count: int) -> None:
        """`count` processes, started anew (spawned) so that they share nothing with this one."""
        self._count = count

    def map(self, start: Callable[[], Callable[[T], R]], partitions: Iterable[T]) -> Iterator[R]:
        rest = iter(partitions)
        given: deque[tuple[T, int, Future[R]]] = deque()
        pool = self._pool(start)
        try:
            while True:
                for partition in rest:
                    given.append((partition, 1, _submitted(pool, partition)))
                    if len(given) >= self._count * _AHEAD:
                        break
                if not given:
                    return
                try:
                    result = given[0][2].result()
                except BrokenProcessPool:
                    # Nobody can tell whose process it was: all that is not done is given to a new pool, and the
                    # first one, for which we wait, is the one that is counted.
                    first = given[0][1]
                    if first == _TRIES:
                        raise Broken(
                            f"a process died {_TRIES} times while it worked on the same part; memory may be short, "
                            "try with fewer processes"
                        ) from None
                    pool.shutdown(wait=False, cancel_futures=True)
                    pool = self._pool(start)
                    again = [(partition, tries, future) for partition, tries, future in given]
                    given.clear()
                    for place, (partition, tries, future) in enumerate(again):
                        if _is_done(future):
                            given.append((partition, tries, future))
                        else:
                            given.append((partition, tries + (place == 0), _submitted(pool, partition)))
                    continue
                given.popleft()
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, start: Callable[[], Callable[[T], R]]) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._count, multiprocessing.get_context("spawn"), _start, (start,))


def _submitted(pool: ProcessPoolExecutor, partition: Any) -> Future[Any]:
    """The work on one part; failed at once if a process of the pool has died meanwhile."""
    try:
        return pool.submit(_work, partition)
    except BrokenProcessPool as error:
        future: Future[Any] = Future()
        future.set_exception(error)
        return future


def _is_done(future: Future[R]) -> bool:
    return future.done() and not future.cancelled() and not isinstance(future.exception(), BrokenProcessPool)


_works: list[Callable[[object], object]] = []  # one in each process of a pool


def _start(start: Callable[[], Callable[[T], R]]) -> None:
    _works.append(start())  # type: ignore[arg-type]


def _work(partition: object) -> Any:
    return _works[0](partition)
