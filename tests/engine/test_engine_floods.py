"""Whoever does not see a query cannot answer it: floods of each kind of wrong answer, and ten thousand races."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from engine_servers import Send, Server, ask, drain, engine, message, other_id, reply, send_tcp, words

from gnomon.base import Transport
from gnomon.engine import Attempt, Mismatch, Query, Status

FLOOD = 300
FORGED = b"forged"

pytestmark = pytest.mark.usefixtures("turns")


def _forged(query: bytes) -> bytes:
    return reply(query, tail=FORGED)


def _other_question(query: bytes) -> bytes:
    return query[:2] + b"\x84\0" + query[4:13] + b"_" + query[14:] + FORGED


def _other_ids(query: bytes, send: Send) -> None:
    first = int.from_bytes(query[:2], "big")
    for guess in range(1, FLOOD + 1):
        send(((first + guess) % 65_536).to_bytes(2, "big") + _forged(query)[2:])


def _from(source: str) -> Callable[[bytes, Send], None]:
    def flood(query: bytes, send: Send) -> None:
        for _ in range(FLOOD):
            send(_forged(query), source)

    return flood


def _other_questions(query: bytes, send: Send) -> None:
    for _ in range(FLOOD):
        send(_other_question(query))


def _lower_case(query: bytes, send: Send) -> None:
    end = len(message()) - 4
    for _ in range(FLOOD):
        send(reply(query[:12] + query[12:end].swapcase() + query[end:], tail=FORGED))


def _other_cookies(query: bytes, send: Send) -> None:
    for _ in range(FLOOD):
        send(_forged(query.replace(b"CLIENT-C", b"GUESSED!")))


@pytest.mark.parametrize(
    ("flood", "kind"),
    [
        (_other_ids, Mismatch.ID),
        (_from("port"), Mismatch.PORT),
        (_from("address"), Mismatch.ADDRESS),
        (_other_questions, Mismatch.QUESTION),
        (_lower_case, Mismatch.CASE),
        (_other_cookies, Mismatch.COOKIE),
    ],
)
def test_of_a_flood_none_is_accepted_and_all_are_counted(flood: Callable[[bytes, Send], None], kind: Mismatch) -> None:
    queries = 5

    def on_udp(query: bytes, _: int, send: Send) -> None:
        flood(query, send)
        send(reply(query, tail=b"true"))

    with Server(on_udp, None) as server, engine() as running:
        asked = [server.query(tag, mix_case=True)._replace(wire=_with_cookie()) for tag in range(queries)]
        attempts = drain(running, asked)
        # The rest of the floods may still be on the way; some may not fit the socket's buffer.
        for _ in range(200):
            if running.mismatches[kind] < FLOOD:
                running.take(timeout_ms=10)
        counted = running.mismatches
    assert counted[kind] >= queries
    for tag in range(queries):
        mine = [attempt for attempt in attempts if attempt.tag == tag]
        assert words([mine[0], mine[-1]]) == ["1 udp mismatched", "2 tcp answered"]
        assert mine[0].os_error == kind
        # Evidence of each flood, but a bounded number.
        assert len(mine) <= 6
    assert all(FORGED not in (a.response or b"") for a in attempts if a.status is Status.ANSWERED)


def _with_cookie() -> bytes:
    """A query with the client cookie CLIENT-C."""
    query = message()
    return query[:10] + b"\0\1" + query[12:] + b"\0" + struct.pack("!HHIHHH", 41, 1232, 0, 12, 10, 8) + b"CLIENT-C"


def test_late_floods_meet_a_query_that_has_moved_on() -> None:
    first: list[tuple[bytes, Send]] = []

    def on_udp(query: bytes, number: int, send: Send) -> None:
        first.append((query, send))
        if number == 2:
            old, old_send = first[0]
            for _ in range(FLOOD):
                old_send(_forged(old))
            send(reply(query))

    with Server(on_udp) as server, engine() as running:
        attempts = drain(running, [server.query(attempts=2, timeout_ms=1500)])
        counted = running.mismatches
    late = [attempt for attempt in attempts if attempt.status is Status.MISMATCHED]
    assert 1 <= len(late) <= 4 and {attempt.os_error for attempt in late} == {Mismatch.LATE}
    assert counted[Mismatch.LATE] >= len(late)
    accepted = [attempt for attempt in attempts if attempt.status is Status.ANSWERED]
    assert [attempt.response for attempt in accepted] == [reply(attempt.query) for attempt in accepted]


def test_a_broken_client_cookie_is_believed_over_tcp_only() -> None:
    """There nobody else can have sent it: the server is at fault, and the evidence shows it."""

    def on_udp(query: bytes, _: int, send: Send) -> None:
        _other_cookies(query, send)

    def broken(query: bytes) -> bytes:
        return reply(query.replace(b"CLIENT-C", b"SERVER-C"))

    with Server(on_udp, lambda connection, query, _: send_tcp(connection, broken(query))) as server:
        attempts = ask(server.query()._replace(wire=_with_cookie()))
    assert words([attempts[0], attempts[-1]]) == ["1 udp mismatched", "2 tcp answered"]
    assert attempts[-1].response == broken(attempts[-1].query)


def test_in_ten_thousand_races_no_forged_answer_wins() -> None:
    """Each query is raced by one wrong answer of a kind in turn, ahead of the right one."""
    races = 10_000

    def on_udp(query: bytes, number: int, send: Send) -> None:
        match number % 4:
            case 0:
                send(other_id(_forged(query)))
            case 1:
                send(_forged(query), "port")
            case 2:
                send(_forged(query), "address")
            case 3:
                send(_other_question(query))
        send(reply(query))

    with Server(on_udp) as server, engine() as running:
        attempts: list[Attempt] = drain(running, [_race(server, tag) for tag in range(races)])
        counted = running.mismatches
    answered = {a.tag: a for a in attempts if a.status is Status.ANSWERED}
    assert len(answered) == races
    assert all(a.response == reply(a.query) for a in answered.values())
    # Now and then the kernel lets the right answer pass the forged one.
    assert sum(a.transport is Transport.TCP for a in answered.values()) > races * 0.9
    assert sum(counted.values()) > races * 0.9
    assert server.connections <= 20


def _race(server: Server, tag: int) -> Query:
    return server.query(tag, name=f"n{tag}.example.test.", attempts=3, timeout_ms=3000)
