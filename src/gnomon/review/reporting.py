"""A review in the form that `gnomon.report` prints."""

from __future__ import annotations

from gnomon.report.model import Advice, Finding, Review, Source
from gnomon.review.findings.models import Recommendation
from gnomon.review.findings.queries import findings_of, recommendations_of
from gnomon.review.reviews.queries import review_called

_MET = {True: "met", False: "not met", None: "cannot be told"}


def reported(short_name: str) -> Review:
    """Everything of a review that goes into the report; withdrawn and superseded findings stay out.

    Raises:
        InputError: there is no such review.
    """
    review = review_called(short_name)
    advice: dict[int, list[Advice]] = {}
    for recommendation in recommendations_of(review).prefetch_related("findings"):
        for finding in recommendation.findings.all():
            advice.setdefault(finding.pk, []).append(_advice(recommendation))
    live = findings_of(review).exclude(state__in=("withdrawn", "superseded")).prefetch_related("evidence")
    findings = tuple(
        Finding(
            id=finding.code, area=str(finding.area), statement=finding.statement, explanation=finding.explanation,
            properties=tuple(finding.properties),
            sources=tuple(
                Source(item.code, item.title, item.shows, tuple(item.refs), item.rerun)
                for item in finding.evidence.all()
            ),
            advice=tuple(advice.get(finding.pk, ())),
        )
        for finding in live
    )  # fmt: skip
    return Review(review.name, tuple(str(area) for area in review.areas.all()), findings)


def _advice(recommendation: Recommendation) -> Advice:
    measure = recommendation.measure
    direction = "at least" if measure.direction == "at-least" else "at most"
    wanted = f"{measure.title}: {direction} {measure.threshold:g} {measure.unit} by {measure.due_on}"
    latest = next(iter(measure.readings.all()), None)
    if latest is None or latest.value is None:
        today = "not measured yet" if latest is None else _MET[None]
    else:
        today = f"{latest.value:.1f} {measure.unit}: {_MET[latest.met]}"
    return Advice(recommendation.code, recommendation.text, recommendation.owner, wanted, today)
