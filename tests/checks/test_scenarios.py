"""Every scenario file: build the world, survey it, judge with the one check the file is named after."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnomon.checks.outcome import State
from gnomon.checks.profile import load_profile
from gnomon.checks.registry import all_checks
from gnomon.judge import judge_zone, sentence
from gnomon.judge.verdict import SENTENCES
from gnomon.lab import Scenario, load_scenarios
from message_cases import MESSAGE_CASES
from telling import told
from worlds import view_of

FILES = sorted(Path(__file__).parent.glob("**/*.toml"))
CASES = [(path.stem, scenario) for path in FILES for scenario in load_scenarios(path)]


@pytest.mark.parametrize(("check_id", "scenario"), CASES, ids=[f"{check}: {s.name}" for check, s in CASES])
def test_scenario(check_id: str, scenario: Scenario, tmp_path: Path) -> None:
    view = view_of(scenario, tmp_path)
    verdicts = judge_zone(view, load_profile("default"), [check_id])
    codes = {verdict.code for verdict in verdicts}
    seen = [f"{v.level} {v.code} {v.subject} {dict(v.args)}" for v in verdicts]
    assert set(scenario.must) <= codes, seen
    assert not set(scenario.must_not) & codes, seen
    assert "internal-error" not in codes, seen
    sentences = {**SENTENCES, **all_checks()[check_id].codes}
    for verdict in verdicts:
        assert sentence(verdict) == told(sentences[verdict.code], verdict.zone, verdict.args)


def test_scenario_files_belong_to_a_check() -> None:
    for path in FILES:
        check = all_checks().get(path.stem)
        assert check is not None, f"{path.name}: no check has that id"
        assert path.parent.name == check.family, f"{path.name} belongs into {check.family}/"
        codes = set(check.codes)
        for scenario in load_scenarios(path):
            assert set(scenario.must) | set(scenario.must_not) <= codes, f"{path.name}: {scenario.name}"


def test_every_check_has_a_scenario_that_fails_and_one_that_does_not() -> None:
    profile = load_profile("default")
    for check in (check for check in all_checks().values() if not check.needs):
        bad = {
            code
            for code in check.codes
            if profile.levels[f"{check.id}/{code}"].word in ("info", "notice", "warning", "error", "critical")
            or any(f"{check.id}/{code}" in of for of in profile.overrides.values())
        }
        scenarios = [scenario for check_id, scenario in CASES if check_id == check.id]
        crafted = {code.partition("/")[2] for code in MESSAGE_CASES if code.startswith(f"{check.id}/")}
        if bad:
            failing = crafted | {code for s in scenarios for code in s.must}
            assert failing & bad, f"{check.id}: no scenario makes a bad code appear"
        assert any(not set(s.must) & bad for s in scenarios), f"{check.id}: no scenario is without a bad code"


def test_healthy_world_is_clean(tmp_path: Path) -> None:
    healthy = Scenario("healthy", (), (), {}, ())
    verdicts = judge_zone(view_of(healthy, tmp_path), load_profile("default"))
    unjudged = {check.id for check in all_checks().values() if check.needs}
    loud = [f"{v.level} {v.check_id}/{v.code} {dict(v.args)}" for v in verdicts if v.level not in QUIET]
    assert not [told for told in loud if told.split("/")[0].removeprefix("unknown ") not in unjudged]
    assert {v.check_id for v in verdicts if v.state == State.UNKNOWN.value} == unjudged
    assert {v.check_id for v in verdicts} == set(all_checks())


QUIET = ("pass", "info", "not-applicable")
