"""The engine that really sends: the native core behind the guard against special-purpose addresses."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from types import TracebackType
from typing import Self

from gnomon import _core
from gnomon.base import Address, InputError, Transport, parse_address
from gnomon.base.special import special_purpose
from gnomon.engine.types import Attempt, Limits, Query, Status

_STATUSES = tuple(Status)
_TRANSPORTS = tuple(Transport)
_MIX_CASE = 1
_TCP_AFTER_TRUNCATION = 2


class NetworkEngine:
    """Queries over UDP and TCP within `Limits`; use it as a context manager or close it.

    A query for a special-purpose address is not sent: it yields one attempt NOT_SENT_SPECIAL, unless the address
    is inside `allow_net`. With an `address_map` (lab) each query goes to the loopback address and port that its
    address maps to, and any address without an entry yields NOT_SENT_SPECIAL.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        allow_net: Sequence[IPv4Network | IPv6Network] = (),
        address_map: Mapping[Address, tuple[str, int]] | None = None,
    ) -> None:
        """Open the engine.

        Raises:
            InputError: a limit is not positive, or the map leads out of loopback.
            OSError: no socket can be opened.
        """
        for real, (text, _) in (address_map or {}).items():
            if not parse_address(text).is_loopback:
                raise InputError(f"the address map sends {real} to {text}, which is not a loopback address")
        try:
            self._core = _core.Engine(
                rate_qps=limits.rate_qps,
                burst=limits.burst,
                in_flight_per_address=limits.in_flight_per_address,
                in_flight_total=limits.in_flight_total,
                breaker_silent=limits.breaker_silent,
                total_qps=limits.total_qps,
            )
        except (ValueError, OverflowError) as error:
            raise InputError(f"the limits {limits} cannot be used: {error}") from None
        self._not_sent: deque[Attempt] = deque()

        @lru_cache(maxsize=65_536)
        def target(address: Address) -> tuple[str, int | None] | None:
            """Where queries for an address go: text and port (None: the query's own); None for nowhere."""
            if address_map is not None:
                return address_map.get(address)
            if special_purpose(address) is not None and not any(address in net for net in allow_net):
                return None
            return str(address).partition("%")[0], None

        self._target = target

    def submit(self, queries: Sequence[Query]) -> None:
        """Queue queries; returns at once.

        Raises:
            ValueError: a query shorter than a header or over 65,535 octets, no attempt or no time; or the engine
                is closed.
        """
        rows, refused = [], []
        for query in queries:
            target = self._target(query.address)
            if target is None:
                refused.append(query)
                continue
            options = query.mix_case * _MIX_CASE + query.tcp_after_truncation * _TCP_AFTER_TRUNCATION
            port = query.port if target[1] is None else target[1]
            rows.append(
                (query.tag, target[0], port, query.transport, query.wire, query.attempts, query.timeout_ms, options)
            )
        self._core.submit(rows)
        self._not_sent.extend(_not_sent(query) for query in refused)

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        """Attempts that are ready; waits up to `timeout_ms` for the first one; may return an empty list."""
        out: list[Attempt] = []
        while self._not_sent and len(out) < max_rows:
            out.append(self._not_sent.popleft())
        if len(out) < max_rows:
            rows = self._core.take(max_rows - len(out), 0 if out else timeout_ms)
            out += [
                Attempt(
                    row.tag,
                    row.attempt,
                    _TRANSPORTS[row.transport],
                    row.sent_at_ns,
                    row.rtt_us,
                    row.local_port,
                    _STATUSES[row.status],
                    row.os_error,
                    row.query,
                    row.response,
                    row.last,
                )
                for row in rows
            ]
        return out

    @property
    def pending(self) -> int:
        """Submitted queries whose last attempt has not been taken yet."""
        return self._core.pending + len(self._not_sent)

    def close(self) -> None:
        """Stop the I/O threads and close all sockets; pending queries are dropped. May be called twice."""
        self._core.close()
        self._not_sent.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _not_sent(query: Query) -> Attempt:
    return Attempt(
        tag=query.tag,
        attempt=1,
        transport=query.transport,
        sent_at_ns=time.time_ns(),
        rtt_us=None,
        local_port=0,
        status=Status.NOT_SENT_SPECIAL,
        os_error=0,
        query=query.wire,
        response=None,
        last=True,
    )
