"""What a survey's tasks say to the scheduler: they yield what they want and get it sent back.

A task is a generator. It yields `Wave` and receives the replies in the same order, or yields `Need` and receives
the results of shared tasks. It never sees a socket, a clock or another task.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from gnomon.base import Address, Name
from gnomon.engine import Status
from gnomon.survey.question import Question
from gnomon.wire import Message

Key = tuple[str, Name | Address]
"""Names a shared task by kind and object: ("cut", name), ("chain", name), ("host", name), ("reverse", name),
("signal", name), ("prefix", address) or ("pack", address)."""

_AA = 0x04
_RCODE = 0x0F
_ANSWERED = int(Status.ANSWERED)
_KEPT_BACK = frozenset(map(int, (Status.NOT_SENT_SPECIAL, Status.NOT_SENT_OPTOUT, Status.LOCAL_ERROR)))


class Ask(NamedTuple):
    """One question to one server; `server_name` is the name the address was found under.

    `walked` is the zone whose servers are asked on the way to a name, None where the question is about the zone
    that is surveyed. (A tuple, as `Query` is: millions of them are made.)
    """

    question: Question
    server_name: Name | None
    address: Address
    wire: bytes
    walked: Name | None = None


class Reply:
    """What came of one `Ask`.

    `response` has the octets of the last accepted response. `statuses` says how each attempt ended, in order; it is
    empty if the question was not sent because a bound was reached.
    """

    __slots__ = ("_message", "ask", "response", "statuses")

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.response: bytes | None = None
        self.statuses: list[int] = []
        self._message: Message | None = None

    def add(self, status: int, response: bytes | None) -> None:
        """One more attempt has ended."""
        self.statuses.append(status)
        if status == _ANSWERED:
            self.response = response

    @property
    def message(self) -> Message | None:
        """The last accepted response, parsed on first use."""
        if self._message is None and (response := self.response) is not None:
            self._message = Message(response)
        return self._message

    @property
    def was_kept_back(self) -> bool:
        """Policy or this machine kept all of it from being sent: trying another way is pointless."""
        return _KEPT_BACK.issuperset(self.statuses)

    @property
    def was_truncated(self) -> bool:
        """An answer came, and was asked for once more over TCP."""
        return self.statuses.count(_ANSWERED) > 1

    @property
    def header_rcode(self) -> int | None:
        """The 4 bits in the header of the response; None without one."""
        response = self.response
        return response[3] & _RCODE if response is not None and len(response) > 3 else None

    @property
    def is_authoritative(self) -> bool:
        """NOERROR with AA set."""
        response = self.response
        return response is not None and self.header_rcode == 0 and bool(response[2] & _AA)


class Wave(NamedTuple):
    """Questions that may all be sent at once, after waiting `wait_s` seconds."""

    asks: Sequence[Ask]
    wait_s: float = 0.0


class Need(NamedTuple):
    """Shared tasks whose results are wanted; each runs once for everybody. With `wait` False they are only started."""

    keys: Sequence[Key]
    wait: bool = True


T = TypeVar("T")
Steps = Generator[Wave | Need, Any, T]


def ask(asks: Sequence[Ask], wait_s: float = 0.0) -> Steps[list[Reply]]:
    """Ask all, after waiting so many seconds, and get the replies in the same order."""
    replies: list[Reply] = (yield Wave(asks, wait_s)) if asks else []
    return replies
