"""The demonstration: made-up people, measured numbers; and what callers outside the workspace use."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from gnomon.base import InputError
from gnomon.insight.indicator import Indicator
from gnomon.review import attach_run, audit_problems, create_user, open_review, reported, setup
from gnomon.review.audit.models import Event
from gnomon.review.demo import MIN_FINDINGS, seed
from gnomon.review.findings.models import Finding, Reading, Recommendation
from gnomon.review.people.models import User
from gnomon.review.reviews.models import Review, WeeklyUpdate


def _percentages(text: str) -> set[str]:
    return set(re.findall(r"[\d.]+ % \([\d,]+ of [\d,]+\)", text))


@pytest.mark.django_db
def test_the_demonstration_is_whole_and_its_numbers_are_measured(
    evidence: Path, indicators: dict[str, Indicator]
) -> None:
    seed(evidence, list(indicators.values()))
    review = Review.objects.get(short_name="demo")
    assert review.demonstration and review.areas.count() == 5
    assert set(WeeklyUpdate.objects.values_list("area__number", flat=True)) == {1, 2, 3, 4, 5}
    findings = list(Finding.objects.all())
    assert len(findings) >= MIN_FINDINGS and all(finding.evidence.count() for finding in findings)
    for finding in findings:
        shown = " ".join(finding.evidence.values_list("shows", flat=True))
        stated = sorted(_percentages(finding.statement), key=finding.statement.index)
        if stated:
            assert stated[0] in _percentages(shown), finding.statement
        else:
            whole = {f"{indicator.denominator:,}" for indicator in indicators.values()}
            assert set(re.findall(r"\d[\d,]*", finding.statement)) <= whole, finding.statement
    assert Recommendation.objects.count() >= 4
    for reading in Reading.objects.select_related("measure"):
        indicator = indicators[reading.measure.indicator]
        assert (reading.value, reading.numerator) == (indicator.value, indicator.numerator)
        assert reading.met == reading.measure.is_met_by(indicator.value or 0.0)
    assert {True, False} <= set(Reading.objects.values_list("met", flat=True))
    assert audit_problems() == [] and Event.objects.count() > 50
    assert not any(user.has_usable_password() for user in User.objects.all())


@pytest.mark.django_db
def test_without_indicators_the_findings_come_from_the_verdicts(evidence: Path) -> None:
    seed(evidence, [])
    statements = Finding.objects.values_list("statement", flat=True)
    assert len(statements) == MIN_FINDINGS and all("do not meet the rule" in text for text in statements)


@pytest.mark.django_db
def test_the_demonstration_opens_once_and_may_be_signed_in_to(evidence: Path, indicators: dict[str, Indicator]) -> None:
    seed(evidence, list(indicators.values()), password="correct horse battery")
    assert User.objects.get(account="nora").check_password("correct horse battery")
    with pytest.raises(InputError, match="open already"):
        seed(evidence, [])


@pytest.mark.django_db
def test_the_report_gets_the_review(evidence: Path, indicators: dict[str, Indicator]) -> None:
    review = reported(seed(evidence, list(indicators.values())))
    assert len(review.areas) == 5 and len(review.findings) >= MIN_FINDINGS
    first = review.findings[0]
    assert first.id == "F-1" and first.sources[0].id == "E-1" and first.sources[0].command.startswith("gnomon ")
    assert first.advice[0].id == "R-1" and first.advice[0].today.endswith(("met", "not met"))
    with pytest.raises(InputError, match="no review 'none'"):
        reported("none")


@pytest.mark.django_db
def test_what_the_command_line_uses(evidence: Path) -> None:
    with pytest.raises(InputError, match="no account yet"):
        attach_run(evidence)
    create_user("keeper", "Keeper", "Example", "a long enough password")
    attach_run(evidence)
    open_review("ssr-review", "A review", "one")
    assert Review.objects.get().short_name == "one"


@pytest.mark.django_db
def test_the_migrations_are_those_of_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_a_data_directory_is_made_and_kept(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gnomon.review import *\n"
        "setup(Path(sys.argv[1])); create_user('keeper', 'Keeper', '', 'a long enough password')\n"
        "open_review('ssr-review', 'A review', 'one'); print(audit_problems())"
    )
    data = tmp_path / "new" / "data"
    first = _python(code, str(data))
    assert first.returncode == 0 and first.stdout == "[]\n", first.stderr
    key = data / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and stat.S_IMODE(data.stat().st_mode) == 0o700
    kept = key.read_text()
    code = "import sys; from pathlib import Path; from gnomon.review import *; setup(Path(sys.argv[1]))"
    again = _python(code, str(data))
    assert again.returncode == 0 and key.read_text() == kept and len(kept) > 50


def test_one_process_serves_one_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="already serves another"):
        setup(tmp_path / "other")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot use"):
        setup(tmp_path / "file")


def test_the_workspace_is_imported_without_django() -> None:
    result = _python("import sys, gnomon.review, gnomon.cli; sys.exit('django' in sys.modules)")
    assert result.returncode == 0
