"""Reading the log."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from gnomon.review.audit.models import GENESIS, Event


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where the chain does not hold."""

    number: int
    what: str


def events(review: str | None = None) -> QuerySet[Event]:
    """Events, newest first, of one review (its short name) or of everything."""
    found = Event.objects.select_related("actor")
    return found if review is None else found.filter(review=review)


def verify_chain() -> list[Problem]:
    """Recompute every digest; an empty list means that no event was changed, removed or put in between.

    Events cut off at the end cannot be seen from inside: compare `head()` with a published one.
    """
    problems = []
    number, previous = 0, GENESIS
    for event in Event.objects.order_by("number").iterator():
        if event.number != number + 1:
            problems.append(Problem(number + 1, f"events {number + 1} to {event.number - 1} are missing"))
        if event.previous != previous:
            problems.append(Problem(event.number, "does not follow from the event before it"))
        if event.computed_digest() != event.digest:
            problems.append(Problem(event.number, "was changed after it was written"))
        number, previous = event.number, event.digest
    return problems


def head() -> tuple[int, str]:
    """Number and digest of the newest event: what to publish so that a cut end is noticed."""
    last = Event.objects.order_by("-number").values_list("number", "digest").first()
    return last or (0, GENESIS)
