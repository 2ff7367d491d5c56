"""Reading reviews: who sits where, and where each area stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, F, Max, Prefetch, QuerySet
from django.utils import timezone

from gnomon.base import InputError
from gnomon.review.people.models import User
from gnomon.review.policy import may
from gnomon.review.reviews.models import Area, Membership, Review, ScopeQuestion, WeeklyUpdate

if TYPE_CHECKING:
    from gnomon.review.policy import Actor


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """Whether an area's weekly word is in. `days_late` is 0 while the week's due day has not passed."""

    latest: WeeklyUpdate | None
    due_on: date
    days_late: int

    @property
    def is_in(self) -> bool:
        """The update for the week of `due_on` is published."""
        return self.latest is not None and self.latest.week <= self.due_on <= self.latest.last_day


@dataclass(frozen=True, slots=True)
class AreaStatus:
    """One row of "where are we"."""

    area: Area
    rapporteur: User | None
    questions: int
    answered: int
    findings: int
    update: UpdateStatus


def seats_of(user_id: int, review: Review) -> QuerySet[Membership]:
    """The seats that an account holds now."""
    return Membership.objects.filter(user_id=user_id, review=review, until=None)


def own_area(actor: Actor, review: Review) -> Area | None:
    """The first area of the sub-team in which `actor` has a seat."""
    mine = {"sub_team__seats__user_id": actor.pk, "sub_team__seats__until": None}
    return Area.objects.filter(review=review, **mine).order_by("number").first()


def reviews_to_draft_in(actor: Actor) -> list[Review]:
    """The reviews in which `actor` may draft a finding."""
    if not actor.is_authenticated:
        return []
    seated = Review.objects.filter(seats__user_id=actor.pk, seats__until=None).distinct()
    return [review for review in seated if may(actor, "draft", "finding", review)]


def team(review: Review) -> QuerySet[Membership]:
    """All present seats: chairs first, then by sub-team with the rapporteur first."""
    present = Membership.objects.filter(review=review, until=None).select_related("user", "sub_team")
    return present.order_by(F("sub_team__name").asc(nulls_first=True), "-role", "user__name")


def review_called(short_name: str) -> Review:
    """The review of that short name.

    Raises:
        InputError: there is none.
    """
    try:
        return Review.objects.select_related("phase").get(short_name=short_name)
    except Review.DoesNotExist:
        raise InputError(f"there is no review {short_name!r}") from None


def areas_of(review: Review) -> QuerySet[Area]:
    """The areas with their sub-team's present seats and latest update at hand."""
    seats = Membership.objects.filter(until=None).select_related("user").order_by("-role", "user__name")
    return (
        Area.objects.filter(review=review)
        .select_related("review", "sub_team")
        .prefetch_related(Prefetch("sub_team__seats", queryset=seats, to_attr="present"))
    )


def area_statuses(review: Review) -> list[AreaStatus]:
    """Where each area stands, in four queries."""
    areas = areas_of(review).annotate(
        question_count=Count("questions", distinct=True), finding_count=Count("findings", distinct=True)
    )
    answered = dict(
        ScopeQuestion.objects.filter(area__review=review, findings__isnull=False)
        .values_list("area")
        .annotate(Count("pk", distinct=True))
    )
    mine = WeeklyUpdate.objects.filter(area__review=review)
    weeks = dict(mine.values_list("area").annotate(Max("week")))
    updates = {
        u.area_id: u
        for u in mine.filter(week__in=set(weeks.values())).select_related("author")
        if weeks[u.area_id] == u.week
    }
    return [
        AreaStatus(
            area, rapporteur_of(area.sub_team.present), area.question_count, answered.get(area.pk, 0),
            area.finding_count, update_status(review, updates.get(area.pk)),
        )
        for area in areas
    ]  # fmt: skip


def rapporteur_of(seats: Iterable[Membership]) -> User | None:
    """The rapporteur among some present seats."""
    return next((seat.user for seat in seats if seat.role == Membership.Role.RAPPORTEUR), None)


def update_status(review: Review, latest: WeeklyUpdate | None, today: date | None = None) -> UpdateStatus:
    """Compare an area's latest update with the review's due day.

    The update of a week is due on `review.updates_due` of that week. Until the first due day after the opening has
    passed nothing is late.
    """
    today = today or timezone.localdate()
    this_week = today - timedelta(days=today.weekday())
    due = this_week + timedelta(days=review.updates_due)
    done_until = latest.last_day if latest else review.opened_on - timedelta(days=1)
    missed = due if due < today else due - timedelta(days=7)
    if missed > done_until and missed >= review.opened_on:
        first = _first_due_after(done_until, review.updates_due)
        return UpdateStatus(latest, missed, (today - first).days)
    return UpdateStatus(latest, due, 0)


def _first_due_after(day: date, weekday: int) -> date:
    following = day + timedelta(days=1)
    return following + timedelta(days=(weekday - following.weekday()) % 7)
