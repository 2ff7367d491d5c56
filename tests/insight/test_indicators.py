"""Indicators over a surveyed population whose faults are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnomon.base import InputError, Name
from gnomon.insight.drill import Graph
from gnomon.insight.indicator import Indicator, compute, methods
from gnomon.insight.tables import write_tables
from gnomon.judge import judge
from gnomon.lab import Placement, World
from gnomon.lab.populations import build_embedded
from worlds import routes, survey

TLDS = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("population")
    world = build_embedded(7, tlds=TLDS, faulty_share=0.0)
    lame, stale = world.population[:2]
    faults = [Placement("lame-refused", _an_address(world, lame), lame)]
    faults.append(Placement("stale-serial", _an_address(world, stale), stale, 5))
    world = World(
        list(world.zones.values()), world.hosts, faults=faults, networks=world.networks, population=world.population
    )
    survey(world, folder / "run", [str(zone) for zone in world.population])
    judge(folder / "run", routing=routes(world, folder / "asn.csv"))
    write_tables(folder / "run")
    return folder / "run"


def _an_address(world: World, zone: Name) -> str:
    return str(next(a for a, served in world.zones_at.items() if any(z.name == zone for z in served)))


def by_id(run: Path) -> dict[str, Indicator]:
    return {indicator.id: indicator for indicator in compute(run, "R")}


def test_every_indicator_gives_numerator_denominator_and_unknown(run: Path) -> None:
    found = by_id(run)
    assert len(found) == len(methods()) >= 8
    for indicator in found.values():
        assert 0 <= indicator.numerator <= indicator.denominator
        assert indicator.unknown >= 0
        assert len(indicator.method.digest) == 64
        assert f"{TLDS} zones" in indicator.population


def test_one_lame_address_is_counted_once(run: Path) -> None:
    lame = by_id(run)["i.lame"]
    assert (lame.numerator, [(s.label, s.numerator) for s in lame.slices]) == (1, [("refused", 1)])


def test_one_zone_has_two_serials(run: Path) -> None:
    serial = by_id(run)["i.serial-agree"]
    assert serial.denominator - serial.numerator == 1


def test_the_states_of_the_chain_add_up_to_the_population(run: Path) -> None:
    secure = by_id(run)["i.secure"]
    assert sum(s.numerator for s in secure.slices) == TLDS


def test_histogram_bins_stand_in_order_of_their_number(run: Path) -> None:
    numbers = [int(s.label.split()[0]) for s in by_id(run)["i.ns-count"].slices]
    assert numbers == sorted(numbers)


def test_the_graph_of_the_run_knows_every_zone_and_all_stand(run: Path) -> None:
    graph = Graph.of_run(run)
    assert len(graph.zones) == TLDS
    assert all(graph.resolves.values())
    worst = graph.rank("operator", 1)[0]
    assert graph.drill("operator", worst.lost).count("dark") == worst.dark > 0


def test_an_unknown_indicator_and_an_unjudged_run_are_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"i\.nothing"):
        compute(run, "R", only="i.nothing")
    with pytest.raises(InputError, match="gnomon judge"):
        compute(tmp_path, "R")
