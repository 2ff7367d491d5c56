"""Giving somebody a seat."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.people.models import User
from gnomon.review.reviews.models import Membership, Review, SubTeam


def appoint(
    by: User,
    review: Review,
    user: User,
    role: str,
    sub_team: SubTeam | None = None,
    *,
    appointed_by: str = "",
    since: date | None = None,
) -> Membership:
    """Seat `user` as member, rapporteur or chair; a rapporteur needs a sub-team and is its only one.

    Raises:
        InputError: no such role, the seat is taken, or a rapporteur without sub-team.
        Refused: `by` is neither the chair nor the operator.
    """
    if role == Membership.Role.RAPPORTEUR and sub_team is None:
        raise InputError("a rapporteur reports for a sub-team; say for which")
    if sub_team is not None and sub_team.review_id != review.pk:
        raise InputError(f"the sub-team {sub_team} belongs to another review than {review.short_name}")
    seat = Membership(
        review=review, user=user, role=role, sub_team=sub_team, appointed_by=appointed_by,
        since=since or timezone.localdate(),
    )  # fmt: skip
    with act(by, "appoint", "member", review=review) as done:
        try:
            seat.full_clean()
        except ValidationError as error:
            raise InputError(f"cannot seat {user.account} as {role}: {' '.join(error.messages)}") from None
        seat.save()
        where = f", {sub_team.name}" if sub_team else ""
        done.did(seat, f"{user.name} as {role}{where}")
    return seat
