"""The frame of every action."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from gnomon.base import Broken, Refused
from gnomon.review.audit.models import GENESIS, Event, Recorded
from gnomon.review.policy import may, who_may

if TYPE_CHECKING:
    from gnomon.review.people.models import User
    from gnomon.review.reviews.models import Area, Review


class System:
    """The actor of what is done at the operator's own command line, where no account is asked for."""

    account = "system"


SYSTEM = System()


class Act:
    """What the body of an action tells about itself."""

    def __init__(self) -> None:
        self.changed: Recorded | None = None
        self.before = ""
        self.title = ""

    def will_change(self, thing: Recorded) -> None:
        """Note the state of an existing object before changing it."""
        self.before = thing.state_digest()

    def did(self, thing: Recorded, title: str) -> None:
        """Say what was made or changed; `title` is how the log names it to a reader."""
        self.changed, self.title = thing, title


@contextmanager
def act(
    by: User | System,
    verb: str,
    kind: str,
    *,
    review: Review | None = None,
    area: Area | None = None,
    reason: str = "",
) -> Iterator[Act]:
    """Check the policy, open a transaction for the body, and append its event.

    Raises:
        Refused: the policy does not allow it; nothing was changed.
        Broken: the body did not say what it changed; nothing was changed.
    """
    if not isinstance(by, System) and not may(by, verb, kind, review, area):
        raise Refused(f"{by} may not {verb} this {kind}: that takes {who_may(verb, kind)}")
    with transaction.atomic():
        current = Act()
        yield current
        thing = current.changed
        if thing is None:
            raise Broken(f"the action `{verb} {kind}` recorded no change")
        last = Event.objects.order_by("-number").values_list("number", "digest").first()
        number, previous = last or (0, GENESIS)
        event = Event(
            number=number + 1, at=timezone.now(), actor=None if isinstance(by, System) else by,
            action=f"{kind}.{verb}",
            review=review.short_name if review else "", subject=thing.code, title=current.title[:400],
            path=thing.get_absolute_url(), before=current.before, after=thing.state_digest(), reason=reason,
            previous=previous,
        )  # fmt: skip
        event.digest = event.computed_digest()
        event.save()
