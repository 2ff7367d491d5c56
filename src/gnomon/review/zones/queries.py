"""Which run the pages show, and what the published checks say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gnomon.checks.registry import Check, all_checks
from gnomon.evidence import Exchange
from gnomon.review.measurements import Measurements, open_measurements
from gnomon.review.zones.models import Run
from gnomon.survey.plan import QUESTIONS


@dataclass(frozen=True, slots=True)
class Rule:
    """A check's docstring by heading: the rule in one sentence, why, exactly, whence, and what to do."""

    check: Check
    summary: str
    why: str
    rule: str
    source: str
    do: str

    def broken_by(self, zones: int, judged: int) -> str:
        """The sentence that so many zones of those judged do not meet the rule."""
        share = 100 * zones / judged if judged else 0.0
        return f"{share:.1f} % ({zones:,} of {judged:,}) of the zones judged do not meet the rule “{self.summary}”"


def current_run() -> Run | None:
    """The run that zone pages show: the newest that is attached."""
    return Run.objects.first()


def measurements_of(run: Run) -> Measurements:
    """The run's directory, opened.

    Raises:
        InputError: it is not there any more.
    """
    return open_measurements(run.directory, run.profile)


@cache
def rules() -> Mapping[str, Rule]:
    """All published checks by id."""
    return {id: _rule(check) for id, check in all_checks().items()}


def _rule(check: Check) -> Rule:
    why, exact, source, action = (_sentence(check.section(name)) for name in ("Why", "Rule", "Source", "Do"))
    return Rule(check, check.rule, why, exact, source, action)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _asks() -> Mapping[str, str]:
    return {question.code: question.asks for question in reversed(QUESTIONS)}


def question_text(exchange: Exchange) -> str:
    """What an exchange's question is for, in the words of the plan; empty for a code that the plan does not have."""
    return _asks().get(exchange.ask, "")
