"""Evaluating a measure now."""

from __future__ import annotations

from django.utils import timezone

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.findings.models import Measure, Reading
from gnomon.review.people.models import User
from gnomon.review.register.actions.indicator import IndicatorLike
from gnomon.review.zones.models import Run


def evaluate_measure(by: User, measure: Measure, run: Run, indicator: IndicatorLike) -> Reading:
    """Note what the measure's indicator is in an attached run, and whether the threshold is reached.

    Raises:
        InputError: it is not the measure's indicator.
        Refused: `by` has no seat in the review.
    """
    if indicator.id != measure.indicator:
        raise InputError(f"this measure reads {measure.indicator}, not {indicator.id}")
    met = None if indicator.value is None else measure.is_met_by(indicator.value)
    word = {True: "met", False: "not met", None: "cannot be told"}[met]
    with act(by, "evaluate", "measure", review=measure.recommendation.review) as done:
        reading = Reading.objects.create(
            measure=measure, at=timezone.now(), run=run, value=indicator.value, numerator=indicator.numerator,
            denominator=indicator.denominator, unknown=indicator.unknown, met=met,
        )  # fmt: skip
        done.did(reading, f"{indicator.text}: {word}")
    return reading
