"""What goes into the engine and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from gnomon.base import Address, Transport


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

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")


class Query(NamedTuple):
    """One query to one address; `tag` comes back with every attempt.

    `wire` is a whole message (its ID is overwritten). `timeout_ms` holds for each attempt.
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


class Attempt(NamedTuple):
    """One message sent (or not) and what came back: the exchange as the socket saw it.

    `rtt_us` is None without a response. `response` of status MISMATCHED is a datagram that was *not* accepted.
    `last` is True on exactly one attempt of each query. (A tuple, as `Query` is: millions of them are made.)
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
    """Politeness: what one address, and everything together, may be asked. Defaults are for the live Internet."""

    rate_qps: float = 10.0
    burst: int = 4
    in_flight_per_address: int = 4
    in_flight_total: int = 2000
    breaker_silent: int = 6
    total_qps: float = 500.0


SURVEY_LIMITS = Limits()
# One zone, somebody waits: faster per address, still few in all (stated in the README).
ASSESS_LIMITS = Limits(rate_qps=50.0, burst=20, in_flight_per_address=8, total_qps=500.0)
# Loopback only: the lab's servers are ours.
LAB_LIMITS = Limits(
    rate_qps=2000.0, burst=200, in_flight_per_address=64, in_flight_total=1000, breaker_silent=0, total_qps=0.0
)


class Engine(Protocol):
    """Queries in, attempts out. `UdpTcpEngine`-like drivers and the in-process lab engine share this contract."""

    def submit(self, queries: Sequence[Query]) -> None:
        """Queue queries; returns at once."""

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        """Attempts that are ready; waits up to `timeout_ms` for the first one; may return an empty list."""

    @property
    def pending(self) -> int:
        """Submitted queries whose last attempt has not been taken yet."""

    def close(self) -> None:
        """Stop; pending queries are dropped."""
