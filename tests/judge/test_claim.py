"""Claims that somebody tampered with: any change is refused or shown, and nothing else happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.base import InputError, Name
from gnomon.evidence.sealed import seal, unseal
from gnomon.judge import judge
from gnomon.judge.claim import Claim, check_claim, make_claim
from gnomon.lab import build_world
from worlds import ZONE, survey


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = survey(build_world(), tmp_path_factory.mktemp("claim") / "run").path
    judge(run)
    claim = make_claim(run, Name.from_text(ZONE))
    octets = claim.to_octets()
    assert Claim.from_octets(octets, "it").to_octets() == octets
    report = check_claim(Claim.from_octets(octets, "it"))
    assert report.holds and report.logged == 0
    return unseal(octets, "it")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [path, *(leaf for key, inner in items for leaf in leaves(inner, (*path, key)))]
    return [path]


JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just([]) | st.just({}) | st.floats(0, 9)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_changed_field_is_refused_or_shown(document: dict[str, Any], data: st.DataObject) -> None:
    changed = json.loads(json.dumps(document))
    path = data.draw(st.sampled_from([p for p in leaves(changed) if p]))
    place = changed
    for key in path[:-1]:
        place = place[key]
    new = data.draw(JSON)
    if place[path[-1]] == new:
        return
    place[path[-1]] = new
    try:
        report = check_claim(Claim.from_octets(seal(changed), "it"))
    except InputError:
        return
    assert not report.holds or path[0] in ("made", "run")
