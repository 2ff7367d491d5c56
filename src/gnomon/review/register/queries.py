"""Reading the register."""

from __future__ import annotations

from django.db.models import QuerySet

from gnomon.base import InputError
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import Review
from gnomon.review.zones.queries import measurements_of


def items_of(review: Review) -> QuerySet[EvidenceItem]:
    """All items of a review with what their rows show."""
    return EvidenceItem.objects.filter(review=review).select_related("review", "kind", "run", "registered_by")


def recomputed(item: EvidenceItem) -> bool | None:
    """Whether a set of verdicts, selected again from its run, still has the digest it was registered with.

    None where nothing can be selected again: other forms, or a run that is not at its place.
    """
    if item.form != EvidenceItem.Form.VERDICTS or item.run is None:
        return None
    try:
        return measurements_of(item.run).select(item.content["check"], item.content["code"]).sha256 == item.sha256
    except InputError:
        return None
