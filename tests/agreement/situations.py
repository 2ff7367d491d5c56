"""The DNSSEC situations in which our status of a zone is compared with that of other validators."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from gnomon.lab import Placement, World, build_world, load_scenarios

SCENARIOS = Path(__file__).parents[1] / "checks"
FAMILIES = ("dnssec", "ds", "key", "sig", "denial")
ALGORITHMS = (5, 7, 8, 10, 13, 14, 15, 16, 253)
ZONE = "example.test."
PROBE = "does-not-exist"


@dataclass(frozen=True, slots=True)
class Situation:
    """A world of a scenario, under the first name that it has there."""

    name: str
    changes: Mapping[str, Any]
    faults: tuple[Placement, ...]
    zone: str = ZONE

    def world(self, now_s: int) -> World:
        """The world at a moment (Unix time): signatures that are valid at its own clock are valid then."""
        return build_world({**self.changes, "clock": now_s}, self.faults)


def situations() -> list[Situation]:
    """Every different world of the scenarios about DNSSEC, and algorithms with kinds of denial and of DS."""
    found: dict[str, Situation] = {}
    for algorithm, denial, ds in product(ALGORITHMS, ("nsec", "nsec3"), ("good", "none", "wrong-digest", "no-key")):
        changes = {"algorithm": algorithm, "denial": denial, "ds": ds}
        found[json.dumps(changes)] = Situation(f"algorithm {algorithm}, {denial}, DS {ds}", changes, ())
    for one in scenario_situations(FAMILIES):
        found.setdefault(one.name, one)
    return list(found.values())


def scenario_situations(families: Iterable[str]) -> list[Situation]:
    """Every different world of the scenarios of the checks of these families."""
    found: dict[str, Situation] = {}
    for family in families:
        for path in sorted((SCENARIOS / family).glob("*.toml")):
            for scenario in load_scenarios(path):
                if str(scenario.zone) != ZONE or scenario.undelegated:
                    continue
                changes = {key: value for key, value in scenario.world.items() if key != "clock"}
                faults = [[f.fault, f.at, str(f.zone), f.value] for f in scenario.faults]
                key = json.dumps([changes, faults], sort_keys=True, default=str)
                name = f"{path.stem}: {scenario.name}"
                found.setdefault(key, Situation(name, changes, scenario.faults))
    return list(found.values())
