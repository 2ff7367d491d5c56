"""Zones that are not like most: each is judged by every check, and none of these fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnomon.base import Name
from gnomon.checks.profile import load_profile
from gnomon.judge import judge_zone
from gnomon.lab import Placement, Scenario
from worlds import view_of

GIVEN = {"ns": ["ns1.example.test./28.7.7.53", "ns2.example.test./28.8.8.53"]}
KINDS = {
    "the root": Scenario("", (), (), {}, (), Name.from_text(".")),
    "arpa": Scenario("", (), (), {}, (), Name.from_text("arpa.")),
    "a top-level domain": Scenario("", (), (), {}, (), Name.from_text("test.")),
    "a name that nobody registered": Scenario("", (), (), {}, (), Name.from_text("nobody.test.")),
    "an internationalised name": Scenario("", (), (), {}, (), Name.from_text("bücher.test.")),
    "an alias": Scenario("", (), (), {"ns_alias": {"www.example.test.": "mail.example.test."}}, (),
                         Name.from_text("www.example.test.")),
    "a delegation given by hand": Scenario("", (), (), {}, (), undelegated=GIVEN),
    "a delegation to come": Scenario("", (), (), {}, (), Name.from_text("new.test."), GIVEN),
    "a silent parent": Scenario("", (), (), {}, (Placement("dead", "parent", Name.from_text("example.test.")),)),
    "a hidden primary": Scenario("", (), (), {"soa": {"mname": "mail.example.test."}, "hidden": ["mail.example.test."]},
                                 ()),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_judges_it(kind: str, tmp_path: Path) -> None:
    verdicts = judge_zone(view_of(KINDS[kind], tmp_path), load_profile("default"))
    assert [(v.check_id, dict(v.args)) for v in verdicts if v.code == "internal-error"] == []


def test_an_internationalised_name_is_asked_for_by_its_a_label() -> None:
    assert str(Name.from_text("bücher.test.")) == "xn--bcher-kva.test."
    assert KINDS["an internationalised name"].zone == Name.from_text("xn--bcher-kva.test.")
