from __future__ import annotations

import os
import signal
import sys
import threading
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import FrameType

import pytest
from engine_servers import FREE, HOST, LOOPBACK, PATIENCE_MS, Server, ask, drain, engine, message

from gnomon.base import InputError
from gnomon.engine import Attempt, Engine, NetworkEngine, Query, Status

PUBLIC = ip_address("198.41.0.4")


def _only(attempts: list[Attempt]) -> Attempt:
    [attempt] = attempts
    return attempt


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "10.0.0.1", "::ffff:198.41.0.4", "2002:7f00:1::", "fe80::1%lo", "ff02::1"]
)
def test_special_addresses_are_not_asked(text: str) -> None:
    with Server() as server, NetworkEngine(FREE) as running:
        running.submit([Query(9, ip_address(text), message(), port=server.port)])
        assert running.pending == 1
        attempt = _only(running.take())
        assert running.pending == 0
        assert server.udp_queries == []
    assert (attempt.tag, attempt.attempt, attempt.last) == (9, 1, True)
    assert (attempt.status, attempt.response, attempt.query) == (Status.NOT_SENT_SPECIAL, None, message())


def test_special_addresses_are_asked_inside_allow_net_only() -> None:
    with (
        Server() as inside,
        Server(host="127.0.0.2") as outside,
        NetworkEngine(FREE, allow_net=[ip_network("127.0.0.1/32")]) as running,
    ):
        running.submit([inside.query(1), outside.query(2)])
        statuses = {attempt.tag: attempt.status for attempt in drain(running)}
        assert outside.udp_queries == []
    assert statuses == {1: Status.ANSWERED, 2: Status.NOT_SENT_SPECIAL}


def test_with_an_address_map_only_mapped_addresses_are_asked() -> None:
    with (
        Server() as server,
        NetworkEngine(FREE, allow_net=LOOPBACK, address_map={PUBLIC: (HOST, server.port)}) as running,
    ):
        running.submit([Query(1, PUBLIC, message()), Query(2, ip_address("199.9.14.201"), message()), server.query(3)])
        statuses = {attempt.tag: attempt.status for attempt in drain(running)}
        assert len(server.udp_queries) == 1
    assert statuses == {1: Status.ANSWERED, 2: Status.NOT_SENT_SPECIAL, 3: Status.NOT_SENT_SPECIAL}


@pytest.mark.parametrize("target", ["198.41.0.4", "localhost"])
def test_an_address_map_leads_to_loopback(target: str) -> None:
    with pytest.raises(InputError):
        NetworkEngine(FREE, address_map={PUBLIC: (target, 53)})


def test_taking_in_small_pieces() -> None:
    with Server() as server, engine() as running:
        special = Query(100, ip_address("10.0.0.1"), message())
        running.submit([*(server.query(tag) for tag in range(10)), special])
        assert running.pending == 11
        tags = []
        while running.pending:
            piece = running.take(3)
            assert len(piece) <= 3
            tags += [attempt.tag for attempt in piece]
    assert sorted(tags) == [*range(10), 100]


def test_nothing_to_take() -> None:
    with engine() as running:
        assert running.pending == 0
        assert running.take(timeout_ms=0) == []
        running.submit([])
        assert running.take(timeout_ms=1) == []


@pytest.mark.parametrize(
    "query",
    [
        Query(2, ip_address(HOST), b"too short"),
        Query(2, ip_address(HOST), bytes(65_536)),
        Query(2, ip_address(HOST), message(), attempts=0),
        Query(2, ip_address(HOST), message(), timeout_ms=0),
    ],
)
def test_a_query_that_cannot_be_sent_is_refused_with_all_of_its_batch(query: Query) -> None:
    with Server() as server, engine() as running:
        with pytest.raises(ValueError, match=r"12 to 65535|at least 1"):
            running.submit([server.query(1), query])
        assert running.pending == 0
        assert running.take(timeout_ms=50) == []
        assert server.udp_queries == []


def test_after_closing() -> None:
    with Server(lambda *_: None) as server:
        running = engine()
        running.submit([server.query(), Query(1, ip_address("10.0.0.1"), message())])
        running.close()
        running.close()
        assert running.pending == 0
        assert running.take(timeout_ms=PATIENCE_MS) == []
        with pytest.raises(ValueError, match="closed"):
            running.submit([server.query()])


def test_closing_wakes_who_waits() -> None:
    with Server(lambda *_: None) as server:
        running = engine()
        running.submit([server.query(timeout_ms=600_000)])
        got: list[list[Attempt]] = []
        waiter = threading.Thread(target=lambda: got.append(running.take(timeout_ms=600_000)))
        waiter.start()
        running.close()
        waiter.join()
    assert got == [[]]


def test_a_signal_interrupts_the_wait() -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise InterruptedError("enough")

    before = signal.signal(signal.SIGUSR1, handler)
    sender = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        with engine() as running, pytest.raises(InterruptedError, match="enough"):
            sender.start()
            running.take(timeout_ms=600_000)
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_fifty_engines_leave_no_thread_and_no_descriptor() -> None:
    def count() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))

    with Server() as server:
        ask(server.query())
        before = count()
        for round_number in range(50):
            running = engine()
            running.submit([server.query(tag) for tag in range(20)])
            if round_number % 2:
                drain(running)
            if round_number % 3:
                running.close()
            del running
        assert count() == before


def test_it_is_an_engine() -> None:
    def pending(anything: Engine) -> int:
        return anything.pending

    with engine() as running:
        assert pending(running) == 0
