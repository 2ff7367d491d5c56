from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest
from engine_servers import FREE, LOOPBACK, SILENCE_MS, Send, Server, ask, drain, engine, message, reply, words

from gnomon.base import InputError, Transport
from gnomon.engine import Limits, NetworkEngine, Status


class Withholding:
    """Answers a whole batch at once when `size` queries have come, and counts what was unanswered at most."""

    def __init__(self, size: int) -> None:
        self.size, self.most = size, 0
        self._held: list[tuple[bytes, Send]] = []
        self._lock = threading.Lock()

    def __call__(self, query: bytes, _: int, send: Send) -> None:
        with self._lock:
            self._held.append((query, send))
            self.most = max(self.most, len(self._held))
            if len(self._held) == self.size:
                for held, send_held in self._held:
                    send_held(reply(held))
                self._held.clear()


@pytest.mark.parametrize("limits", [replace(FREE, in_flight_per_address=5), replace(FREE, in_flight_total=5)])
def test_no_more_queries_are_unanswered_than_allowed(limits: Limits) -> None:
    withholding = Withholding(5)
    with Server(withholding) as server:
        attempts = ask(*(server.query(tag) for tag in range(50)), limits=limits)
    assert withholding.most == 5
    assert [attempt.status for attempt in attempts] == [Status.ANSWERED] * 50


def test_the_total_holds_over_addresses() -> None:
    withholding = Withholding(4)
    with Server(withholding) as one, Server(withholding, host="127.0.0.2") as two:
        queries = [server.query(tag) for tag in range(20) for server in (one, two)]
        attempts = ask(*queries, limits=replace(FREE, in_flight_total=4))
    assert withholding.most == 4
    assert Counter(attempt.status for attempt in attempts) == {Status.ANSWERED: 40}


def test_a_slow_rate_still_serves_everything() -> None:
    limits = replace(FREE, rate_qps=200.0, burst=2, total_qps=150.0)
    with Server() as server:
        attempts = ask(*(server.query(tag) for tag in range(30)), limits=limits)
    assert Counter(attempt.status for attempt in attempts) == {Status.ANSWERED: 30}
    # Queries of one address leave in the order in which they were submitted.
    sent = sorted(attempts, key=lambda attempt: attempt.sent_at_ns)
    assert [attempt.tag for attempt in sent] == list(range(30))


def test_addresses_take_turns() -> None:
    order: list[str] = []

    def on_udp(host: str, query: bytes, send: Send) -> None:
        order.append(host)
        send(reply(query))

    with (
        Server(lambda query, _, send: on_udp("one", query, send)) as one,
        Server(lambda query, _, send: on_udp("two", query, send), host="127.0.0.2") as two,
    ):
        queries = [one.query(tag) for tag in range(20)] + [two.query(tag) for tag in range(20, 40)]
        ask(*queries, limits=replace(FREE, in_flight_total=1))
    assert order == ["one", "two"] * 20


def test_the_breaker_spares_a_silent_address_but_not_its_other_transport() -> None:
    limits = replace(FREE, breaker_silent=3, in_flight_per_address=1)
    with Server(lambda *_: None) as silent, Server(host="127.0.0.2") as lively:
        queries = [silent.query(tag, timeout_ms=SILENCE_MS) for tag in range(10)]
        queries += [silent.query(10, transport=Transport.TCP), lively.query(11)]
        attempts = ask(*queries, limits=limits)
        assert len(silent.udp_queries) == 3
    status = {attempt.tag: attempt for attempt in attempts}
    assert [status[tag].status for tag in range(3)] == [Status.TIMEOUT] * 3
    assert [status[tag].status for tag in range(3, 10)] == [Status.NOT_SENT_BREAKER] * 7
    assert [status[tag].status for tag in (10, 11)] == [Status.ANSWERED] * 2
    not_sent = status[9]
    assert (not_sent.attempt, not_sent.local_port, not_sent.rtt_us) == (1, 0, None)
    assert not_sent.query == message() and not_sent.last


def test_retries_are_spared_too() -> None:
    with Server(lambda *_: None) as silent:
        attempts = ask(silent.query(attempts=5, timeout_ms=SILENCE_MS), limits=replace(FREE, breaker_silent=2))
    assert words(attempts) == ["1 udp timeout", "2 udp timeout", "3 udp not-sent-breaker"]
    assert [attempt.last for attempt in attempts] == [False, False, True]


def test_an_answer_closes_the_breaker_again() -> None:
    limits = replace(FREE, breaker_silent=2, in_flight_per_address=1)
    with (
        Server(lambda query, number, send: send(reply(query)) if number % 2 == 0 else None) as server,
        engine(limits) as running,
    ):
        for tag in range(6):
            answered = tag % 2 == 1
            running.submit([server.query(tag, timeout_ms=5000 if answered else SILENCE_MS)])
            expected = Status.ANSWERED if answered else Status.TIMEOUT
            assert [attempt.status for attempt in drain(running)] == [expected]


@pytest.mark.parametrize(
    "limits",
    [
        replace(FREE, rate_qps=0.0),
        replace(FREE, rate_qps=float("nan")),
        replace(FREE, burst=0),
        replace(FREE, burst=-1),
        replace(FREE, in_flight_per_address=0),
        replace(FREE, in_flight_total=0),
        replace(FREE, total_qps=-1.0),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: Limits) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        NetworkEngine(limits, allow_net=LOOPBACK)
