"""Octets of any kind in what servers send, and evidence with any gaps: checks answer, they never raise."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crafted import remade
from gnomon.base import Name, printable
from gnomon.checks.chain import ChainStatus
from gnomon.checks.registry import all_checks
from gnomon.checks.sentence import fill
from gnomon.checks.view import ZoneView
from gnomon.engine import Status
from gnomon.evidence import Exchange
from gnomon.lab import Placement, Scenario
from gnomon.wire import Message
from worlds import ZONE, view_of

FAMILIES = ("app", "denial", "dnssec", "ds", "edns", "exp", "hdr", "key", "mail", "resp", "sig", "syn")
TYPES = (43, 46, 47, 48, 50, 51, 6, 5, 15, 16, 52, 65, 257)
DNSSEC_ASKS = ("Q2", "Q4", "Q5", "Q6", "Q8P", "P2", "P1", "C1", "C2")
SERVICE_ASKS = ("Z1M", "Z1T", "Z1C", "Z1H", "Z2", "H1", "H4", "H5")
SERVICES = {
    "mx": ["10 mail.example.test.", "20 mx.other.test."],
    "addresses": {"mx.other.test.": ["28.9.9.25"]},
    "spf": ["v=spf1 include:spf.other.test a:www.example.test redirect=spf.example.test"],
    "records": [
        "example.test. 60 IN HTTPS 1 . mandatory=alpn alpn=h2 port=8443 ipv4hint=28.9.9.9",
        "www.example.test. 60 IN CNAME ns1.other.test.",
        "_25._tcp.mail.example.test. 60 IN TLSA 3 1 1 " + "00" * 32,
        '_mta-sts.example.test. 60 IN TXT "v=STSv1; id=1"',
    ],
    "elsewhere": ['spf.other.test. 60 IN TXT "v=spf1 mx -all"'],
}
WORLDS = {"NSEC": SERVICES, "NSEC3 and RSA": {"denial": "nsec3", "algorithm": 8, "cds": "match"}}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[ZoneView]:
    made = []
    for name, world in WORLDS.items():
        view = view_of(Scenario(name, (), (), world, ()), tmp_path_factory.mktemp("world"))
        # Two addresses are enough to compare, and keep the runs short.
        kept = set(view.addresses[:2])
        own = [x for x in view.exchanges if x.ask[0] not in "QS" or x.address in kept]
        made.append(remade(view, own))
    return made


@st.composite
def damage(draw: st.DrawFn, response: bytes) -> bytes:
    """The response with the data of some DNSSEC records replaced, in place where they stand, or octets flipped."""
    parsed = Message(response)
    records = [r for section in (parsed.answer, parsed.authority) for r in section if r.rtype in TYPES]
    octets = bytearray(response)
    for record in records:
        at = response.find(record.rdata)
        if at < 0 or not draw(st.booleans()):
            continue
        for _ in range(draw(st.integers(1, 4))):
            where = at + draw(st.integers(0, max(len(record.rdata) - 1, 0)))
            octets[where] = draw(st.integers(0, 255))
        if draw(st.integers(0, 3)) == 0:  # RDLENGTH, two octets before
            octets[at - 1] = draw(st.integers(0, 255))
    return bytes(octets)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_checks_never_raise(views: list[ZoneView], data: st.DataObject) -> None:
    view = data.draw(st.sampled_from(views), label="world")
    asks = data.draw(st.sets(st.sampled_from([*DNSSEC_ASKS, *SERVICE_ASKS]), min_size=1))

    def change(x: Exchange) -> Exchange:
        if x.ask not in asks or x.response is None:
            return x
        return replace(x, response=data.draw(damage(x.response)))

    damaged = remade(view, [change(x) for x in view.exchanges])
    assert damaged.chain().status in ChainStatus
    for check in all_checks().values():
        if check.family not in FAMILIES:
            continue
        outcomes = list(check.judge(damaged))
        assert outcomes, check.id
        for outcome in outcomes:
            sentence = fill(check.codes[outcome.code], str(damaged.zone), outcome.args)
            assert sentence == printable(sentence)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_octets_at_all(views: list[ZoneView], data: st.DataObject) -> None:
    view = data.draw(st.sampled_from(views), label="world")
    ask = data.draw(st.sampled_from(["Q2", "Q4", "Q6", "P2", "C2", "S6", "S10", "S17", "S20"]))
    junk = data.draw(st.binary(max_size=80))
    exchanges = [
        replace(x, response=x.response[:12] + junk) if x.ask == ask and x.response else x for x in view.exchanges
    ]
    damaged = remade(view, exchanges)
    for check in all_checks().values():
        if check.family in FAMILIES:
            assert [check.codes[outcome.code] for outcome in check.judge(damaged)]


FAULTS = ("edns-dropped", "lame-refused", "truncating", "other-denial", "referral-aa")


def flipped(octets: bytes, rnd: random.Random) -> bytes:
    """Some octets replaced, by those that mean most: lengths, pointers, the ends of names."""
    spoilt = bytearray(octets)
    for _ in range(rnd.randint(1, 5)):
        spoilt[rnd.randrange(len(spoilt))] = rnd.choice((0, 1, 0xC0, 255, rnd.randrange(256)))
    return bytes(spoilt)


def ruined(x: Exchange, rnd: random.Random, responses: list[bytes]) -> Exchange | None:
    """The exchange as it never was: its response spoilt, cut, another's or missing; None if it is lost altogether."""
    response = x.response or rnd.choice(responses)
    how: list[Callable[[], Exchange | None]] = [
        lambda: replace(x, response=flipped(response, rnd)),
        lambda: replace(x, response=response[:2] + flipped(response[2:12], rnd) + response[12:]),
        lambda: replace(x, response=response[: rnd.randrange(len(response))]),
        lambda: replace(x, response=x.query[:2] + rnd.choice(responses)[2:]),
        lambda: replace(x, status=rnd.choice(list(Status)), response=rnd.choice((None, response))),
        lambda: replace(x, sent_at_ns=x.sent_at_ns + rnd.randrange(-(10**15), 10**15)),
        lambda: None,
    ]
    return rnd.choice(how)()


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_evidence_with_anything_wrong(fault: str | None, tmp_path: Path) -> None:
    faults = (Placement(fault, "all", Name.from_text(ZONE)),) if fault else ()
    view = view_of(Scenario("ruined", (), (), SERVICES, faults), tmp_path)
    responses = [x.response for x in view.exchanges if x.response]
    for seed in range(8):
        rnd = random.Random(seed)
        share = rnd.choice((0.02, 0.1, 0.5))
        never_asked = set(rnd.sample(view.asks, rnd.randrange(6)))
        left = [
            ruined(x, rnd, responses) if rnd.random() < share else x for x in view.exchanges if x.ask not in never_asked
        ]
        damaged = remade(view, [x for x in left if x is not None])
        for check in all_checks().values():
            for outcome in check.judge(damaged):
                sentence = fill(check.codes[outcome.code], str(damaged.zone), outcome.args)
                assert sentence == printable(sentence)
