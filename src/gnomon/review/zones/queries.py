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


_HEADINGS = ("Why", "Rule", "Source", "Do")


def _rule(check: Check) -> Rule:
    parts: dict[str, list[str]] = {"": []}
    now = ""
    for line in check.doc.splitlines():
        heading, colon, rest = line.partition(":")
        if colon and heading in _HEADINGS:
            now, line = heading, rest
            parts[now] = []
        parts[now].append(line.strip())
    text = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    why, exact, source, action = (text.get(heading, "") for heading in _HEADINGS)
    return Rule(check, " ".join(text[""].split()), why, exact, source, action)


@cache
def _asks() -> Mapping[str, str]:
    return {question.code: question.asks for question in reversed(QUESTIONS)}


def question_text(exchange: Exchange) -> str:
    """What an exchange's question is for, in the words of the plan; empty for a code that the plan does not have."""
    return _asks().get(exchange.ask, "")
