from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from engine_servers import (
    HOST,
    PATIENCE_MS,
    SILENCE_MS,
    Send,
    Server,
    ask,
    message,
    other_id,
    reply,
    send_tcp,
    wait_for_close,
    words,
)

from gnomon.base import Transport
from gnomon.engine import Query, Status

TCP = Transport.TCP


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_an_answer_over_tcp() -> None:
    big = bytes(range(256)) * 250
    with Server(on_tcp=lambda connection, query, _: send_tcp(connection, reply(query, tail=big))) as server:
        [attempt] = ask(server.query(5, transport=TCP))
        assert server.tcp_queries == [attempt.query] and server.udp_queries == []
    assert (attempt.status, attempt.transport, attempt.last) == (Status.ANSWERED, TCP, True)
    assert attempt.response == reply(attempt.query, tail=big)
    assert attempt.rtt_us is not None and attempt.local_port > 1023


def test_many_connections_at_once() -> None:
    with Server() as server:
        attempts = ask(*(server.query(tag, transport=TCP) for tag in range(300)))
    assert [attempt.status for attempt in attempts] == [Status.ANSWERED] * 300
    assert {attempt.tag for attempt in attempts} == set(range(300))


def test_truncation_is_followed_over_tcp_once() -> None:
    with Server(lambda query, _, send: send(reply(query, truncated=True))) as server:
        attempts = ask(server.query(attempts=3))
    assert words(attempts) == ["1 udp answered", "2 tcp answered"]
    assert [attempt.last for attempt in attempts] == [False, True]
    assert attempts[0].query[2:] == attempts[1].query[2:]


def test_truncation_is_not_followed_unless_wanted() -> None:
    with Server(lambda query, _, send: send(reply(query, truncated=True))) as server:
        assert words(ask(server.query(tcp_after_truncation=False))) == ["1 udp answered"]
        assert server.tcp_queries == []


def test_a_follow_up_that_fails_ends_the_query() -> None:
    def on_udp(query: bytes, _: int, send: Send) -> None:
        send(reply(query, truncated=True))

    with Server(on_udp, lambda connection, *_: _reset(connection)) as server:
        attempts = ask(server.query(attempts=3))
    assert words(attempts) == ["1 udp answered", "2 tcp reset"]


def test_a_closed_port_refuses() -> None:
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    attempts = ask(Query(0, ip_address(HOST), message(), TCP, port, attempts=2, timeout_ms=PATIENCE_MS))
    assert words(attempts) == ["1 tcp refused", "2 tcp refused"]
    assert [attempt.os_error for attempt in attempts] == [errno.ECONNREFUSED] * 2
    assert [attempt.last for attempt in attempts] == [False, True]


def _framed(*messages: bytes) -> bytes:
    return b"".join(len(octets).to_bytes(2, "big") + octets for octets in messages)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param(
            lambda query: _framed(other_id(reply(query)), reply(query)),
            ["1 tcp mismatched", "1 tcp answered"],
            id="wrong ID, then the answer",
        ),
        pytest.param(
            lambda query: _framed(b"", reply(query)),
            ["1 tcp mismatched", "1 tcp answered"],
            id="empty message, then the answer",
        ),
        pytest.param(_framed, ["1 tcp mismatched", "1 tcp reset"], id="the query itself"),
        pytest.param(
            lambda query: _framed(*[other_id(reply(query))] * 100),
            ["1 tcp mismatched"] * 4 + ["1 tcp reset"],
            id="many wrong IDs",
        ),
        pytest.param(lambda query: b"\xff\xff" + reply(query), ["1 tcp reset"], id="length too large"),
        pytest.param(
            lambda query: b"\0\x20" + reply(query), ["1 tcp mismatched", "1 tcp reset"], id="length too small"
        ),
        pytest.param(lambda query: b"\0", ["1 tcp reset"], id="half a length"),
        pytest.param(lambda query: b"", ["1 tcp reset"], id="nothing"),
    ],
)
def test_what_comes_before_the_server_closes(octets: Callable[[bytes], bytes], expected: list[str]) -> None:
    with Server(on_tcp=lambda connection, query, _: connection.sendall(octets(query))) as server:
        attempts = ask(server.query(transport=TCP))
    assert words(attempts) == expected
    final = attempts[-1]
    assert final.os_error == 0
    assert final.response == (reply(final.query) if final.status is Status.ANSWERED else None)


def test_an_answer_octet_by_octet() -> None:
    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in _framed(reply(query)):
            connection.sendall(bytes([octet]))

    with Server(on_tcp=on_tcp) as server:
        assert words(ask(server.query(transport=TCP))) == ["1 tcp answered"]


def test_a_reset_is_told_from_a_close() -> None:
    with Server(on_tcp=lambda connection, *_: _reset(connection)) as server:
        [attempt] = ask(server.query(transport=TCP))
    assert (attempt.status, attempt.os_error) == (Status.RESET, errno.ECONNRESET)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(lambda answer: b"", id="nothing"),
        pytest.param(lambda answer: b"\0", id="half a length"),
        pytest.param(lambda answer: (len(answer) + 1).to_bytes(2, "big") + answer, id="one octet missing"),
    ],
)
def test_the_deadline_is_for_the_whole_message(sent: Callable[[bytes], bytes]) -> None:
    def on_tcp(connection: socket.socket, query: bytes, _: int) -> None:
        connection.sendall(sent(reply(query)))
        wait_for_close(connection)

    with Server(on_tcp=on_tcp) as server:
        attempts = ask(server.query(transport=TCP, attempts=2, timeout_ms=SILENCE_MS * 4))
    assert words(attempts) == ["1 tcp timeout", "2 tcp timeout"]


def test_the_second_connection_answers() -> None:
    def on_tcp(connection: socket.socket, query: bytes, number: int) -> None:
        if number == 1:
            _reset(connection)
        else:
            send_tcp(connection, reply(query))

    with Server(on_tcp=on_tcp) as server:
        assert words(ask(server.query(transport=TCP, attempts=3))) == ["1 tcp reset", "2 tcp answered"]
