"""Registering a measured indicator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from gnomon.review.audit.models import canonical_digest
from gnomon.review.people.models import User
from gnomon.review.register.actions.entry import enter
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import Review
from gnomon.review.zones.models import Run
from gnomon.review.zones.queries import measurements_of


class SliceLike(Protocol):
    """One part of an indicator's population."""

    @property
    def label(self) -> str: ...
    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


class MethodLike(Protocol):
    """How an indicator is computed."""

    @property
    def unit(self) -> str: ...
    @property
    def definition(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def better(self) -> str: ...
    @property
    def digest(self) -> str: ...


class IndicatorLike(Protocol):
    """A number over a population, as `gnomon.insight` computes it; `value` is in percent, None without data."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def population(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def text(self) -> str: ...
    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...
    @property
    def unknown(self) -> int: ...
    @property
    def slices(self) -> Sequence[SliceLike]: ...
    @property
    def method(self) -> MethodLike: ...


def register_indicator(by: User, review: Review, run: Run, indicator: IndicatorLike) -> EvidenceItem:
    """Put an indicator of an attached run into the register, frozen with its method's digest.

    Raises:
        Refused: `by` has no seat in the review.
    """
    content = {
        "id": indicator.id, "title": indicator.title, "group": indicator.group,
        "population": indicator.population, "value_percent": indicator.value, "numerator": indicator.numerator,
        "denominator": indicator.denominator, "unknown": indicator.unknown, "unit": indicator.method.unit,
        "definition": indicator.method.definition, "source": indicator.method.source,
        "better": indicator.method.better, "method_sha256": indicator.method.digest,
        "slices": [[s.label, s.numerator, s.denominator] for s in indicator.slices],
    }  # fmt: skip
    first, last = measurements_of(run).observed()
    command = f"gnomon indicators {Path(run.directory).name}"
    unknown = f"; {indicator.unknown:,} could not be judged" if indicator.unknown else ""
    return enter(
        by, review, "measurement", form=EvidenceItem.Form.INDICATOR, run=run, title=indicator.title,
        shows=f"{indicator.text}{unknown}.", content=content, sha256=canonical_digest(content),
        observed_from=instant(first), observed_to=instant(last), source=indicator.method.source,
        collector=run.tool, rerun=f"{command} --only {indicator.id} --profile {run.profile}",
    )  # fmt: skip


def instant(at_ns: int) -> datetime:
    """A time in nanoseconds of Unix time as UTC, cut to microseconds."""
    return datetime.fromtimestamp(at_ns // 1000 / 1e6, tz=UTC)
