"""Pages of the register of evidence."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from gnomon.base import InputError
from gnomon.review.measurements import Row
from gnomon.review.pages.route import ReviewRequest, review_page
from gnomon.review.register.models import EvidenceItem
from gnomon.review.register.queries import items_of, recomputed
from gnomon.review.reviews.models import Review
from gnomon.review.zones.queries import measurements_of, rules

# Verdicts listed on an item's page; the list of zones has the rest.
SHOWN_VERDICTS = 10


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One part of an indicator's population, with the width of its bar in per mille."""

    label: str
    numerator: int
    denominator: int

    @property
    def width(self) -> int:
        return round(1000 * self.numerator / self.denominator) if self.denominator else 0


@review_page("see", "evidence")
def items(request: ReviewRequest, review: Review) -> HttpResponse:
    """All items of a review."""
    found = Paginator(items_of(review).prefetch_related("findings__review"), 50).get_page(request.GET.get("page"))
    return render(request, "register/items.html", {"review": review, "tab": "evidence", "items": found})


@review_page("see", "evidence")
def item(request: ReviewRequest, review: Review, number: int) -> HttpResponse:
    """One item: what it shows, its content, how to get it again, and who rests on it."""
    found = get_object_or_404(items_of(review), number=number)
    context: dict[str, object] = {
        "review": review, "tab": "evidence", "item": found, "same": recomputed(found),
        "findings": found.findings.select_related("review", "state", "area"),
    }  # fmt: skip
    if found.form == EvidenceItem.Form.INDICATOR:
        context["slices"] = [SliceRow(*part) for part in found.content["slices"]]
    elif found.form == EvidenceItem.Form.VERDICTS:
        context |= {"rule": rules().get(found.content["check"]), "verdicts": _verdicts(found)}
    return render(request, "register/item.html", context)


def _verdicts(item: EvidenceItem) -> tuple[Row, ...]:
    if item.run is None:
        return ()
    try:
        found = measurements_of(item.run).select(item.content["check"], item.content["code"])
    except InputError:
        return ()
    return found.rows[:SHOWN_VERDICTS]
