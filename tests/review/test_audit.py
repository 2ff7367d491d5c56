"""The log: every act is in it, and nobody changes it unseen."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.db import DatabaseError, connection, transaction
from reviewed import Workspace

from gnomon.base import Broken, Refused
from gnomon.review import audit_problems
from gnomon.review.audit.actions import act
from gnomon.review.audit.models import GENESIS, Event
from gnomon.review.audit.queries import head, verify_chain
from gnomon.review.reviews.actions import UpdateText, publish_update


def test_every_act_is_one_event_in_an_unbroken_chain(workspace: Workspace) -> None:
    publish_update(workspace.member, workspace.area(3), UpdateText("read the papers"))
    events = list(Event.objects.order_by("number"))
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.action for event in events] == [
        *["account.add"] * 5, "run.attach", "review.open", *["member.appoint"] * 3, "update.publish",
    ]  # fmt: skip
    assert events[0].previous == GENESIS and all(a.digest == b.previous for a, b in pairwise(events))
    assert verify_chain() == [] and audit_problems() == []
    assert head() == (events[-1].number, events[-1].digest)


def test_an_event_says_who_what_and_from_which_state_to_which(workspace: Workspace) -> None:
    area = workspace.area(3)
    first = publish_update(workspace.member, area, UpdateText("one"))
    made = Event.objects.first()
    publish_update(workspace.rapporteur, area, UpdateText("two"), seen=1)
    revised = Event.objects.first()
    assert made is not None and revised is not None
    assert (made.actor, made.review, made.subject) == (workspace.member, "test", first.code)
    assert made.before == "" and revised.before == made.after != revised.after
    assert made.path == f"/r/test/area/3/#u-{first.week}"


def _without_triggers() -> None:
    with connection.cursor() as cursor:
        for verb in ("update", "delete"):
            cursor.execute(f"DROP TRIGGER audit_event_no_{verb}")


@pytest.mark.parametrize(
    ("change", "number", "what"),
    [
        ("UPDATE audit_event SET title = 'something else' WHERE number = 4", 4, "changed after"),
        ("UPDATE audit_event SET actor_id = NULL WHERE number = 4", 4, "changed after"),
        ("DELETE FROM audit_event WHERE number = 4", 4, "missing"),
        ("UPDATE audit_event SET digest = substr(digest, 2) || 'f' WHERE number = 4", 4, "changed after"),
    ],
)
def test_tampering_shows(workspace: Workspace, change: str, number: int, what: str) -> None:
    _without_triggers()
    with connection.cursor() as cursor:
        cursor.execute(change)
    found = verify_chain()
    assert found and found[0].number == number and any(what in problem.what for problem in found)


@pytest.mark.parametrize("change", ["UPDATE audit_event SET title = 'x'", "DELETE FROM audit_event"])
def test_the_database_refuses_to_change_events(workspace: Workspace, change: str) -> None:
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert verify_chain() == []


def test_events_cannot_be_saved_again_or_deleted(workspace: Workspace) -> None:
    event = Event.objects.first()
    assert event is not None
    with pytest.raises(Broken, match="never changed"):
        event.save()
    with pytest.raises(Broken, match="never deleted"):
        event.delete()


def test_an_act_without_permission_changes_nothing(workspace: Workspace) -> None:
    before = head()
    with pytest.raises(Refused, match="takes a member, a rapporteur or the chair of its sub-team"):
        publish_update(workspace.stranger, workspace.area(3), UpdateText("hello"))
    assert head() == before


def test_an_act_that_fails_leaves_no_event(workspace: Workspace) -> None:
    before = head()
    with pytest.raises(RuntimeError), act(workspace.member, "draft", "finding", review=workspace.review) as done:
        workspace.member.name = "Changed"
        workspace.member.save()
        done.did(workspace.member, "half")
        raise RuntimeError
    workspace.member.refresh_from_db()
    assert workspace.member.name == "Member" and head() == before


def test_an_act_that_names_no_change_is_refused(workspace: Workspace) -> None:
    before = head()
    with (
        pytest.raises(Broken, match="recorded no change"),
        act(workspace.member, "draft", "finding", review=workspace.review),
    ):
        pass
    assert head() == before
