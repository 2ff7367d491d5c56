"""Crafted evidence comes out as its code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from crafted_cases import AT_ROOT, CASES
from gnomon.base import ROOT
from gnomon.checks.registry import all_checks
from gnomon.checks.view import ZoneView
from gnomon.lab import Scenario
from telling import told
from worlds import view_of


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> ZoneView:
    return view_of(Scenario("healthy", (), (), {}, ()), tmp_path_factory.mktemp("healthy"))


@pytest.mark.parametrize("code", CASES)
def test_crafted(code: str, healthy: ZoneView) -> None:
    check_id, _, word = code.partition("/")
    check = all_checks()[check_id]
    view = CASES[code](healthy)
    outcomes = list(check.judge(view))
    assert word in [o.code for o in outcomes], outcomes
    for o in outcomes:
        assert told(check.codes[o.code], str(view.zone), o.args)


@pytest.mark.parametrize("code", AT_ROOT)
def test_anchors_beside_the_right_one(code: str, tmp_path: Path) -> None:
    check_id, _, word = code.partition("/")
    view = view_of(Scenario("root", (), (), {}, (), zone=ROOT), tmp_path)
    (anchor,) = view.root_anchors
    zsk = next(key for key in view.dnskeys()[view.addresses[0]] if not key.dnskey.is_sep)
    beside = ZoneView(ROOT, view.exchanges, root_anchors=(anchor, AT_ROOT[code](anchor, zsk)))
    assert [o.code for o in all_checks()[check_id].judge(beside)] == ["signs", word]
