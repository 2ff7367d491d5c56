"""How long a zone may take, on the lab's own clock: dead servers, slow ones, and a pack that is spread."""

from __future__ import annotations

from itertools import pairwise

import pytest
from driving import ScriptedEngine, drive, tree, zone_spec

from gnomon.base import Address, Transport
from gnomon.lab import TimedLabEngine, World
from gnomon.survey.plan import ASSESS_PLAN, QUESTIONS, SURVEY_PLAN, Plan

ADDRESSES = [[f"28.{n}.0.53", f"2a10:5000:{n:x}::53"] for n in range(1, 14)]


def thirteen(zone: str, *faults: str) -> World:
    """A zone below test. with 13 name servers inside `zone`, of 26 addresses, each with these faults."""
    names = [f"ns{n}.{zone}" for n in range(1, 14)]
    zones = [zone_spec("a.test.", names)] + ([zone_spec(zone, names)] if zone != "a.test." else [])
    at = [(fault, address) for of in ADDRESSES for address in of for fault in faults]
    return tree(zones, dict(zip(names, ADDRESSES, strict=True)), *at)


def took_s(world: World, plan: Plan, zone: str = "a.test.") -> float:
    engine = TimedLabEngine(world)
    start_s = engine.now_s
    drive(engine, [zone], world.hints(), plan=plan)
    return engine.now_s - start_s


@pytest.mark.parametrize("plan", [ASSESS_PLAN, Plan()], ids=["assessment", "survey"])
def test_thirteen_dead_servers_cost_what_the_readme_says(plan: Plan) -> None:
    assert 10 <= took_s(thirteen("a.test.", "dead"), plan) <= 12


def test_thirteen_dead_servers_whose_addresses_nobody_tells() -> None:
    assert took_s(thirteen("other.test.", "dead"), ASSESS_PLAN) <= 60


FAULTS = (
    "tcp-silent", "no-udp", "truncating", "edns-dropped", "type-dropped", "opcode-dropped", "option-dropped",
    "malformed", "garbage", "wrong-id", "wrong-question",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_thirteen_servers_do_there_is_an_end(fault: str) -> None:
    assert took_s(thirteen("a.test.", fault), ASSESS_PLAN) <= ASSESS_PLAN.longest_zone_s


def test_the_end_of_a_zone_holds_though_every_answer_comes_late() -> None:
    plan = Plan(zone_s=5.0)
    world = thirteen("a.test.", "slow")
    assert took_s(world, plan) <= plan.longest_zone_s
    assert plan.longest_zone_s == 5 + max(question.longest_ms for question in QUESTIONS) / 1000


def test_a_surveys_pack_is_spread_over_half_a_minute_for_each_address() -> None:
    world = tree([zone_spec("a.test.", ["ns.a.test."])], {"ns.a.test.": ["28.1.0.1"]})
    engine = TimedLabEngine(world)
    surveyed = drive(engine, ["a.test."], world.hints(), plan=SURVEY_PLAN)
    sent_s = sorted(x.sent_at_ns / 1e9 for x in surveyed.exchanges if x.ask[0] == "S")
    assert sent_s[-1] - sent_s[0] >= 25 and all(after - before > 1 for before, after in pairwise(sent_s))
    assert took_s(world, ASSESS_PLAN) < 2


def test_one_question_that_is_dropped_does_not_end_the_pack() -> None:
    world = tree([zone_spec("a.test.", ["ns.a.test."])], {"ns.a.test.": ["28.1.0.1"]}, ("opcode-dropped", "28.1.0.1"))
    asks = drive(TimedLabEngine(world), ["a.test."], world.hints()).codes_at("28.1.0.1")
    assert {"S7", "S0", "S20", "S22"} <= asks


def test_the_pack_ends_at_a_server_that_answers_no_more() -> None:
    world = tree([zone_spec("a.test.", ["ns.a.test."])], {"ns.a.test.": ["28.1.0.1"]})
    shut = False

    def respond(address: Address, transport: Transport, query: bytes) -> bytes | None:
        nonlocal shut
        # As a firewall that bans whoever sends an unknown opcode.
        shut = shut or query[2] >> 3 & 15 == 15
        reply = world.respond(address, transport, query)
        return None if shut or not isinstance(reply, list) or not reply else reply[0]

    asks = drive(ScriptedEngine(respond), ["a.test."], world.hints(), plan=Plan(pack_at_once=1)).codes_at("28.1.0.1")
    assert {"S4", "S7", "S0"} <= asks and not asks & {"S16", "S22", "S20"}
