"""Who may do what, cell by cell, written down a second time by hand."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from reviewed import Workspace

from gnomon.review.policy import GRANTS, may, who_may

ROLES = ("anonymous", "stranger", "member", "rapporteur", "chair", "operator")
EVERYBODY = set(ROLES)
TEAM = {"member", "rapporteur", "chair"}

# (verb, kind) -> who may in area 3, where member and rapporteur have their seats, and who may in area 4.
EXPECTED = {
    ("see", "review"): (EVERYBODY, EVERYBODY),
    ("open", "review"): ({"operator"}, {"operator"}),
    ("appoint", "member"): ({"chair", "operator"}, {"chair", "operator"}),
    ("see", "update"): (EVERYBODY, EVERYBODY),
    ("publish", "update"): (TEAM, {"chair"}),
    ("see", "evidence"): (EVERYBODY, EVERYBODY),
    ("register", "evidence"): (TEAM, TEAM),
    ("see", "finding"): (EVERYBODY, EVERYBODY),
    ("draft", "finding"): (TEAM, TEAM),
    ("decide", "finding"): ({"rapporteur", "chair"}, {"chair"}),
    ("see", "recommendation"): (EVERYBODY, EVERYBODY),
    ("draft", "recommendation"): (TEAM, TEAM),
    ("evaluate", "measure"): (TEAM, TEAM),
    ("see", "measurement"): (EVERYBODY, EVERYBODY),
    ("attach", "run"): ({"operator"}, {"operator"}),
    ("see", "event"): (EVERYBODY, EVERYBODY),
    ("see", "health"): (EVERYBODY, EVERYBODY),
    ("sign", "account"): (EVERYBODY, EVERYBODY),
    ("add", "account"): ({"operator"}, {"operator"}),
}


def test_the_table_has_exactly_the_expected_rows() -> None:
    assert set(GRANTS) == set(EXPECTED)


def test_every_cell(workspace: Workspace) -> None:
    areas = (workspace.area(3), workspace.area(4))
    for (verb, kind), expected in EXPECTED.items():
        for area, allowed in zip(areas, expected, strict=True):
            for role in ROLES:
                actor = AnonymousUser() if role == "anonymous" else getattr(workspace, role)
                got = may(actor, verb, kind, workspace.review, area)
                assert got == (role in allowed), f"{role} {verb} {kind} in area {area.number}"


@pytest.mark.parametrize(("verb", "kind"), [("delete", "finding"), ("see", "secret"), ("", "")])
def test_what_is_not_written_is_forbidden(workspace: Workspace, verb: str, kind: str) -> None:
    assert not any(may(getattr(workspace, role), verb, kind, workspace.review) for role in ROLES[1:])


def test_a_left_seat_gives_nothing(workspace: Workspace) -> None:
    seat = workspace.review.seats.get(user=workspace.member)
    seat.until = seat.since
    seat.save()
    assert not may(workspace.member, "draft", "finding", workspace.review)


def test_a_seat_counts_in_its_own_review_only(workspace: Workspace) -> None:
    from gnomon.review.preset import preset
    from gnomon.review.reviews.actions import open_review

    other = open_review(workspace.operator, preset("ssr-review"), "Another", "other")
    assert not may(workspace.chair, "draft", "finding", other)


def test_who_may_in_words() -> None:
    assert who_may("publish", "update") == "a member, a rapporteur or the chair of its sub-team"
    assert who_may("delete", "finding") == "nobody"
