"""Acts: what they change, what they refuse, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.utils import timezone as clock
from reviewed import PASSWORD, Workspace

from gnomon.base import InputError, Refused
from gnomon.insight.indicator import Indicator
from gnomon.review import open_review as open_by_name
from gnomon.review.findings.actions import (
    MeasurePlan,
    Smart,
    decide_finding,
    draft_finding,
    evaluate_measure,
    recommend,
)
from gnomon.review.findings.models import Finding
from gnomon.review.people.actions import add_account
from gnomon.review.people.models import User
from gnomon.review.register.actions import register_document, register_indicator, register_verdicts
from gnomon.review.register.queries import recomputed
from gnomon.review.reviews.actions import UpdateText, appoint, publish_update
from gnomon.review.reviews.actions.publish_update import ChangedMeanwhile
from gnomon.review.reviews.models import Review, WeeklyUpdate
from gnomon.review.reviews.queries import update_status
from gnomon.review.zones.actions import attach_run

SMART = Smart("Do this.", "Somebody", "Because.", date(2030, 1, 1))


def _finding(w: Workspace, statement: str = "Something holds.") -> Finding:
    return draft_finding(w.member, w.area(3), statement, evidence=[w.item()], properties=["security"])


# Accounts and reviews


def test_the_first_account_keeps_the_instance_and_nobody_else_does(workspace: Workspace) -> None:
    assert list(User.objects.filter(is_operator=True)) == [workspace.operator]
    assert workspace.operator.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("account", "password", "said"),
    [
        ("operator", PASSWORD, "already exists"),
        ("Bad Name!", PASSWORD, "use a-z, 0-9"),
        ("new", "short", "at least 10 characters"),
        ("new", "password123", "too common"),
    ],
)
def test_accounts_that_cannot_be_added(workspace: Workspace, account: str, password: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        add_account(workspace.operator, account, "New", password=password)
    assert User.objects.count() == 5


def test_without_a_password_nobody_can_sign_in(workspace: Workspace) -> None:
    assert not add_account(workspace.operator, "silent", "Silent").has_usable_password()


def test_a_review_opens_with_all_its_parts(workspace: Workspace) -> None:
    review = workspace.review
    assert [str(area) for area in review.areas.all()][2] == "3. Security and stability of the DNS"
    assert workspace.area(3).questions.count() == 5 and workspace.area(3).sub_team.name == "DNS"
    assert set(workspace.area(3).evidence_kinds.values_list("slug", flat=True)) == {
        "measurement", "dataset", "document", "interview",
    }  # fmt: skip
    assert review.phase_id == "preparing" and review.code == "test"


@pytest.mark.parametrize("short_name", ["test", "Has Space", ""])
def test_a_short_name_must_be_free_and_usable(workspace: Workspace, short_name: str) -> None:
    with pytest.raises(InputError, match="cannot open the review"):
        open_by_name("ssr-review", "Again", short_name)
    assert Review.objects.count() == 1


def test_only_one_rapporteur_and_one_seat_each(workspace: Workspace) -> None:
    team = workspace.area(3).sub_team
    for user, role in ((workspace.stranger, "rapporteur"), (workspace.member, "member")):
        with pytest.raises(InputError, match="cannot seat"):
            appoint(workspace.chair, workspace.review, user, role, team)
    with pytest.raises(InputError, match="reports for a sub-team"):
        appoint(workspace.chair, workspace.review, workspace.stranger, "rapporteur")
    with pytest.raises(InputError, match="cannot seat"):
        appoint(workspace.chair, workspace.review, workspace.chair, "chair")
    with pytest.raises(InputError, match="cannot seat"):
        appoint(workspace.chair, workspace.review, workspace.stranger, "king")


# Weekly updates


def test_an_update_is_one_per_week_and_is_revised(workspace: Workspace) -> None:
    area = workspace.area(3)
    publish_update(workspace.member, area, UpdateText(" one ", "two"))
    update = publish_update(workspace.rapporteur, area, UpdateText("uno"), seen=1)
    assert WeeklyUpdate.objects.count() == 1
    assert (update.done, update.next, update.revision, update.author) == ("uno", "", 2, workspace.rapporteur)
    assert update.week.weekday() == 0


@pytest.mark.parametrize("seen", [0, 2])
def test_a_newer_revision_is_never_overwritten_unseen(workspace: Workspace, seen: int) -> None:
    publish_update(workspace.member, workspace.area(3), UpdateText("first"))
    with pytest.raises(ChangedMeanwhile, match="after you opened the form"):
        publish_update(workspace.rapporteur, workspace.area(3), UpdateText("second"), seen=seen)
    assert WeeklyUpdate.objects.get().done == "first"


def test_updates_that_cannot_be_published(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="say what was done"):
        publish_update(workspace.member, workspace.area(3), UpdateText(" \n"))
    with pytest.raises(InputError, match="has not begun"):
        later = clock.localdate() + timedelta(days=8)
        publish_update(workspace.member, workspace.area(3), UpdateText("x"), week=later)
    with pytest.raises(Refused, match="of its sub-team"):
        publish_update(workspace.member, workspace.area(4), UpdateText("x"))
    publish_update(workspace.chair, workspace.area(4), UpdateText("the chair may"))


@pytest.mark.parametrize(
    ("today", "week", "late"),
    [
        ("2026-11-19", "2026-11-16", 0),  # Thursday, this week's is in
        ("2026-11-20", "2026-11-09", 0),  # Friday is the day it is due, not late yet
        ("2026-11-21", "2026-11-09", 1),  # Saturday after
        ("2026-11-26", "2026-11-09", 6),  # counted from the first one that was missed
        ("2026-11-28", "2026-11-09", 8),
        ("2026-11-21", None, 1),  # never one: the review opened on the 16th, due on the 20th
        ("2026-11-18", None, 0),
        ("2026-11-16", None, 0),
    ],
)
def test_late_is_counted_from_the_first_missed_due_day(
    workspace: Workspace, today: str, week: str | None, late: int
) -> None:
    review = workspace.review
    review.opened_on = date(2026, 11, 16) if week is None else date(2026, 10, 1)
    latest = None if week is None else WeeklyUpdate(week=date.fromisoformat(week))
    status = update_status(review, latest, date.fromisoformat(today))
    assert status.days_late == late and status.due_on.weekday() == review.updates_due


# Evidence


def test_an_indicator_is_frozen_with_its_method(workspace: Workspace, indicators: dict[str, Indicator]) -> None:
    lame = indicators["i.lame"]
    item = register_indicator(workspace.member, workspace.review, workspace.run, lame)
    assert item.code == "E-1" and item.shows.startswith(lame.text)
    assert item.content["numerator"] == lame.numerator and item.content["method_sha256"] == lame.method.digest
    assert item.rerun == "gnomon indicators run --only i.lame --profile default"
    assert item.observed_from <= item.observed_to and item.observed_from.year == 2026


def test_a_set_of_verdicts_can_be_selected_again_and_compared(workspace: Workspace) -> None:
    item = workspace.item()
    assert item.content["zones"] <= item.content["judged"] and len(item.refs) == item.content["verdicts"]
    assert recomputed(item) is True
    item.sha256 = "0" * 64
    assert recomputed(item) is False
    with pytest.raises(InputError, match=r"no verdict of this run is del\.lame/never"):
        register_verdicts(workspace.member, workspace.review, workspace.run, "del.lame", "never")


def test_a_document_is_known_by_its_digest(workspace: Workspace) -> None:
    item = register_document(
        workspace.member, workspace.review, b"the text", title="A report", shows="It says so.",
        source="https://example.org/report", dated=datetime(2026, 5, 1, tzinfo=UTC), media_type="text/plain",
    )  # fmt: skip
    assert item.sha256 == sha256(b"the text").hexdigest() and item.content["size_octets"] == 8
    assert recomputed(item) is None


def test_attaching_a_run_again_refreshes_it(workspace: Workspace, evidence: Path) -> None:
    again = attach_run(workspace.operator, evidence)
    assert again.pk == workspace.run.pk
    with pytest.raises(InputError, match="no evidence directory"):
        attach_run(workspace.operator, Path("/nowhere"))
    with pytest.raises(InputError, match="gnomon judge"):
        attach_run(workspace.operator, evidence, "other")
    with pytest.raises(Refused):
        attach_run(workspace.chair, evidence)


# Findings and recommendations


def test_a_finding_gets_the_next_number_and_keeps_what_it_rests_on(workspace: Workspace) -> None:
    question = workspace.area(3).questions.first()
    assert question is not None
    first = _finding(workspace)
    second = draft_finding(
        workspace.member, workspace.area(3), "One\n more.", evidence=[workspace.item()], properties=["security"],
        questions=[question],
    )  # fmt: skip
    assert (first.code, second.code, second.statement) == ("F-1", "F-2", "One more.")
    assert list(second.questions.all()) == [question] and second.evidence.count() == 1
    assert second.state_id == "draft" and second.author == workspace.member


def test_findings_that_cannot_be_drafted(workspace: Workspace) -> None:
    item, area = workspace.item(), workspace.area(3)
    with pytest.raises(InputError, match="at least one item of evidence"):
        draft_finding(workspace.member, area, "x", evidence=[], properties=["security"])
    for properties in ([], ["speed"]):
        with pytest.raises(InputError, match="one or more of: security"):
            draft_finding(workspace.member, area, "x", evidence=[item], properties=properties)
    with pytest.raises(InputError, match="of the same area"):
        question = workspace.area(4).questions.first()
        draft_finding(workspace.member, area, "x", evidence=[item], properties=["security"], questions=[question])
    for statement in ("", "x" * 401):
        with pytest.raises(InputError, match="cannot draft"):
            draft_finding(workspace.member, area, statement, evidence=[item], properties=["security"])
    with pytest.raises(Refused):
        draft_finding(workspace.stranger, area, "x", evidence=[item], properties=["security"])
    assert Finding.objects.count() == 0


def test_a_finding_is_approved_by_somebody_else_and_withdrawn_with_a_reason(workspace: Workspace) -> None:
    finding = _finding(workspace)
    with pytest.raises(InputError, match="cannot become approved from there"):
        decide_finding(workspace.chair, finding, "approved")
    with pytest.raises(Refused):
        decide_finding(workspace.member, finding, "proposed")
    decide_finding(workspace.rapporteur, finding, "proposed")
    decide_finding(workspace.chair, finding, "approved")
    with pytest.raises(InputError, match="say why"):
        decide_finding(workspace.chair, finding, "withdrawn")
    decide_finding(workspace.chair, finding, "withdrawn", "measured again")
    with pytest.raises(InputError, match="no state 'lost'"):
        decide_finding(workspace.chair, finding, "lost")
    finding.refresh_from_db()
    assert finding.state_id == "withdrawn"


def test_nobody_approves_what_he_wrote(workspace: Workspace) -> None:
    finding = draft_finding(
        workspace.chair, workspace.area(3), "Mine.", evidence=[workspace.item()], properties=["security"]
    )
    decide_finding(workspace.rapporteur, finding, "proposed")
    with pytest.raises(InputError, match="who did not write it"):
        decide_finding(workspace.chair, finding, "approved")


@pytest.mark.parametrize(
    ("direction", "threshold", "met"),
    [("at-least", 0.0, True), ("at-least", 100.0, False), ("at-most", 100.0, True), ("at-most", 0.0, False)],
)
def test_a_measure_says_whether_it_is_met(
    workspace: Workspace, indicators: dict[str, Indicator], direction: str, threshold: float, met: bool
) -> None:
    lame = indicators["i.lame"]
    assert lame.value is not None and 0 < lame.value < 100
    plan = MeasurePlan("i.lame", lame.title, "60 zones", direction, threshold)
    advice = recommend(workspace.member, [_finding(workspace)], "Repair them.", SMART, plan)
    reading = evaluate_measure(workspace.member, advice.measure, workspace.run, lame)
    assert advice.code == "R-1" and reading.met is met and reading.value == lame.value


def test_a_measure_without_data_cannot_be_told(workspace: Workspace, indicators: dict[str, Indicator]) -> None:
    lame = replace(indicators["i.lame"], numerator=0, denominator=0)
    plan = MeasurePlan("i.lame", lame.title, "60 zones", "at-most", 1.0)
    advice = recommend(workspace.member, [_finding(workspace)], "Repair them.", SMART, plan)
    assert evaluate_measure(workspace.member, advice.measure, workspace.run, lame).met is None
    with pytest.raises(InputError, match=r"reads i\.lame, not i\.tcp"):
        evaluate_measure(workspace.member, advice.measure, workspace.run, indicators["i.tcp"])


def test_recommendations_that_cannot_be_drafted(workspace: Workspace) -> None:
    plan = MeasurePlan("i.lame", "Lame", "60 zones", "at-most", 1.0)
    with pytest.raises(InputError, match="at least one finding"):
        recommend(workspace.member, [], "Repair them.", SMART, plan)
    for wrong in (replace(SMART, owner=""), replace(SMART, specific="")):
        with pytest.raises(InputError, match="cannot draft"):
            recommend(workspace.member, [_finding(workspace)], "Repair them.", wrong, plan)
    with pytest.raises(InputError, match="cannot draft"):
        recommend(workspace.member, [_finding(workspace)], "Repair.", SMART, replace(plan, direction="sideways"))
