"""Connections: shared, few, never reused after a timeout."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from engine_servers import (
    FREE,
    SILENCE_MS,
    Server,
    ask,
    drain,
    engine,
    read_tcp,
    reply,
    send_tcp,
    wait_for_close,
    words,
)  # fmt: skip

from gnomon.base import Transport
from gnomon.engine import Mismatch, Query, Status

TCP = Transport.TCP

pytestmark = pytest.mark.usefixtures("turns")


def _queries(server: Server, count: int, **options: int) -> list[Query]:
    return [server.query(tag, name=f"n{tag}.test.", transport=TCP, **options) for tag in range(count)]  # type: ignore[arg-type]


def test_many_queries_share_one_connection() -> None:
    with Server() as server:
        attempts = ask(*_queries(server, 300))
        assert server.connections <= 2
    assert {attempt.tag for attempt in attempts if attempt.status is Status.ANSWERED} == set(range(300))
    assert len(attempts) == 300
    for attempt in attempts:
        assert attempt.response == reply(attempt.query)


def test_answers_may_come_in_any_order() -> None:
    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        queries = [query] + [read_tcp(connection) for _ in range(9)]
        for one in reversed(queries):
            send_tcp(connection, reply(one))
        wait_for_close(connection)

    with Server(on_tcp=on_tcp) as server:
        attempts = ask(*_queries(server, 10))
        assert server.connections == 1
    assert [a.tag for a in attempts] == list(range(9, -1, -1))
    assert all(a.response == reply(a.query) for a in attempts)


def test_an_idle_connection_is_used_again_and_then_closed() -> None:
    closed = threading.Event()

    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        send_tcp(connection, reply(query))
        send_tcp(connection, reply(read_tcp(connection)))
        with suppress(OSError):
            wait_for_close(connection)
            closed.set()

    with Server(on_tcp=on_tcp) as server, engine() as running:
        for tag in range(2):
            assert words(drain(running, [server.query(tag, transport=TCP)])) == ["1 tcp answered"]
        assert server.connections == 1
        assert closed.wait(20)


def test_a_connection_that_saw_a_timeout_gets_no_new_query() -> None:
    """What comes late on it must not be taken for the answer of another query."""
    held: list[tuple[socket.socket, bytes]] = []

    def on_tcp(connection: socket.socket, query: bytes, number: int) -> None:
        if number == 1:
            held.append((connection, query))
            # Keeps the first one open with a second query under way.
            held.append((connection, read_tcp(connection)))
            wait_for_close(connection)
        else:
            send_tcp(connection, reply(query))
            late, slow = held
            send_tcp(late[0], reply(late[1]))
            send_tcp(slow[0], reply(slow[1]))

    with Server(on_tcp=on_tcp) as server, engine() as running:
        first, second = _queries(server, 2)
        third = server.query(2, name="n2.test.", transport=TCP)
        running.submit([first._replace(timeout_ms=SILENCE_MS * 4), second])
        attempts = running.take(timeout_ms=20_000)
        assert words(attempts) == ["1 tcp timeout"]
        attempts += drain(running, [third])
        assert server.connections == 2
    by_tag = {a.tag: a for a in attempts if a.last}
    assert [by_tag[tag].status for tag in range(3)] == [Status.TIMEOUT, Status.ANSWERED, Status.ANSWERED]
    assert all(by_tag[tag].response == reply(by_tag[tag].query) for tag in (1, 2))
    late = [a for a in attempts if a.status is Status.MISMATCHED]
    assert [a.os_error for a in late] == [Mismatch.LATE]


@pytest.mark.parametrize("end", [lambda connection: connection.close(), lambda connection: None])
def test_a_server_that_closes_after_each_answer_gets_a_connection_for_each_query(
    end: Callable[[socket.socket], None],
) -> None:
    """The queries that were under way are sent again without counting: nothing was said about them."""

    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        send_tcp(connection, reply(query))
        end(connection)

    with Server(on_tcp=on_tcp) as server:
        attempts = ask(*_queries(server, 30))
    assert {a.tag for a in attempts if a.status is Status.ANSWERED} == set(range(30))
    assert {a.status for a in attempts} <= {Status.ANSWERED, Status.RESET}


def test_never_more_than_two_connections_to_a_server() -> None:
    most, now, lock = [0], [0], threading.Lock()

    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)  # others have the time to come
        with lock:
            now[0] -= 1
        # Counted until here: once it is answered, nobody here knows when the other end closes it.
        send_tcp(connection, reply(query))
        with suppress(OSError):
            wait_for_close(connection)

    with Server(on_tcp=on_tcp) as server:
        # A transfer needs a connection of its own.
        transfers = [q._replace(wire=q.wire[:-4] + b"\0\xfc\0\1") for q in _queries(server, 40)]
        attempts = ask(*transfers)
    assert [a.status for a in attempts] == [Status.ANSWERED] * 40
    assert most[0] == 2


def test_in_flight_is_limited_over_connections_too() -> None:
    most = [0]

    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        queries = [query]
        connection.settimeout(0.1)
        while True:
            try:
                queries.append(read_tcp(connection))
            except TimeoutError:
                most[0] = max(most[0], len(queries))
                for one in queries:
                    send_tcp(connection, reply(one))
                queries = []

    with Server(on_tcp=on_tcp) as server:
        attempts = ask(*_queries(server, 12), limits=replace(FREE, in_flight_per_address=3))
    assert [a.status for a in attempts] == [Status.ANSWERED] * 12
    assert most[0] <= 3


def test_a_server_that_says_more_than_it_was_asked_is_left() -> None:
    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        send_tcp(connection, reply(query))
        for _ in range(1000):
            send_tcp(connection, reply(query))

    with Server(on_tcp=on_tcp) as server, engine() as running:
        attempts = drain(running, _queries(server, 1))
        assert words(attempts) == ["1 tcp answered"]
        # Once the engine has heard the rest, it leaves the connection; until then a query may still be put on it.
        for _ in range(500):
            if running.mismatches[Mismatch.LATE]:
                break
            time.sleep(0.01)
        assert running.mismatches[Mismatch.LATE] >= 1
        assert words(drain(running, _queries(server, 1))) == ["1 tcp answered"]
