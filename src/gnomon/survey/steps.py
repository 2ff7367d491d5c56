"""What a survey's tasks say to the scheduler: they yield what they want and get it sent back.

A task is a generator. It yields `Wave` and receives the replies in the same order, or yields `Need` and receives
the results of shared tasks. It never sees a socket, a clock or another task.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from gnomon._core import Reply
from gnomon.base import Address, Name
from gnomon.survey.question import Question

__all__ = ["Ask", "Key", "Need", "Reply", "Steps", "Wave", "ask"]

Key = tuple[str, Name | Address]
"""Names a shared task by kind and object: ("cut", name), ("chain", name), ("host", name), ("reverse", name),
("signal", name), ("prefix", address) or ("pack", address)."""


class Ask(NamedTuple):
    """One question to one server; `server_name` is the name the address was found under.

    (A tuple, as `Query` is: millions of them are made.)
    """

    question: Question
    server_name: Name | None
    address: Address
    wire: bytes


class Wave(NamedTuple):
    """Questions that may all be sent at once, after waiting `wait_s` seconds.

    `walked` is the zone whose servers are asked on the way to a name, None where the questions are about the zone
    that is surveyed.
    """

    asks: Sequence[Ask]
    wait_s: float = 0.0
    walked: Name | None = None


class Need(NamedTuple):
    """Shared tasks whose results are wanted; each runs once for everybody. With `wait` False they are only started."""

    keys: Sequence[Key]
    wait: bool = True


T = TypeVar("T")
Steps = Generator[Wave | Need, Any, T]


def ask(asks: Sequence[Ask], walked: Name | None = None) -> Steps[list[Reply]]:
    """Ask all at once, and get the replies in the same order; `walked` as that of a `Wave`."""
    replies: list[Reply] = (yield Wave(asks, walked=walked)) if asks else []
    return replies
