"""What goes into the engine and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple, Protocol

from gnomon._core import Attempts, Queries
from gnomon.base import Address, Name, Transport, parse_address


class Status(IntEnum):
    """How an attempt ended. A failure to observe is recorded, never dropped. Numbers are stored in evidence."""

    ANSWERED = 0
    TIMEOUT = 1
    ICMP_UNREACHABLE = 2
    REFUSED = 3
    RESET = 4
    MISMATCHED = 5
    NOT_SENT_SPECIAL = 6
    NOT_SENT_BREAKER = 7
    NOT_SENT_OPTOUT = 8
    LOCAL_ERROR = 9
    SECURED = 10
    """No end of an attempt, but the TLS session under it (see docs/formats/segment.md)."""
    TLS_FAILED = 11
    NOT_SENT_BOUND = 12
    """Never given to the engine: a bound of the plan was reached."""

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def is_unsent(self) -> bool:
        """Nothing left this host, by policy."""
        return self in _UNSENT


_UNSENT = (Status.NOT_SENT_SPECIAL, Status.NOT_SENT_BREAKER, Status.NOT_SENT_OPTOUT, Status.NOT_SENT_BOUND)


class Mismatch(IntEnum):
    """What keeps a message from being the answer of a query. Numbers are stored in evidence."""

    ID = 1
    PORT = 2
    ADDRESS = 3
    QUESTION = 4
    CASE = 5
    COOKIE = 6
    LATE = 7
    STRAY = 8

    @property
    def word(self) -> str:
        return self.name.lower()


class Query(NamedTuple):
    """One query to one address; `tag` comes back with every attempt.

    `wire` is a whole message (its ID is overwritten). `timeout_ms` holds for each attempt. Over UDP letter case and
    client cookie of the answer must be those of the query if `mix_case` or the message asks for it. `server_name`
    is the name under which the address was found: whoever opted out by name is known by it.
    """

    tag: int
    address: Address
    wire: bytes
    transport: Transport = Transport.UDP
    port: int = 53
    attempts: int = 2
    timeout_ms: int = 2000
    mix_case: bool = False
    tcp_after_truncation: bool = True
    server_name: Name | None = None


@lru_cache(maxsize=65_536)
def address_text(address: Address) -> str:
    """As `Queries` take it: without zone identifier."""
    return str(address).partition("%")[0]


def take_queries(batch: Queries) -> list[Query]:
    """Take out all of a batch, for an engine that looks at each."""
    return [
        Query(
            tag, parse_address(address), wire, Transport(transport), port, attempts, timeout_ms, mix_case, over_tcp,
            None if name is None else Name(name),
        )
        for tag, address, wire, transport, port, attempts, timeout_ms, mix_case, over_tcp, name in batch.take()
    ]  # fmt: skip


class Attempt(NamedTuple):
    """One message sent (or not) and what came back: the exchange as the socket saw it.

    `rtt_us` is None without a response. `response` of status MISMATCHED is a message that was *not* accepted: over
    UDP the first one ends the attempt, and the query is asked again over TCP; what else is shown of that kind has
    the number of an attempt that is over or goes on. `os_error` is an errno, or for MISMATCHED a `Mismatch`, or for
    TLS_FAILED the TLS alert, 0 if none. `last` is True on exactly one attempt of each query. (A tuple, as `Query`
    is: millions of them are made.)
    """

    tag: int
    attempt: int
    transport: Transport
    sent_at_ns: int
    rtt_us: int | None
    local_port: int
    status: Status
    os_error: int
    query: bytes
    response: bytes | None
    last: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Politeness: what one address, one network (IPv4 /24, IPv6 /48) and everything together may be asked.

    Rates are queries per second; a burst is what may leave back to back. An address that loses queries gets less,
    down to a sixteenth, and wins it back answer by answer. After `breaker_silent` attempts without answer it is
    left alone for a minute (0: never). `total_qps` 0 is no limit. Defaults are for the live Internet.
    """

    rate_qps: float = 10.0
    burst: int = 4
    in_flight_per_address: int = 4
    prefix_rate_qps: float = 40.0
    prefix_burst: int = 16
    in_flight_per_prefix: int = 16
    in_flight_total: int = 2000
    breaker_silent: int = 6
    total_qps: float = 500.0


SURVEY_LIMITS = Limits()
# One zone, somebody waits: faster per address, still few in all (stated in the README). Six odd questions are under way
# at a time, each twice: a server may drop all of them and is then asked an ordinary one.
ASSESS_LIMITS = Limits(
    rate_qps=100.0, burst=25, in_flight_per_address=8, prefix_rate_qps=200.0, prefix_burst=50, in_flight_per_prefix=16,
    breaker_silent=13, total_qps=1000.0,
)  # fmt: skip
# Loopback only: the lab's servers are ours.
LAB_LIMITS = Limits(
    rate_qps=2000.0, burst=200, in_flight_per_address=64, prefix_rate_qps=1e6, prefix_burst=1000,
    in_flight_per_prefix=1000, in_flight_total=1000, breaker_silent=0, total_qps=0.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OptOut:
    """Who does not want to be asked: networks, servers by name, and zones with all below them."""

    prefixes: tuple[IPv4Network | IPv6Network, ...] = ()
    servers: tuple[Name, ...] = ()
    zones: tuple[Name, ...] = ()


class Engine(Protocol):
    """Queries in, attempts out. The engine with sockets and the in-process one of the lab share this contract."""

    def submit(self, queries: Sequence[Query]) -> int:
        """Queue queries, in order; returns at once with how many of them.

        The others do not fit now: submit them again after `take`. So memory is bounded whatever is to be asked.
        """

    def submit_batch(self, queries: Queries) -> int:
        """The same from one object: what is queued is taken out of it."""

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        """Attempts that are ready; waits up to `timeout_ms` for the first one; may return an empty list."""

    def take_batch(self, max_rows: int = 4096, timeout_ms: int = 1000) -> Attempts:
        """The same as one object: for who records all of them and looks at few."""

    @property
    def pending(self) -> int:
        """Submitted queries whose last attempt has not been taken yet."""

    def close(self) -> None:
        """Stop; pending queries are dropped."""
