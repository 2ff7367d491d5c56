"""Worlds made to keep a survey busy: it always ends, within its bounds, and asks nobody it should not."""

from __future__ import annotations

import random
from collections import Counter

import dns.flags
import dns.message
import dns.rrset
import pytest
from driving import ScriptedEngine, drive, drive_lab, name, tree, zone_spec
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.base import parse_address
from gnomon.base.codes import CNAME, NS
from gnomon.lab.scenario import build_world
from gnomon.lab.spec import RecordSpec
from gnomon.survey.plan import Plan
from gnomon.wire import compose

ROOT_AT, TEST_AT = "28.0.0.1", "28.0.1.1"
HINTS = {name("a.root."): (parse_address(ROOT_AT),)}
# Of one zone: its own questions, what names and cuts first needed by it may cost, and a pack for each address.
MOST = Plan().zone_queries + Plan().walk_queries + 40 * Plan().name_queries


def test_names_pointing_into_a_strangers_dead_zone_cost_it_less_than_100_messages():
    ns = [f"n{n}.victim.test." for n in range(200)]
    victims = ["28.66.0.1", "28.66.0.2", "28.66.0.3"]
    world = tree(
        [zone_spec("evil.test.", ns), zone_spec("victim.test.", ["ns.victim.test."])],
        {"ns.victim.test.": victims},
        *(("dead", victim) for victim in victims),
    )
    surveyed = drive_lab(world, "evil.test.")
    assert 0 < len(surveyed.at(*victims)) < 100


@pytest.mark.parametrize("labels", ["n{}", "n{}.a.b.c.d", "{}.x{}.y{}"])
def test_names_pointing_into_a_strangers_live_zone_cost_it_less_than_100_messages(labels):
    ns = [labels.replace("{}", str(n)) + ".victim.test." for n in range(200)]
    world = tree(
        [zone_spec("evil.test.", ns), zone_spec("victim.test.", ["ns.victim.test."])],
        {"ns.victim.test.": ["28.66.0.1"]},
    )
    surveyed = drive_lab(world, "evil.test.")
    assert 0 < len(surveyed.at("28.66.0.1")) < 100


def test_two_zones_that_name_each_others_servers_end_after_a_few_messages():
    world = tree([zone_spec("a.test.", ["ns.b.test."]), zone_spec("b.test.", ["ns.a.test."])], {})
    assert len(drive_lab(world, "a.test.").exchanges) <= 20
    assert len(drive_lab(world, "a.test.", "b.test.").exchanges) <= 30


def test_a_zone_whose_only_server_is_inside_it_without_glue_ends():
    world = tree([zone_spec("a.test.", ["ns.a.test."])], {})
    surveyed = drive_lab(world, "a.test.")
    assert surveyed.asks("zone a.test.") == {"P1": 1, "P2": 1}


def test_many_zones_in_circles_end_within_their_bounds():
    names = [f"z{n}.test." for n in range(12)]
    world = tree([zone_spec(zone, [f"ns{n}.{other}" for n, other in enumerate(names)]) for zone in names], {})
    surveyed = drive_lab(world, *names)
    assert len(surveyed.exchanges) < 12 * Plan().walk_queries


def test_a_circle_is_no_obstacle_where_there_is_another_way():
    world = tree(
        [
            zone_spec("a.test.", ["ns.b.test."]),
            zone_spec("b.test.", ["ns.a.test.", "ns.c.test."]),
            zone_spec("c.test.", ["ns.c.test."]),
        ],
        {"ns.b.test.": ["28.1.0.2"], "ns.a.test.": ["28.1.0.1"], "ns.c.test.": ["28.1.0.3"]},
    )
    world_without_sibling_glue = tree(
        [
            zone_spec("a.test.", ["ns.b.test."], glue={"ns.b.test.": []}),
            zone_spec("b.test.", ["ns.a.test.", "ns.c.test."], glue={"ns.a.test.": []}),
            zone_spec("c.test.", ["ns.c.test."]),
        ],
        {"ns.b.test.": ["28.1.0.2"], "ns.a.test.": ["28.1.0.1"], "ns.c.test.": ["28.1.0.3"]},
    )
    for one in (world, world_without_sibling_glue):
        surveyed = drive_lab(one, "a.test.", "b.test.")
        assert "Q1" in surveyed.codes_at("28.1.0.2") and "Q1" in surveyed.codes_at("28.1.0.1")


def test_a_long_line_of_names_in_other_zones_is_followed_only_so_far():
    zones = [zone_spec(f"z{n}.test.", [f"ns.z{n + 1}.test."]) for n in range(30)]
    surveyed = drive_lab(tree(zones, {}), "z0.test.")
    assert surveyed.asks("cut z8.test.") and not surveyed.asks("cut z12.test.")


def test_names_that_branch_at_every_step_are_bounded_by_the_purse_of_the_zone():
    zones = [
        zone_spec(f"z{level}-{n}.test.", [f"ns.z{level + 1}-{n * 3 + k}.test." for k in range(3)])
        for level in range(6)
        for n in range(3**level)
    ]
    surveyed = drive_lab(tree(zones, {}), "z0-0.test.")
    assert len([x for x in surveyed.exchanges if not x.status.is_unsent]) <= Plan().walk_queries + 10


def test_aliases_in_circles_end():
    loop = [
        RecordSpec(name("x.host.test."), CNAME, 60, (name("y.host.test.").wire,)),
        RecordSpec(name("y.host.test."), CNAME, 60, (name("x.host.test.").wire,)),
    ]
    world = tree(
        [zone_spec("a.test.", ["x.host.test."]), zone_spec("host.test.", ["ns.host.test."], records=loop)],
        {"ns.host.test.": ["28.1.0.1"]},
    )
    assert len(drive_lab(world, "a.test.").at("28.1.0.1")) <= 2 * (Plan().aliases + 1)


@pytest.mark.parametrize(("hops", "found"), [(12, True), (13, False)])
def test_twelve_aliases_are_followed(hops, found):
    chain = [RecordSpec(name(f"h{n}.host.test."), CNAME, 60, (name(f"h{n + 1}.host.test.").wire,)) for n in range(hops)]
    world = tree(
        [zone_spec("a.test.", ["h0.host.test."]), zone_spec("host.test.", ["ns.host.test."], records=chain)],
        {"ns.host.test.": ["28.1.0.1"], f"h{hops}.host.test.": ["28.1.0.2"]},
    )
    surveyed = drive_lab(world, "a.test.")
    assert bool(surveyed.at("28.1.0.2")) == found
    assert len(surveyed.at("28.1.0.1")) <= 2 * 13 + 2


def test_no_plan_asks_a_zone_on_the_way_more_than_100_times():
    """Whatever else is allowed: the victim's own bound holds for every way that leads through it."""
    ns = [f"n{n}.{'x.' * (n % 5)}victim.test." for n in range(200)]
    world = tree(
        [zone_spec("evil.test.", ns), zone_spec("victim.test.", ["ns.victim.test."])],
        {"ns.victim.test.": ["28.66.0.1"]},
    )
    greedy = Plan(ns_names=200, name_queries=400, walk_queries=5000, zone_queries=5000)
    surveyed = drive_lab(world, "evil.test.", plan=greedy)
    assert 50 < len([x for x in surveyed.at("28.66.0.1") if not x.status.is_unsent]) <= 100
    assert surveyed.scheduler.cut_short == 1


# Scripts: servers that say what no name server program says


def reply(wire: bytes, *, answer=(), authority=(), additional=(), aa=False, rcode=0) -> bytes:
    query = dns.message.from_wire(wire, ignore_trailing=True)
    response = dns.message.make_response(query, our_payload=65_000)
    response.flags |= dns.flags.AA if aa else 0
    response.set_rcode(rcode)
    for section, texts in (("answer", answer), ("authority", authority), ("additional", additional)):
        for owner, ttl, rtype, *rdatas in texts:
            getattr(response, section).append(dns.rrset.from_text(owner, ttl, "IN", rtype, *rdatas))
    return response.to_wire(max_size=65_535)


def asked_name(wire: bytes) -> str:
    return dns.message.from_wire(wire).question[0].name.to_text().lower()


def scripted(respond, *zones, **options):
    engine = ScriptedEngine(respond)
    return drive(engine, zones, HINTS, **options), engine.sent


def test_poison_glue_is_not_contacted():
    trap = "28.66.66.66"

    def respond(address, transport, wire):
        return reply(
            wire,
            authority=[("test.", 60, "NS", "ns.test.", "ns.elsewhere.", ".")]
            if address == parse_address(ROOT_AT)
            else [("a.test.", 60, "NS", "ns.a.test.", "www.victim.org.")],
            additional=[("ns.test.", 60, "A", TEST_AT), ("ns.a.test.", 60, "A", "28.1.0.1"),
                        ("www.victim.org.", 60, "A", trap), ("unrelated.test.", 60, "A", trap)],
        )  # fmt: skip

    surveyed, sent = scripted(respond, "a.test.")
    assert sent[parse_address("28.1.0.1")] and not sent[parse_address(trap)]
    assert surveyed.asks("zone a.test.")["P1"] >= 1


def test_thousands_of_name_servers_are_recorded_and_few_are_asked():
    hosts = [f"n{n}.a.test." for n in range(1500)]
    glue = [(host, 60, "A", f"28.9.{n >> 8}.{n & 255}") for n, host in enumerate(hosts)]
    huge = reply(compose.query(name("a.test."), NS), authority=[("a.test.", 60, "NS", *hosts)], additional=glue)

    def respond(address, transport, wire):
        if address == parse_address(ROOT_AT):
            return reply(wire, authority=[("test.", 60, "NS", "ns.test.")], additional=[("ns.test.", 60, "A", TEST_AT)])
        return huge

    _, sent = scripted(respond, "a.test.")
    assert 0 < sum(sent.values()) <= MOST
    assert len([address for address in sent if str(address).startswith("28.9.")]) == 26


@pytest.mark.parametrize("owner", [".", "test.", "com.", "x.a.test.", "b.test."])
def test_referrals_to_the_side_or_upwards_lead_nowhere(owner):
    def respond(address, transport, wire):
        return reply(wire, authority=[(owner, 60, "NS", "ns.test.")], additional=[("ns.test.", 60, "A", TEST_AT)])

    _, sent = scripted(respond, "a.test.")
    assert sum(sent.values()) < 60


def test_a_server_that_delegates_every_name_one_label_deeper_is_followed_forty_labels():
    deep = ".".join("x" for _ in range(100)) + ".test."

    def respond(address, transport, wire):
        asked = asked_name(wire)
        host = f"n.{asked}" if asked != "." else "n."
        return reply(wire, authority=[(asked, 60, "NS", host)], additional=[(host, 60, "A", TEST_AT)])

    surveyed, _ = scripted(respond, deep)
    assert len({x.subject for x in surveyed.exchanges if x.ask == "C0"}) == Plan().cuts


def test_a_server_that_always_refers_to_a_zone_in_between_is_left():
    deep = ".".join("x" for _ in range(30)) + ".test."
    steps = Counter()

    def respond(address, transport, wire):
        asked = asked_name(wire)
        labels = asked.split(".")
        steps[asked] += 1
        between = ".".join(labels[max(0, len(labels) - 3 - steps[asked]) :])
        return reply(wire, authority=[(between, 60, "NS", "ns.test.")], additional=[("ns.test.", 60, "A", TEST_AT)])

    _, sent = scripted(respond, deep)
    assert sum(sent.values()) <= MOST


def test_a_zone_that_only_shows_below_itself_is_found_and_belongs_to_the_chain_of_trust():
    def respond(address, transport, wire):
        asked = asked_name(wire)
        if address == parse_address(ROOT_AT):
            if asked == "test.":
                return reply(wire, rcode=2)
            return reply(wire, authority=[("test.", 60, "NS", "ns.test.")], additional=[("ns.test.", 60, "A", TEST_AT)])
        return reply(wire, aa=True, answer=[("a.test.", 60, "NS", "ns.test.")] if asked == "a.test." else ())

    surveyed, _ = scripted(respond, "a.test.")
    assert surveyed.asks("zone a.test.")["P1"] == 2
    assert surveyed.asks("cut test.")["C2"] == 1


@pytest.mark.parametrize("answer", [None, b"", b"\0" * 12, b"\xff" * 12, b"\x80" * 300, bytes(range(256)) * 200])
def test_the_same_octets_to_every_question(answer):
    def respond(address, transport, wire):
        return answer

    _, sent = scripted(respond, "a.test.", "b.a.test.", ".")
    assert sum(sent.values()) <= 3 * MOST


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), damage=st.floats(0, 1), concurrency=st.integers(1, 4))
def test_damaged_answers_never_break_the_survey_or_its_bounds(seed, damage, concurrency):
    world = WORLD
    chance = random.Random(seed)

    def respond(address, transport, wire):
        kind = chance.random()
        if kind < 0.05 * damage:
            return None
        if kind < 0.15 * damage:
            return chance.randbytes(chance.randrange(12, 600))
        messages = world.respond(address, transport, wire)
        if not isinstance(messages, list) or not messages:
            return None
        message = bytearray(messages[0])
        if chance.random() < damage:
            for _ in range(chance.randrange(1, 8)):
                message[chance.randrange(2, len(message))] = chance.randrange(256)
        if chance.random() < 0.2 * damage:
            del message[chance.randrange(12, len(message) + 1) :]
        return bytes(message)

    zones = ["example.test.", "test.", ".", "other.test.", "nothing.test."]
    surveyed = drive(ScriptedEngine(respond), zones, world.hints(), concurrency=concurrency)
    for zone in zones:
        assert sum(surveyed.asks(f"zone {zone}").values()) <= Plan().zone_queries
    for subject in {x.subject for x in surveyed.exchanges if x.subject.startswith("name ")}:
        assert sum(surveyed.asks(subject).values()) <= Plan().name_queries
    assert len(surveyed.exchanges) <= len(zones) * MOST


WORLD = build_world()
