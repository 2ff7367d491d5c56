"""The engine without a network: queries are answered by a world, in no time and in the world's own time."""

from __future__ import annotations

import errno
import hashlib
import heapq
from collections.abc import Sequence

from gnomon import _core
from gnomon.base import Transport
from gnomon.base.special import special_purpose
from gnomon.engine import Attempt, Attempts, Mismatch, Queries, Query, Status, take_queries
from gnomon.lab.faults import Closed
from gnomon.lab.world import World

_STEP_NS = 100_000  # between two queries of one submission
_SESSION = b"\x03\x04\x13\x01\x03dot"  # TLS 1.3, AES-128-GCM, ALPN "dot", no certificate (docs/formats/segment.md)
_CLOSED: dict[Closed, tuple[Status, None, int]] = {
    Closed.RESET: (Status.RESET, None, errno.ECONNRESET),
    Closed.REFUSED: (Status.REFUSED, None, errno.ECONNREFUSED),
    Closed.NO_TLS: (Status.TLS_FAILED, None, 0),
}


class LabEngine:
    """Implements `gnomon.engine.Engine` over a `World`; same world and same queries give the same attempts.

    The clock starts at the world's and moves with every attempt. IDs and the mixing of case come from a counter.
    """

    def __init__(self, world: World, clock_s: int | None = None) -> None:
        """Take a world; `clock_s` (Unix time) moves its clock first."""
        if clock_s is not None and clock_s != world.clock_s:
            world.set_clock(clock_s)
        self.world = world
        self._now_ns = world.clock_s * 1_000_000_000
        self._counter = 0
        self._ready: list[Attempt] = []
        self._pending = 0

    def submit(self, queries: Sequence[Query]) -> int:
        """Answer the queries; the attempts wait to be taken."""
        for query in queries:
            self._now_ns += _STEP_NS
            self._ready += self._attempts(query)
            self._pending += 1
        return len(queries)

    def submit_batch(self, queries: Queries) -> int:
        """The same from one object."""
        return self.submit(take_queries(queries))

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        """The next attempts in the order of the queries; never waits."""
        out, self._ready = self._ready[:max_rows], self._ready[max_rows:]
        self._pending -= sum(attempt.last for attempt in out)
        return out

    def take_batch(self, max_rows: int = 4096, timeout_ms: int = 1000) -> Attempts:
        """The same as one object."""
        return Attempts(self.take(max_rows, timeout_ms))

    @property
    def pending(self) -> int:
        """Submitted queries whose last attempt has not been taken yet."""
        return self._pending

    def close(self) -> None:
        """Drop what has not been taken."""
        self._ready, self._pending = [], 0

    def _attempts(self, query: Query) -> list[Attempt]:
        if special_purpose(query.address) is not None:
            return [
                Attempt(
                    query.tag,
                    1,
                    query.transport,
                    self._now_ns,
                    None,
                    0,
                    Status.NOT_SENT_SPECIAL,
                    0,
                    query.wire,
                    None,
                    True,
                )
            ]
        attempts: list[Attempt] = []
        at_ns = self._now_ns
        for number in range(1, query.attempts + 1):
            attempts += self._ask(query, number, query.transport, at_ns)
            at_ns += (attempts[-1].rtt_us or query.timeout_ms * 1000) * 1000
            if attempts[-1].status in (Status.ANSWERED, Status.MISMATCHED):
                break
        final = attempts[-1]
        response = final.response or bytes(3)
        truncated = query.tcp_after_truncation and final.status is Status.ANSWERED and bool(response[2] & 0x02)
        if final.transport is Transport.UDP and (truncated or final.status is Status.MISMATCHED):
            attempts += self._ask(query, final.attempt + 1, Transport.TCP, at_ns)
        attempts[-1] = attempts[-1]._replace(last=True)
        return attempts

    def _ask(self, query: Query, number: int, transport: Transport, at_ns: int) -> list[Attempt]:
        """One attempt; preceded by what was heard but is not its answer."""
        self._counter += 1
        random = hashlib.shake_128(b"%d" % self._counter).digest(36)
        wire = random[:2] + query.wire[2:]
        if query.mix_case:
            wire = _mix_case(wire, random[4:])
        port = 1024 + int.from_bytes(random[2:4], "big") % 64_000
        reply = self.world.respond(query.address, transport, wire)
        rtt_us = self.world.rtt_us(query.address) * (1, 2, 3)[transport]

        def attempt(status: Status, response: bytes | None = None, os_error: int = 0) -> Attempt:
            rtt = None if response is None else rtt_us
            return Attempt(query.tag, number, transport, at_ns, rtt, port, status, os_error, wire, response, False)

        if isinstance(reply, Closed):
            return [attempt(*_CLOSED[reply])]
        out: list[Attempt] = []
        on_path = transport is not Transport.UDP
        if transport is Transport.DOT:
            out.append(attempt(Status.SECURED, _SESSION))
        for message in reply if rtt_us <= query.timeout_ms * 1000 else ():
            mismatch = _core.mismatch(wire, message, query.mix_case, on_path)
            if not mismatch and not on_path and self.world.answers_from_elsewhere(query.address):
                mismatch = Mismatch.ADDRESS
            if not mismatch:
                return [*out, attempt(Status.ANSWERED, message)]
            out.append(attempt(Status.MISMATCHED, message, mismatch))
            if not on_path:
                return out
        return [*out, attempt(Status.TIMEOUT)]


class TimedLabEngine(LabEngine):
    """The same with answers that come when they are due: taking them moves the clock, and so does waiting in vain."""

    def __init__(self, world: World, clock_s: int | None = None) -> None:
        super().__init__(world, clock_s)
        self._due: list[tuple[int, int, Attempt]] = []
        self._taken = 0

    @property
    def now_s(self) -> float:
        """The simulated time in seconds."""
        return self._now_ns / 1e9

    def submit(self, queries: Sequence[Query]) -> int:
        """Answer the queries; each attempt can be taken once its answer is there or its time is over."""
        super().submit(queries)
        ready, self._ready = self._ready, []
        timeouts_us = {query.tag: query.timeout_ms * 1000 for query in queries}
        for attempt in ready:
            self._taken += 1
            took_us = timeouts_us[attempt.tag] if attempt.status is Status.TIMEOUT else attempt.rtt_us or 0
            heapq.heappush(self._due, (attempt.sent_at_ns + took_us * 1000, self._taken, attempt))
        return len(queries)

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        """The attempts that are over next."""
        if not self._due:
            self._now_ns += timeout_ms * 1_000_000
            return []
        self._now_ns = max(self._now_ns, self._due[0][0])
        while self._due and self._due[0][0] <= self._now_ns and len(self._ready) < max_rows:
            self._ready.append(heapq.heappop(self._due)[2])
        return super().take(max_rows)


def _question_end(query: bytes) -> int:
    """Where the first question ends; 0 if there is none that can be read."""
    at = 12
    if query[4:6] == b"\0\0":
        return 0
    while at < len(query) and query[at]:
        if query[at] > 63:
            return 0
        at += query[at] + 1
    return at + 5 if at + 5 <= len(query) else 0


def _mix_case(query: bytes, random: bytes) -> bytes:
    out = bytearray(query)
    for index in range(12, max(12, _question_end(query) - 4)):
        # A label length is under 64 and so never a letter.
        if chr(out[index]).isalpha() and out[index] < 128 and random[index % len(random)] & 1:
            out[index] ^= 0x20
    return bytes(out)
