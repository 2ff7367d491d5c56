from ipaddress import ip_address
from itertools import pairwise

from lab_probes import TCP, ZONE, address_of, query

from gnomon.base import Name, Transport
from gnomon.engine import Attempt, Mismatch, Query, Status
from gnomon.lab import LabEngine, Placement, World, build_world

NS1 = "ns1.example.test."
EXAMPLE = Name.from_text(ZONE)


def run(world: World, *queries: Query) -> list[Attempt]:
    engine = LabEngine(world)
    engine.submit(queries)
    assert engine.pending == len(queries)
    attempts = engine.take()
    assert engine.pending == 0 and engine.take() == []
    for asked in queries:
        assert sum(a.last for a in attempts if a.tag == asked.tag) == 1
    return attempts


def faulty(fault: str, value: int | None = None, **changes: object) -> World:
    return build_world(changes, [Placement(fault, NS1, EXAMPLE, value)])


def soa_query(world: World, tag: int = 1, **options: object) -> Query:
    return Query(tag, address_of(world, NS1), query(ZONE, "SOA"), **options)  # type: ignore[arg-type]


def test_an_answer() -> None:
    world = build_world()
    (attempt,) = run(world, soa_query(world, tag=42))
    assert (attempt.tag, attempt.attempt, attempt.status, attempt.last) == (42, 1, Status.ANSWERED, True)
    assert attempt.response is not None and attempt.response[:2] == attempt.query[:2]
    assert attempt.rtt_us == world.rtt_us(address_of(world, NS1))
    assert attempt.sent_at_ns // 10**9 == world.clock_s


def test_attempts_are_reproducible_and_in_time_order() -> None:
    world = build_world()
    queries = [soa_query(world, tag, mix_case=True) for tag in range(20)]
    first, second = run(world, *queries), run(build_world(), *queries)
    assert first == second
    times = [attempt.sent_at_ns for attempt in first]
    assert times == sorted(times) and len(set(times)) == len(times)
    assert len({attempt.query for attempt in first}) == len(first)
    assert len({attempt.query[2:] for attempt in first}) > 10  # the case is mixed
    assert {attempt.query[12:].lower() for attempt in first} == {query(ZONE, "SOA")[12:]}


def test_silence_is_one_timeout_per_attempt() -> None:
    world = faulty("dead")
    attempts = run(world, soa_query(world, attempts=3, timeout_ms=1500))
    assert [a.status for a in attempts] == [Status.TIMEOUT] * 3
    assert [a.attempt for a in attempts] == [1, 2, 3]
    assert [b.sent_at_ns - a.sent_at_ns for a, b in pairwise(attempts)] == [1_500_000_000] * 2


def test_slow_is_late_or_a_timeout() -> None:
    world = faulty("slow", 900)
    (late,) = run(world, soa_query(world, timeout_ms=2000))
    assert late.status is Status.ANSWERED and (late.rtt_us or 0) > 900_000
    assert {a.status for a in run(world, soa_query(world, timeout_ms=500))} == {Status.TIMEOUT}


def test_truncation_is_followed_over_tcp() -> None:
    world = faulty("truncating")
    first, second = run(world, soa_query(world))
    assert (first.transport, first.status, first.last) == (0, Status.ANSWERED, False)
    assert (second.transport, second.attempt, second.status) == (1, 2, Status.ANSWERED)
    assert len(run(world, soa_query(world, tcp_after_truncation=False))) == 1


def test_reset() -> None:
    world = faulty("no-tcp")
    attempts = run(world, soa_query(world, transport=TCP))
    assert [a.status for a in attempts] == [Status.RESET] * 2 and attempts[0].os_error != 0


def test_what_is_not_the_answer_is_reported_and_not_accepted() -> None:
    for fault in ("wrong-id", "wrong-question", "garbage"):
        world = faulty(fault)
        attempts = run(world, soa_query(world, attempts=1))
        # Over TCP the server says the same.
        assert [(a.transport, a.status) for a in attempts] == [
            (Transport.UDP, Status.MISMATCHED), (TCP, Status.MISMATCHED), (TCP, Status.TIMEOUT)
        ]  # fmt: skip
        assert attempts[0].os_error == attempts[1].os_error == (Mismatch.QUESTION if "q" in fault else Mismatch.ID)


def test_special_addresses_are_never_asked() -> None:
    world = build_world({"glue": {NS1: ["10.1.2.3"]}})
    (attempt,) = run(world, Query(1, ip_address("10.1.2.3"), query(ZONE, "SOA")))
    assert attempt.status is Status.NOT_SENT_SPECIAL


def test_take_in_parts_and_close() -> None:
    world = build_world()
    engine = LabEngine(world, clock_s=1_800_000_000)
    engine.submit([soa_query(world, tag) for tag in range(5)])
    assert [a.tag for a in engine.take(2)] == [0, 1] and engine.pending == 3
    assert world.clock_s == 1_800_000_000
    engine.close()
    assert engine.pending == 0 and engine.take() == []
