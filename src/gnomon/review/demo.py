"""The demonstration: a made-up team reviews a really measured run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from gnomon.base import InputError, Level
from gnomon.review.audit.actions import SYSTEM
from gnomon.review.demo_texts import PLANS, TEAM, UPDATES, Plan
from gnomon.review.findings.actions import (
    MeasurePlan,
    Smart,
    decide_finding,
    draft_finding,
    evaluate_measure,
    recommend,
)
from gnomon.review.findings.models import Finding
from gnomon.review.measurements import CodeCount, Measurements
from gnomon.review.people.actions import add_account
from gnomon.review.people.models import User
from gnomon.review.people.queries import operator
from gnomon.review.preset import preset
from gnomon.review.register.actions import register_document, register_indicator, register_verdicts
from gnomon.review.register.actions.indicator import IndicatorLike
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.actions import UpdateText, appoint, open_review, publish_update
from gnomon.review.reviews.models import Area, Review
from gnomon.review.zones.actions import attach_run
from gnomon.review.zones.models import Run
from gnomon.review.zones.queries import measurements_of, rules

SHORT_NAME = "demo"
NAME = "Demonstration review"
MIN_FINDINGS = 5


def seed(evidence: Path, indicators: Sequence[IndicatorLike], password: str | None = None) -> str:
    """Open the demonstration in the workspace that `setup` opened; returns the review's short name.

    All numbers come from `indicators` and from the verdicts of the run in `evidence`. With `password` everybody of
    the made-up team can sign in with it (accounts: ines, nora, ...), without it nobody can.

    Raises:
        InputError: the demonstration is open already, the run is not judged, or nothing was measured.
    """
    if Review.objects.filter(short_name=SHORT_NAME).exists():
        raise InputError(f"the review {SHORT_NAME!r} is open already in this workspace; use an empty data directory")
    with transaction.atomic():
        if not User.objects.exists():
            add_account(SYSTEM, "operator", "Keeper of this demonstration")
        keeper = operator()
        run = attach_run(keeper, evidence)
        opened_on = timezone.localdate() - timedelta(weeks=8)
        review = open_review(
            keeper, preset("ssr-review"), NAME, SHORT_NAME, phase="fact-finding", opened_on=opened_on,
            demonstration=True,
        )  # fmt: skip
        people = _team(keeper, review, opened_on, password)
        areas = {area.number: area for area in Area.objects.filter(review=review).select_related("review", "sub_team")}
        _updates(people, areas)
        _findings(run, people, areas, {found.id: found for found in indicators}, evidence)
    return SHORT_NAME


def _team(keeper: User, review: Review, since: date, password: str | None) -> Mapping[str, User]:
    teams = {team.name: team for team in review.sub_teams.all()}
    people = {}
    for account, name, organisation, team, role in TEAM:
        people[account] = add_account(keeper, account, name, organisation, password)
        appoint(keeper, review, people[account], role, teams.get(team), appointed_by=organisation, since=since)
    return people


def _updates(people: Mapping[str, User], areas: Mapping[int, Area]) -> None:
    today = timezone.localdate()
    for number, weeks_ago, *parts in UPDATES:
        team = areas[number].sub_team.name
        author = next(people[account] for account, _, _, of, role in TEAM if of == team and role == "rapporteur")
        publish_update(author, areas[number], UpdateText(*parts), week=today - timedelta(weeks=weeks_ago))


def _findings(
    run: Run,
    people: Mapping[str, User],
    areas: Mapping[int, Area],
    indicators: Mapping[str, IndicatorLike],
    evidence: Path,
) -> None:
    measured = measurements_of(run)
    used: set[tuple[str, str]] = set()
    drafted = 0
    for plan in PLANS:
        indicator = indicators.get(plan.indicator)
        if indicator is None or indicator.value is None:
            continue
        author, area = people[plan.author], areas[plan.area]
        items = [register_indicator(author, area.review, run, indicator)]
        telling = _telling(measured, plan.checks, used)
        if telling is not None:
            used.add((telling.check_id, telling.code))
            items.append(register_verdicts(author, area.review, run, telling.check_id, telling.code))
        finding = _draft(plan, indicator, area, author, items)
        drafted += 1
        _move(finding, plan.state, author, people["ines"])
        if plan.advice is not None:
            _recommend(finding, plan, indicator, run, author)
    rest = [c for c in measured.code_counts() if c.level >= Level.NOTICE and (c.check_id, c.code) not in used]
    for count in rest[: max(0, MIN_FINDINGS - drafted)]:
        _from_verdicts(run, areas[3], people["sana"], count, measured)
    _input_list(run, people["sana"], areas[3].review, evidence)


def _draft(plan: Plan, indicator: IndicatorLike, area: Area, author: User, items: Sequence[EvidenceItem]) -> Finding:
    missing = indicator.denominator - indicator.numerator
    wrong = missing if indicator.method.better == "higher" else indicator.numerator
    rest = f"{100 * missing / indicator.denominator:.1f} % ({missing:,} of {indicator.denominator:,})"
    statement = plan.statement if wrong else plan.clean
    return draft_finding(
        author, area, statement.format(share=indicator.text, rest=rest, all=f"{indicator.denominator:,}"),
        evidence=items, properties=plan.properties, explanation=plan.explanation,
        questions=list(area.questions.filter(number__in=plan.questions)),
    )  # fmt: skip


def _move(finding: Finding, state: str, author: User, chair: User) -> None:
    if state in ("proposed", "approved"):
        decide_finding(chair, finding, "proposed")
    if state == "approved":
        decide_finding(chair, finding, "approved", "agreed in the plenary without objection (made up)")


def _recommend(finding: Finding, plan: Plan, indicator: IndicatorLike, run: Run, author: User) -> None:
    advice = plan.advice
    assert advice is not None
    today = timezone.localdate()
    smart = Smart(advice.specific, advice.owner, advice.relevant, date(today.year + 1, 12, 31))
    measure = MeasurePlan(
        indicator.id, indicator.title, indicator.population.partition(" of run ")[0], advice.direction, advice.threshold
    )
    made = recommend(author, [finding], advice.text, smart, measure)
    evaluate_measure(author, made.measure, run, indicator)


def _telling(measured: Measurements, checks: Sequence[str], used: set[tuple[str, str]]) -> CodeCount | None:
    """Of these checks the worst code that found trouble; else how the first of them mostly came out."""
    counts = [c for c in measured.code_counts() if c.check_id in checks and (c.check_id, c.code) not in used]
    troubled = [c for c in counts if c.level >= Level.NOTICE]
    passed = [c for c in counts if c.level is Level.PASS and c.check_id == checks[0]]
    return next(iter(sorted(troubled, key=lambda c: checks.index(c.check_id)) or passed), None)


def _from_verdicts(run: Run, area: Area, author: User, count: CodeCount, measured: Measurements) -> None:
    rule = rules()[count.check_id]
    item = register_verdicts(author, area.review, run, count.check_id, count.code)
    judged = measured.judged(count.check_id)
    draft_finding(
        author, area, rule.broken_by(count.zones, judged), evidence=[item],
        properties=[p.value for p in rule.check.properties], explanation=rule.why,
    )  # fmt: skip


def _input_list(run: Run, author: User, review: Review, evidence: Path) -> None:
    """The list of zones that were asked for, as a document of the register."""
    register_document(
        author, review, (evidence / "zones.txt").read_bytes(), title="The zones that were measured",
        shows=f"{run.zones:,} names, one a line; {run.source}.", source=f"{evidence.name}/zones.txt",
        dated=run.started_at, media_type="text/plain", kind="dataset",
    )  # fmt: skip
