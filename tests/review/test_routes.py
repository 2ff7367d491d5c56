"""Every address with every role: what is seen, what is asked for, what is refused; and how many queries it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from measured import RUN_ID
from reviewed import Workspace

from gnomon.insight.indicator import Indicator
from gnomon.review.findings.actions import MeasurePlan, Smart, draft_finding, evaluate_measure, recommend
from gnomon.review.measurements import Measurements
from gnomon.review.pages.middleware import CONTENT_SECURITY_POLICY
from gnomon.review.policy import GRANTS
from gnomon.review.register.actions import register_indicator
from gnomon.review.reviews.actions import UpdateText, publish_update

ROLES = ("anonymous", "stranger", "member", "rapporteur", "chair", "operator")
SIGN_IN = 302
# name of the route -> (address, status for anonymous, stranger, member, rapporteur, chair, operator)
SEEN = (200,) * 6
EXPECTED = {
    "front": ("/", SEEN),
    "health": ("/healthz", SEEN),
    "sign-in": ("/sign-in", SEEN),
    "sign-out": ("/sign-out", (405,) * 6),
    "zones": ("/zones/", SEEN),
    "look-up": ("/zone/?q=z03.test", (302,) * 6),
    "zone": ("/zone/z03.test/", SEEN),
    "verdict": ("/verdict/del.lame/z00.test/", SEEN),
    "checks": ("/checks/", SEEN),
    "check": ("/check/del.lame/", SEEN),
    "run": (f"/run/{RUN_ID}/", SEEN),
    "packet": ("{packet}", SEEN),
    "all-events": ("/events/", SEEN),
    "review": ("/r/test/", SEEN),
    "area": ("/r/test/area/3/", SEEN),
    "update": ("/r/test/area/3/update", (SIGN_IN, 403, 200, 200, 200, 403)),
    "events": ("/r/test/events/", SEEN),
    "evidence": ("/r/test/e/", SEEN),
    "evidence-item": ("/r/test/e/1/", SEEN),
    "findings": ("/r/test/f/", SEEN),
    "new-finding": ("/r/test/f/new", (SIGN_IN, 403, 200, 200, 200, 403)),
    "finding": ("/r/test/f/1/", SEEN),
    "recommendations": ("/r/test/rec/", SEEN),
    "recommendation": ("/r/test/rec/1/", SEEN),
}  # fmt: skip
MAX_QUERIES = 15
NOT_THERE = [
    "/nothing",
    "/r/none/",
    "/r/test/area/9/",
    "/r/test/f/9/",
    "/r/test/e/9/",
    "/r/test/rec/9/",
    "/check/no.check/",
    "/zone/never.example/",
    "/verdict/no.check/z00.test/",
    "/run/NONE/",
    f"/packet/{RUN_ID}/00/1/",
    f"/packet/{RUN_ID}/{'0' * 64}/1/",
    "/packet/NONE/00/1/",
    "/zone/..bad../",
]


@pytest.fixture
def full(workspace: Workspace, indicators: dict[str, Indicator]) -> Workspace:
    """The workspace with one of everything."""
    from datetime import date

    w = workspace
    register_indicator(w.member, w.review, w.run, indicators["i.lame"])
    question = w.area(3).questions.first()
    assert question is not None
    finding = draft_finding(
        w.member, w.area(3), "Many are lame.", evidence=[w.item()], properties=["reliability"], questions=[question]
    )
    smart = Smart("Test them.", "Registries", "They rot.", date(2030, 1, 1))
    lame = indicators["i.lame"]
    advice = recommend(w.member, [finding], "Repair.", smart, MeasurePlan("i.lame", lame.title, "all", "at-most", 1.0))
    evaluate_measure(w.member, advice.measure, w.run, lame)
    publish_update(w.member, w.area(3), UpdateText("read", "write", "paper", "soon"))
    return w


def _address(w: Workspace, route: str) -> str:
    address = EXPECTED[route][0]
    if address == "{packet}":
        measured = Measurements(w.run_directory)
        segment, row = measured.verdicts("z00.test.", "del.lame")[0].evidence[0].split(":")
        return f"/packet/{RUN_ID}/{segment}/{row}/"
    return address


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry)
        else:
            yield entry


def test_every_route_is_expected_and_says_what_it_needs() -> None:
    patterns = list(_patterns(get_resolver()))
    assert {pattern.name for pattern in patterns} == set(EXPECTED)
    for pattern in patterns:
        verb, kind, _ = pattern.callback.needs
        assert (verb, kind) in GRANTS, pattern.name


@pytest.mark.parametrize("role", ROLES)
def test_every_route_with_every_role(full: Workspace, role: str) -> None:
    client = full.client(role)
    for route, (_, statuses) in EXPECTED.items():
        address, status = _address(full, route), statuses[ROLES.index(role)]
        response = client.get(address)
        assert response.status_code == status, f"{role} at {address}"
        if status == SIGN_IN and route != "look-up":
            assert response["Location"].startswith("/sign-in?next=")


def test_queries_headers_and_structure_of_every_page(full: Workspace) -> None:
    client = full.client("member")
    for route in [route for route in EXPECTED if EXPECTED[route][1] == SEEN]:
        address = _address(full, route)
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        assert len(queries) <= MAX_QUERIES, (route, [query["sql"][:120] for query in queries])
        assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, route
        assert response["X-Content-Type-Options"] == "nosniff" and response["Referrer-Policy"] == "same-origin", route
        if response["Content-Type"].startswith("text/html"):
            _sound(route, response.content.decode())
    assert "unsafe" not in CONTENT_SECURITY_POLICY and "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def _sound(route: str, page: str) -> None:
    """What can be told of an accessible page by looking at its text."""
    assert page.count("<h1") == 1 and '<html lang="en"' in page and 'href="#main"' in page and 'id="main"' in page
    foreign = re.search(r"<script|\son[a-z]+=|style=|javascript:|https?://", page.split("</head>")[1])
    assert foreign is None, (route, foreign)
    headings = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert all(b <= a + 1 for a, b in pairwise(headings)), (route, headings)
    labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
    fields = [f for f in re.findall(r"<(?:input|select|textarea)[^>]*>", page) if 'type="hidden"' not in f]
    unlabelled = [field for field in fields if not set(re.findall(r'\bid="([^"]+)"', field)) & labelled]
    assert not unlabelled, (route, unlabelled)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), (route, "an id twice")
    assert len(page.encode()) < 60 * 1024, route


def test_what_is_not_there_is_said_in_words(full: Workspace) -> None:
    for address in NOT_THERE:
        response = full.client("anonymous").get(address)
        assert response.status_code == 404 and "There is nothing here" in response.content.decode(), address


def test_pages_that_are_read_take_no_forms(full: Workspace) -> None:
    client = full.client("chair")
    for route in set(EXPECTED) - {"sign-in", "sign-out", "update", "new-finding"}:
        for method in ("post", "put", "delete", "patch"):
            assert getattr(client, method)(_address(full, route)).status_code == 405, route


def test_forms_need_their_token(full: Workspace) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(full.member)
    response = client.post("/r/test/area/3/update", {"done": "x", "seen": "1"})
    assert response.status_code == 403 and "This form is too old" in response.content.decode()


def test_a_foreign_host_name_is_refused(full: Workspace) -> None:
    assert full.client("anonymous").get("/", headers={"host": "evil.example"}).status_code == 400
