"""Publishing an area's word of the week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.people.models import User
from gnomon.review.reviews.models import Area, WeeklyUpdate


@dataclass(frozen=True, slots=True)
class UpdateText:
    """The four parts of a weekly update; only `done` must not be empty."""

    done: str
    next: str = ""
    blocked: str = ""
    public: str = ""


class ChangedMeanwhile(InputError):
    """Somebody else saved the same update after the form was opened."""


def publish_update(by: User, area: Area, text: UpdateText, *, week: date | None = None, seen: int = 0) -> WeeklyUpdate:
    """Publish the update of `week` (any day in it; default this week), or revise the one that is there.

    `seen` is the revision the writer started from, 0 for none: a newer one is never overwritten unseen.

    Raises:
        InputError: nothing in `done`, or the week has not begun.
        ChangedMeanwhile: somebody saved it since.
        Refused: `by` is not of the area's sub-team, nor the chair.
    """
    today = timezone.localdate()
    week = week or today
    monday = week - timedelta(days=week.weekday())
    if not text.done.strip():
        raise InputError("say what was done this week, even if it is: nothing, because ...")
    if monday > today:
        raise InputError(f"the week of {monday} has not begun yet")
    with act(by, "publish", "update", review=area.review, area=area) as done:
        update = WeeklyUpdate.objects.select_related("area__review").filter(area=area, week=monday).first()
        if (update.revision if update else 0) != seen:
            raise ChangedMeanwhile("somebody saved this week's update after you opened the form; both are shown below")
        if update is None:
            update = WeeklyUpdate(area=area, week=monday, revision=0)
        else:
            done.will_change(update)
        update.author, update.published_at, update.revision = by, timezone.now(), update.revision + 1
        update.done, update.next, update.blocked, update.public = (
            part.strip() for part in (text.done, text.next, text.blocked, text.public)
        )
        update.save()
        done.did(update, f"{area.title}, week of {monday.isoformat()}")
    return update
