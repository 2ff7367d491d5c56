"""What each lab fault turns bad in a healthy world. As a program it writes `mutations.toml`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gnomon.base import InputError, Level, Name
from gnomon.checks.profile import load_profile
from gnomon.judge import judge_zone, views
from gnomon.judge.verdict import INTERNAL_ERROR
from gnomon.lab import FAULTS, Placement, World, build_world
from worlds import ZONE, routes, survey

RECORD = Path(__file__).with_name("mutations.toml")


def bad_codes(fault: str | None) -> list[str]:
    """The codes at notice or above, and any error of our own, in the healthy world with that fault, sorted.

    The fault is put to all servers of the zone; where that is bad nowhere, as with what is only different, to one of
    them. Faults of a delegation are put to the parent's servers.
    """
    if fault is None:
        return _bad_codes(build_world())
    return _bad_codes(world_with(fault, "all")) or _bad_codes(world_with(fault, "ns2.example.test."))


def _bad_codes(world: World) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        evidence = survey(world, Path(folder) / "run", [ZONE])
        view = next(views(evidence, routing=routes(world, Path(folder) / "asn.csv")))
        verdicts = judge_zone(view, load_profile("default"))
    bad = {level.word for level in Level if level >= Level.NOTICE}
    return sorted({f"{v.check_id}/{v.code}" for v in verdicts if v.level in bad or v.code == INTERNAL_ERROR})


def world_with(fault: str, at: str) -> World:
    try:
        return build_world(faults=[Placement(fault, at, Name.from_text(ZONE))])
    except InputError:
        return build_world(faults=[Placement(fault, "parent", Name.from_text(ZONE))])


def write() -> None:
    lines = ["# Codes at notice or above that each fault brings; written by mutations.py.", "[codes]"]
    for fault in sorted(FAULTS):
        codes = bad_codes(fault)
        lines += [f'"{fault}" = ['] + [f'  "{code}",' for code in codes] + ["]"] if codes else [f'"{fault}" = []']
    RECORD.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write()
