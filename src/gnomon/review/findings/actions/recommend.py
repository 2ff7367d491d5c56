"""Writing a recommendation down, together with what measures it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import Max

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.findings.models import Finding, Measure, Recommendation, RecommendationState
from gnomon.review.people.models import User


@dataclass(frozen=True, slots=True)
class Smart:
    """What is asked (specific), of whom (assignable), why (relevant), by when (trackable)."""

    specific: str
    owner: str
    relevant: str
    due_on: date


@dataclass(frozen=True, slots=True)
class MeasurePlan:
    """The M: which indicator, over which population, must be `at-least` or `at-most` which value in its unit."""

    indicator: str
    title: str
    population: str
    direction: str
    threshold: float
    unit: str = "%"


def recommend(by: User, findings: Sequence[Finding], text: str, smart: Smart, measure: MeasurePlan) -> Recommendation:
    """Draft a recommendation that follows from findings of one review.

    Raises:
        InputError: no finding, findings of two reviews, or an empty or unusable field.
        Refused: `by` has no seat in the review.
    """
    if not findings or len({finding.review_id for finding in findings}) > 1:
        raise InputError("a recommendation follows from at least one finding, all of the same review")
    review = findings[0].review
    with act(by, "draft", "recommendation", review=review) as done:
        last = Recommendation.objects.filter(review=review).aggregate(last=Max("number"))["last"] or 0
        advice = Recommendation(
            review=review, number=last + 1, text=" ".join(text.split()), specific=smart.specific, owner=smart.owner,
            relevant=smart.relevant, due_on=smart.due_on, author=by,
            state=RecommendationState.objects.get(pk="draft"),
        )  # fmt: skip
        how = Measure(
            indicator=measure.indicator, title=measure.title, population=measure.population,
            direction=measure.direction, threshold=measure.threshold, unit=measure.unit, due_on=smart.due_on,
        )  # fmt: skip
        try:
            advice.full_clean()
            how.full_clean(exclude=["recommendation"])
        except ValidationError as error:
            raise InputError(f"cannot draft the recommendation: {' '.join(error.messages)}") from None
        advice.save()
        advice.findings.set(findings)
        how.recommendation = advice
        how.save()
        done.did(advice, advice.text)
    return advice
