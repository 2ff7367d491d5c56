"""What all three ways of registering evidence share: kind, number, permission, event."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.people.models import User
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import EvidenceKind, Review


def enter(by: User, review: Review, kind: str, **fields: Any) -> EvidenceItem:
    """Store one item under the next free number, with its event.

    Raises:
        InputError: the review knows no such kind of evidence.
        Refused: `by` has no seat in the review.
    """
    found = EvidenceKind.objects.filter(pk=kind).first()
    if found is None:
        known = ", ".join(EvidenceKind.objects.values_list("slug", flat=True))
        raise InputError(f"there is no kind of evidence {kind!r}; known: {known}")
    with act(by, "register", "evidence", review=review) as done:
        # Nothing is ever deleted and a writing transaction is alone: the largest number plus one is free.
        last = EvidenceItem.objects.filter(review=review).aggregate(last=Max("number"))["last"] or 0
        item = EvidenceItem.objects.create(review=review, number=last + 1, kind=found, registered_by=by, **fields)
        done.did(item, item.title)
    return item
