"""Presets are read strictly: every mistake is named with file, table, field and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnomon.base import InputError, Property
from gnomon.review.preset import METHODS, preset, read

GOOD = """
id = "small"
title = "Small"
purpose = "To see."
updates_due = "friday"
[evidence.paper]
name = "Paper"
description = "Printed."
[[areas]]
title = "One"
mandate = "Look."
sub_team = "A"
properties = ["security"]
evidence = ["paper"]
[[areas.questions]]
text = "Why?"
method = "examine"
"""


def test_the_packaged_preset_is_an_ssr_review_in_five_areas() -> None:
    plan = preset("ssr-review")
    assert len(plan.areas) == 5 and [len(area.questions) for area in plan.areas] == [5, 7, 5, 5, 4]
    assert len({area.sub_team for area in plan.areas}) == 5
    assert {word for area in plan.areas for word in area.properties} == {p.value for p in Property}
    assert all(question.method in METHODS for area in plan.areas for question in area.questions)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(GOOD)
    plan = preset(str(path))
    assert (plan.id, plan.updates_due, plan.evidence) == ("small", 4, {"paper": ("Paper", "Printed.")})
    assert plan.areas[0].questions[0].text == "Why?" and len(plan.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Small"', "", "p.toml, top level: 'title' is missing; it must be a text"),
        ('title = "Small"', "title = 3", "p.toml, top level: 'title' must be a text, not int"),
        ('title = "Small"', 'title = " "', "p.toml, top level: 'title' is empty; it must be a text"),
        ('"friday"', '"fryday"', "p.toml, top level: 'updates_due' is 'fryday'; it must be one of monday, tuesday"),
        ('"friday"', '"friday"\ncolour = "red"', "'colour' is not known; allowed are: id, title, purpose, updates_due"),
        ('name = "Paper"', 'nam = "Paper"', "p.toml, [evidence.paper]: 'name' is missing"),
        ('name = "Paper"', 'name = "Paper"\nsize = 1', "[evidence.paper]: 'size' is not known; allowed are: name"),
        ("[evidence.paper]", "[evidence]\npaper = 1\n[evidence.other]", "'evidence.paper' must be a table, not int"),
        ('["security"]', '["speed"]', "p.toml, [[areas]] 1: 'properties' holds 'speed'; it must be a list of some of"),
        ('["security"]', "[]", "p.toml, [[areas]] 1: 'properties' is empty"),
        ('["security"]', '"security"', "'properties' must be a list of some of"),
        ('["paper"]', '["film"]', "p.toml, [[areas]] 1: 'evidence' holds 'film'; it must be a list of some of paper"),
        ('mandate = "Look."', "mandate = true", "p.toml, [[areas]] 1: 'mandate' must be a text, not bool"),
        ('"examine"', '"guess"', "p.toml, [[areas]] 1, [[questions]] 1: 'method' is 'guess'; it must be one of test"),
        ('text = "Why?"', 'text = "Why?"\nwho = "me"', "[[areas]] 1, [[questions]] 1: 'who' is not known"),
        ('[[areas.questions]]\ntext = "Why?"\nmethod = "examine"', "", "'questions' is missing; it must be one"),
        ("updates_due", "updates due", "p.toml is not TOML"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as raised:
        read(GOOD.replace(old, new, 1).encode(), "p.toml")
    assert said in str(raised.value)


def test_other_octets_and_unknown_names() -> None:
    with pytest.raises(InputError, match="is not TOML"):
        read(b"\xff\xfe", "p.toml")
    with pytest.raises(InputError, match="no preset 'nothing'; there is: ssr-review"):
        preset("nothing")
    with pytest.raises(InputError, match="cannot read the preset"):
        preset("/nowhere/p.toml")
