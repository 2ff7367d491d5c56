"""What pages say: the way from a claim to its packet, forms, filters, what is missing or late."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from measured import NAMES, RUN_ID
from reviewed import PASSWORD, Workspace

from gnomon.review.findings.actions import draft_finding
from gnomon.review.findings.models import Finding
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.actions import UpdateText, publish_update
from gnomon.review.reviews.models import WeeklyUpdate


def _page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def _links(page: str, beginning: str) -> list[str]:
    main = page[page.index("<main") :]
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', main) if link.startswith(beginning)]


def test_three_clicks_from_a_finding_to_the_decoded_packet(workspace: Workspace) -> None:
    finding = draft_finding(
        workspace.member, workspace.area(3), "Many are lame.", evidence=[workspace.item()], properties=["reliability"]
    )
    reader = workspace.client("anonymous")
    item = _links(_page(reader, finding.get_absolute_url()), "/r/test/e/")[-1]
    verdict = _links(_page(reader, item), "/verdict/")[0]
    packet = _links(_page(reader, verdict), "/packet/")[0]
    page = _page(reader, packet)
    for part in ("HEADER", "QUESTION SECTION", "gnomon verify run", "dig +norecurse", "Root of the segment", "UTC"):
        assert part in page
    assert re.search(r"0000 {1,3}[0-9a-f]{2} [0-9a-f]{2}", page), "octets in hexadecimal"


def test_nobody_is_told_to_ask_the_addresses_of_a_simulated_world(workspace: Workspace) -> None:
    workspace.run.simulated = True
    workspace.run.save()
    reader = workspace.client("anonymous")
    packet = _links(_page(reader, "/verdict/del.lame/z00.test/"), "/packet/")[0]
    page = _page(reader, packet)
    assert "dig +" not in page and "gnomon verify" in page and "simulated world" in page


def test_the_shortest_way_is_one_click(workspace: Workspace) -> None:
    finding = draft_finding(
        workspace.member, workspace.area(3), "Many are lame.", evidence=[workspace.item()], properties=["reliability"]
    )
    assert _links(_page(workspace.client("anonymous"), finding.get_absolute_url()), "/packet/")


def test_every_verdict_of_a_zone_leads_to_packets_that_open(workspace: Workspace) -> None:
    reader = workspace.client("anonymous")
    verdicts = set(_links(_page(reader, "/zone/z05.test/"), "/verdict/"))
    packets = {packet for verdict in verdicts for packet in _links(_page(reader, verdict), "/packet/")}
    assert len(verdicts) > 30 and len(packets) > 20
    for packet in packets:
        _page(reader, packet)


def test_a_zone_page_says_what_to_do_worst_first(workspace: Workspace) -> None:
    page = _page(workspace.client("anonymous"), "/zone/z03.test/")
    for name in ("Security", "Stability", "Reliability", "Resiliency", "Interoperability"):
        assert f'<span class="name">{name}</span>' in page
    todo = page[page.index("What to do") : page.index("All checks")]
    levels = re.findall(r'class="level (\w+)"', todo)
    order = ["critical", "error", "warning", "notice"]
    assert levels and levels == sorted(levels, key=order.index)
    assert "z03.test" in todo and "Load the zone on the servers" in todo


def test_the_root_has_a_page(workspace: Workspace) -> None:
    reader = workspace.client("anonymous")
    assert reader.get("/zone/?q=.")["Location"] == "/zone/@/"
    assert "<bdi>.</bdi>" in _page(reader, "/zone/@/")


@pytest.mark.parametrize(
    ("asked", "leads"),
    [
        ("Z03.TEST", "/zone/z03.test/"),
        ("z03.test.", "/zone/z03.test/"),
        ("other", "/zones/?text=other"),
        ("", "/zones/"),
        ("bücher.test", "/zones/?text=xn--bcher-kva.test"),
    ],
)
def test_the_look_up_goes_to_what_is_known(workspace: Workspace, asked: str, leads: str) -> None:
    assert workspace.client("anonymous").get("/zone/", {"q": asked})["Location"] == leads


def test_a_look_up_of_no_name_says_why(workspace: Workspace) -> None:
    response = workspace.client("anonymous").get("/zone/", {"q": "two..dots"})
    assert response.status_code == 404 and "empty label" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "first", "matching"),
    [
        ("", "z03.test.", len(NAMES)),
        ("?text=z1", "z11.test.", 10),
        ("?level=critical", "z03.test.", 1),
        ("?level=critical&property=security", None, 0),
        ("?check=del.any-server-works&code=none-works", "z03.test.", 1),
        ("?text=%27%20OR%201=1%20--", None, 0),
        ("?level=nonsense&property=nonsense&page=x", "z03.test.", len(NAMES)),
        ("?page=999", None, len(NAMES)),
    ],
)
def test_zones_are_filtered_and_counted(workspace: Workspace, query: str, first: str | None, matching: int) -> None:
    page = _page(workspace.client("anonymous"), f"/zones/{query}")
    rows = re.findall(r'<th scope="row"><a href="[^"]+"><bdi>([^<]+)</bdi>', page)
    if matching:
        assert f"of {matching} zones shown" in page
        hidden = len(NAMES) - matching
        assert (f"{hidden} hidden by the filter" in page) == (hidden > 0)
    else:
        assert f"None of the {len(NAMES)} measured zones" in page
    if first:
        assert rows[0] == first
    assert len(rows) <= 50


def test_the_next_page_keeps_the_filter(workspace: Workspace) -> None:
    page = _page(workspace.client("anonymous"), "/zones/?text=test&level=pass")
    (link,) = _links(page, "?")
    assert link == "?text=test&level=pass&page=2"
    assert "Page 2 of 2" in _page(workspace.client("anonymous"), f"/zones/{link}")


def test_a_check_page_is_its_docstring_and_its_counts(workspace: Workspace) -> None:
    page = _page(workspace.client("anonymous"), "/check/del.lame/")
    for part in ("Every delegated address is authoritative", "Why", "Rule", "What to do", "RFC 1912", "too-few-left"):
        assert part in page
    (link,) = [link for link in _links(page, "/zones/?") if "too-few-left" in link]
    assert "hidden by the filter" in _page(workspace.client("anonymous"), link)


def test_an_overview_says_in_words_who_is_late(workspace: Workspace) -> None:
    workspace.review.opened_on = timezone.localdate() - timedelta(weeks=5)
    workspace.review.save()
    publish_update(workspace.member, workspace.area(3), UpdateText("read"))
    page = _page(workspace.client("anonymous"), "/r/test/")
    assert page.count("late by") == 4 and "Rapporteur" in page and "0 of 5" in page
    assert "The weekly update is late by" in _page(workspace.client("anonymous"), "/r/test/area/4/")


def test_an_area_says_what_is_missing(workspace: Workspace) -> None:
    reader = workspace.client("anonymous")
    assert "5 questions have no finding" in _page(reader, "/r/test/area/3/")
    question = workspace.area(3).questions.first()
    assert question is not None
    finding = draft_finding(
        workspace.member, workspace.area(3), "Many are lame.", evidence=[workspace.item()], properties=["reliability"],
        questions=[question],
    )  # fmt: skip
    page = _page(reader, "/r/test/area/3/")
    assert (
        "4 questions have no finding" in page
        and f'No recommendation follows from <a href="{finding.get_absolute_url()}"' in page
    )


# Forms


def test_a_member_writes_and_revises_the_word_of_the_week(workspace: Workspace) -> None:
    client = workspace.client("member")
    assert "Write the weekly update" in _page(client, "/r/test/area/3/")
    address = "/r/test/area/3/update"
    response = client.post(address, {"done": "Read it all.", "next": "Write.", "seen": "0"})
    assert response.status_code == 302 and response["Location"] == "/r/test/area/3/#updates"
    assert "Read it all." in _page(workspace.client("anonymous"), "/r/test/area/3/")
    assert 'name="seen" value="1"' in _page(client, address)
    client.post(address, {"done": "Read it twice.", "seen": "1"})
    assert WeeklyUpdate.objects.get().done == "Read it twice."


def test_two_writers_see_each_others_text(workspace: Workspace) -> None:
    publish_update(workspace.rapporteur, workspace.area(3), UpdateText("What the rapporteur wrote."))
    client = workspace.client("member")
    response = client.post("/r/test/area/3/update", {"done": "What the member wrote.", "seen": "0"})
    page = response.content.decode()
    assert response.status_code == 409 and "What the rapporteur wrote." in page and "What the member wrote." in page
    assert 'name="seen" value="1"' in page and WeeklyUpdate.objects.get().done == "What the rapporteur wrote."
    client.post("/r/test/area/3/update", {"done": "Both.", "seen": "1"})
    assert WeeklyUpdate.objects.get().done == "Both."


def test_an_empty_update_is_said_beside_the_field_and_on_top(workspace: Workspace) -> None:
    response = workspace.client("member").post("/r/test/area/3/update", {"done": "", "next": "Later.", "seen": "0"})
    page = response.content.decode()
    assert "This was not saved" in page and 'href="#field-done"' in page and "Later." in page
    assert 'aria-invalid="true"' in page


def test_a_member_of_another_sub_team_gets_no_form(workspace: Workspace) -> None:
    response = workspace.client("member").get("/r/test/area/4/update")
    assert response.status_code == 403 and "of its sub-team" in response.content.decode()
    assert "Write the weekly update" not in _page(workspace.client("member"), "/r/test/area/4/")


def test_a_finding_is_made_from_a_verdict_in_two_clicks(workspace: Workspace) -> None:
    client = workspace.client("member")
    form = _links(_page(client, "/verdict/del.lame/z00.test/"), "/r/test/f/new?")[0]
    page = _page(client, form)
    measured = workspace.item().content
    assert f"({measured['zones']} of {measured['judged']}) of the zones judged do not meet the rule" in page
    area = workspace.area(3)
    assert f'<option value="{area.pk}" selected>' in page, "the member's own area"
    response = client.post(
        "/r/test/f/new",
        {"statement": "They are lame.", "area": area.pk, "properties": ["reliability"], "check": "del.lame",
         "code": "too-few-left"},
    )  # fmt: skip
    finding = Finding.objects.get()
    assert response["Location"] == finding.get_absolute_url()
    item = finding.evidence.get()
    assert item.content["code"] == "too-few-left" and item.refs


def test_nobody_without_a_seat_is_offered_a_finding(workspace: Workspace) -> None:
    for role in ("anonymous", "stranger", "operator"):
        assert not _links(_page(workspace.client(role), "/verdict/del.lame/z00.test/"), "/r/test/f/new?")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evidence": []}, "rests on at least one item"),
        ({"statement": ""}, "This field is required"),
        ({"statement": "x" * 401}, "at most 400 characters"),
        ({"properties": []}, "This field is required"),
        ({"properties": ["speed"]}, "not one of the available choices"),
        ({"area": 0}, "not one of the available choices"),
        ({"questions": "other area"}, "belongs to another area"),
        ({"check": "del.lame", "code": "never"}, "no verdict of this run"),
    ],
)
def test_a_finding_that_cannot_be_saved_says_why_and_saves_nothing(
    workspace: Workspace, change: dict[str, object], said: str
) -> None:
    given: dict[str, object] = {
        "statement": "They are lame.", "area": workspace.area(3).pk, "properties": ["reliability"],
        "evidence": [workspace.item().pk], **change,
    }  # fmt: skip
    if change.get("questions"):
        question = workspace.area(4).questions.first()
        assert question is not None
        given["questions"] = [question.pk]
    response = workspace.client("member").post("/r/test/f/new", given)
    assert response.status_code == 200 and said in response.content.decode()
    assert Finding.objects.count() == 0 and EvidenceItem.objects.count() == 1


def test_evidence_of_another_review_is_not_taken(workspace: Workspace) -> None:
    from gnomon.review.preset import preset
    from gnomon.review.register.actions import register_verdicts
    from gnomon.review.reviews.actions import appoint, open_review

    other = open_review(workspace.operator, preset("ssr-review"), "Another", "other")
    appoint(workspace.operator, other, workspace.chair, "chair")
    foreign = register_verdicts(workspace.chair, other, workspace.run, "del.lame", "too-few-left")
    given = {"statement": "x", "area": workspace.area(3).pk, "properties": ["security"], "evidence": [foreign.pk]}
    response = workspace.client("member").post("/r/test/f/new", given)
    assert response.status_code == 200 and Finding.objects.count() == 0


# Signing in


def test_signing_in_and_out(workspace: Workspace) -> None:
    client = Client()
    response = client.post("/sign-in", {"account": " Member ", "password": PASSWORD, "next": "/r/test/area/3/update"})
    assert response["Location"] == "/r/test/area/3/update"
    cookie = client.cookies["gnomon_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert "Member" in _page(client, "/")
    assert client.post("/sign-out")["Location"] == "/" and "Sign in" in _page(client, "/")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_signing_in_leads_nowhere_else(workspace: Workspace, target: str) -> None:
    response = Client().post("/sign-in", {"account": "member", "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


def test_a_wrong_password_and_an_unknown_account_read_the_same(workspace: Workspace) -> None:
    pages = []
    for account, password in (("member", "wrong"), ("nobody-of-that-name", "wrong")):
        response = Client().post("/sign-in", {"account": account, "password": password})
        assert response.status_code == 401
        pages.append(re.sub(r'value="[^"]*"', "", response.content.decode()))
    assert pages[0] == pages[1]


def test_the_eleventh_try_in_a_minute_is_refused_even_if_right(workspace: Workspace) -> None:
    for _ in range(10):
        assert Client().post("/sign-in", {"account": "member", "password": "wrong"}).status_code == 401
    response = Client().post("/sign-in", {"account": "Member", "password": PASSWORD})
    assert response.status_code == 429 and response["Retry-After"] == "60"
    assert Client().post("/sign-in", {"account": "chair", "password": PASSWORD}).status_code == 302
    other = Client(REMOTE_ADDR="127.0.0.9")
    assert other.post("/sign-in", {"account": "member", "password": PASSWORD}).status_code == 302


def test_nobody_needs_a_cookie_to_read(workspace: Workspace) -> None:
    client = Client()
    for address in ("/", "/zones/", "/zone/z03.test/", "/r/test/", f"/run/{RUN_ID}/"):
        _page(client, address)
    assert not client.cookies
