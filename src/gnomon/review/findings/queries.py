"""Reading findings and recommendations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from gnomon.review.findings.models import Finding, Reading, Recommendation
from gnomon.review.reviews.models import Review, ScopeQuestion
from gnomon.review.reviews.queries import UpdateStatus


def findings_of(review: Review) -> QuerySet[Finding]:
    """All findings of a review with what their rows show."""
    return Finding.objects.filter(review=review).select_related("review", "area", "state", "author")


def recommendations_of(review: Review) -> QuerySet[Recommendation]:
    """All recommendations with their measures and readings, newest reading first."""
    readings = Prefetch("measure__readings", queryset=Reading.objects.select_related("run"))
    found = Recommendation.objects.filter(review=review)
    return found.select_related("review", "state", "author", "measure").prefetch_related(readings)


@dataclass(frozen=True, slots=True)
class Missing:
    """What an area still owes: the box that nobody likes to see full."""

    unanswered: tuple[ScopeQuestion, ...]
    without_recommendation: tuple[Finding, ...]
    update: UpdateStatus

    def __bool__(self) -> bool:
        return bool(self.unanswered or self.without_recommendation or self.update.days_late)


def missing_of(questions: Iterable[ScopeQuestion], findings: Iterable[Finding], update: UpdateStatus) -> Missing:
    """What an area owes, from its questions (with their findings) and findings (with their recommendations)."""
    live = [finding for finding in findings if finding.state_id not in ("withdrawn", "superseded")]
    return Missing(
        tuple(question for question in questions if not question.findings.all()),
        tuple(finding for finding in live if not finding.recommendations.all()),
        update,
    )
