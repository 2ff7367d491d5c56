from __future__ import annotations

import errno
import socket
import sys
from ipaddress import ip_address

import pytest
from engine_servers import (
    HOST,
    PATIENCE_MS,
    SILENCE_MS,
    Send,
    Server,
    ask,
    drain,
    engine,
    message,
    other_id,
    reply,
    words,
)  # fmt: skip

from gnomon.base import Transport
from gnomon.engine import Mismatch, Query, Status

pytestmark = pytest.mark.usefixtures("turns")


def test_an_answer_with_its_circumstances() -> None:
    with Server(lambda query, _, send: send(reply(query, tail=b"rest"))) as server:
        [attempt] = ask(server.query(77))
        assert attempt.query == server.udp_queries[0]
    assert (attempt.tag, attempt.attempt, attempt.transport) == (77, 1, Transport.UDP)
    assert (attempt.status, attempt.os_error, attempt.last) == (Status.ANSWERED, 0, True)
    assert attempt.query[2:] == message()[2:]
    assert attempt.response == reply(attempt.query, tail=b"rest")
    assert attempt.rtt_us is not None and attempt.local_port > 1023
    assert attempt.sent_at_ns > 1_700_000_000 * 10**9


def test_an_answer_over_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback")
    with Server(host="::1") as server:
        attempts = ask(server.query(), server.query(1, transport=Transport.TCP))
    assert sorted(words(attempts)) == ["1 tcp answered", "1 udp answered"]


def test_silence_uses_up_the_attempts_each_from_another_socket_with_another_id() -> None:
    with Server(lambda *_: None) as server:
        attempts = ask(server.query(attempts=3, timeout_ms=SILENCE_MS))
        assert [attempt.query for attempt in attempts] == server.udp_queries
    assert words(attempts) == ["1 udp timeout", "2 udp timeout", "3 udp timeout"]
    assert [attempt.last for attempt in attempts] == [False, False, True]
    assert all(attempt.response is None and attempt.rtt_us is None for attempt in attempts)
    ports = [attempt.local_port for attempt in attempts]
    assert ports[0] != ports[1] != ports[2]


def test_the_second_attempt_is_answered() -> None:
    with Server(lambda query, number, send: send(reply(query)) if number == 2 else None) as server:
        first, second = ask(server.query(attempts=3, timeout_ms=1000))
    assert words([first, second]) == ["1 udp timeout", "2 udp answered"]
    assert second.response == reply(second.query)


def _wrong_question(query: bytes) -> bytes:
    return reply(query).replace(b"example", b"exbmple")


def _wrong_type(query: bytes) -> bytes:
    return reply(query)[:-4] + b"\0\x02\0\1"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        pytest.param(lambda query: other_id(reply(query)), Mismatch.ID, id="other ID"),
        pytest.param(_wrong_question, Mismatch.QUESTION, id="other name"),
        pytest.param(_wrong_type, Mismatch.QUESTION, id="other type"),
        pytest.param(lambda query: query, Mismatch.ID, id="the query itself"),
        pytest.param(lambda query: reply(query)[:11], Mismatch.ID, id="no whole header"),
        pytest.param(lambda query: reply(query)[:-1], Mismatch.QUESTION, id="question cut"),
        pytest.param(lambda query: query[:2], Mismatch.ID, id="ID alone"),
        pytest.param(lambda query: b"", Mismatch.ID, id="nothing"),
    ],
)
def test_what_is_not_the_answer_is_reported_and_the_query_asked_again_over_tcp(wrong: object, kind: Mismatch) -> None:
    assert callable(wrong)

    def on_udp(query: bytes, _: int, send: Send) -> None:
        send(wrong(query))
        send(reply(query))

    with Server(on_udp) as server, engine() as running:
        attempts = drain(running, [server.query(attempts=3)])
        assert running.mismatches[kind] >= 1
    heard, answer = attempts[0], attempts[-1]
    assert words([heard, answer]) == ["1 udp mismatched", "2 tcp answered"]
    assert (heard.response, heard.os_error) == (wrong(heard.query), kind)
    assert (heard.tag, heard.query[2:], heard.last) == (answer.tag, answer.query[2:], False)
    assert answer.response == reply(answer.query)
    # What came after the first doubt is late, however right.
    assert all((x.status, x.os_error) == (Status.MISMATCHED, Mismatch.LATE) for x in attempts[1:-1])


@pytest.mark.parametrize(("source", "kind"), [("port", Mismatch.PORT), ("address", Mismatch.ADDRESS)])
def test_an_answer_from_elsewhere_is_not_accepted(source: str, kind: Mismatch) -> None:
    with Server(lambda query, _, send: send(reply(query), source)) as server:
        attempts = ask(server.query())
    assert words(attempts) == ["1 udp mismatched", "2 tcp answered"]
    assert attempts[0].os_error == kind


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda query: reply(query[:12] + query[12:].lower()), id="case lost, where none was mixed"),
        pytest.param(lambda query: query[:2] + b"\x80\x01" + bytes(8), id="FORMERR with nothing but a header"),
        pytest.param(lambda query: query[:2] + b"\x80\x04" + bytes(8) + b"rubbish", id="no question, then rubbish"),
    ],
)
def test_poor_answers_are_answers(answer: object) -> None:
    assert callable(answer)
    with Server(lambda query, _, send: send(answer(query))) as server:
        [attempt] = ask(server.query(name="WwW.eXaMpLe.TeSt."))
    assert attempt.status is Status.ANSWERED
    assert attempt.response == answer(attempt.query)


def test_a_late_answer_is_reported_with_its_attempt_and_not_accepted() -> None:
    queries: list[tuple[bytes, Send]] = []

    def on_udp(query: bytes, number: int, send: Send) -> None:
        queries.append((query, send))
        if number == 2:
            first_query, first_send = queries[0]
            first_send(reply(first_query))
            send(reply(query))

    with Server(on_udp) as server, engine() as running:
        attempts = drain(running, [server.query(attempts=2, timeout_ms=1000, mix_case=True)])
        assert running.mismatches[Mismatch.LATE] == 1
    by_word = dict(zip(words(attempts), attempts, strict=True))
    assert by_word.keys() == {"1 udp timeout", "1 udp mismatched", "2 udp answered"}
    late = by_word["1 udp mismatched"]
    assert late.query == by_word["1 udp timeout"].query
    assert late.response == reply(late.query)
    assert late.rtt_us is not None and late.rtt_us >= 1_000_000
    assert by_word["2 udp answered"].response == reply(by_word["2 udp answered"].query)


def test_an_answer_sent_twice_is_heard_once() -> None:
    def on_udp(query: bytes, _: int, send: Send) -> None:
        send(reply(query))
        send(reply(query))

    with Server(on_udp) as server:
        attempts = ask(*(server.query(tag) for tag in range(200)))
    assert [attempt.status for attempt in attempts] == [Status.ANSWERED] * 200


def test_case_is_mixed_anew_in_each_attempt() -> None:
    name = "abcdefghijklmnopqrstuvwxyz.example.test."
    with Server(lambda *_: None) as server:
        attempts = ask(server.query(name=name, attempts=3, timeout_ms=SILENCE_MS, mix_case=True))
    names = [attempt.query[12:-4] for attempt in attempts]
    assert {mixed.lower() for mixed in names} == {message(name)[12:-4]}
    assert len(set(names)) == 3
    assert all(attempt.query[-4:] == message()[-4:] for attempt in attempts)


def test_ids_and_ports_are_spread() -> None:
    with Server() as server:
        attempts = ask(*(server.query(tag) for tag in range(500)))
    assert len({attempt.query[:2] for attempt in attempts}) > 450
    assert len({attempt.local_port for attempt in attempts}) >= 16


@pytest.mark.skipif(sys.platform != "linux", reason="ICMP errors are read from Linux' error queue")
def test_icmp_ends_an_attempt_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind((HOST, 0))
        port = closed.getsockname()[1]
    address = ip_address(HOST)
    with Server() as server:
        queries = [Query(tag, address, message(), port=port, attempts=2, timeout_ms=PATIENCE_MS) for tag in range(50)]
        attempts = ask(*queries, *(server.query(tag) for tag in range(50, 100)))
    statuses = {(attempt.tag < 50, attempt.status, attempt.os_error) for attempt in attempts}
    assert statuses == {(True, Status.ICMP_UNREACHABLE, errno.ECONNREFUSED), (False, Status.ANSWERED, 0)}
    assert len(attempts) == 150


def test_a_query_too_big_for_a_datagram_is_a_local_error() -> None:
    with Server() as server:
        query = server.query(attempts=3)._replace(wire=message() + bytes(65_520 - len(message())))
        [attempt] = ask(query)
    assert (attempt.status, attempt.os_error, attempt.last) == (Status.LOCAL_ERROR, errno.EMSGSIZE, True)
    assert server.udp_queries == []


def test_every_course_of_attempts() -> None:
    """Each query's name spells what becomes of its attempts: Drop, Answer, Noise, Mismatch then answer, Truncated."""
    courses = [first + second + third for first in "danmt" for second in "danmt" for third in "dm"]
    seen: dict[bytes, int] = {}

    def on_udp(query: bytes, _: int, send: Send) -> None:
        course = query[13 : 13 + query[12]]
        step = seen.get(course, 0)
        seen[course] = step + 1
        act = chr(course[step])
        if act in "nm":
            send(other_id(reply(query)))
        if act in "amt":
            send(reply(query, truncated=act == "t"))

    def expected(course: str) -> list[str]:
        out = []
        for number, act in enumerate(course, 1):
            if act in "nm":
                return [*out, f"{number} udp mismatched", f"{number + 1} tcp answered"]
            if act in "amt":
                out.append(f"{number} udp answered")
                return [*out, f"{number + 1} tcp answered"] if act == "t" else out
            out.append(f"{number} udp timeout")
        return out

    with Server(on_udp) as server:
        got = ask(
            *(
                server.query(tag, name=f"{course}.example.test.", attempts=3, timeout_ms=1000)
                for tag, course in enumerate(courses)
            )
        )
    for tag, course in enumerate(courses):
        mine = [attempt for attempt in got if attempt.tag == tag and attempt.os_error != Mismatch.LATE]
        assert words(mine) == expected(course), course
        assert [attempt.last for attempt in mine] == [False] * (len(mine) - 1) + [True]
