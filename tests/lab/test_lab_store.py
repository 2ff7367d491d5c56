from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_probes import all_answers

from gnomon.base import InputError, Name
from gnomon.lab import FAULTS, Placement, World, build_world
from gnomon.lab.store import load, save
from gnomon.sources.anchors import read_anchors
from gnomon.sources.hints import read_hints
from gnomon.sources.routing import read_routes
from gnomon.sources.zones import read_zone_list

EXAMPLE = Name.from_text("example.test.")
RICH = {
    "nsec3": {"iterations": 5, "salt": "aabb", "opt_out": True}, "child_ns": ["ns1.example.test."],
    "glue": {"ns1.example.test.": ["29.1.1.1"], "ns2.example.test.": []}, "algorithm": 8, "ds": "wrong-digest",
    "extra_keys": [{"flags": 257, "algorithm": 15}], "records": [r"a\.b.example.test. 60 IN TXT \"x y\""],
    "validity": {"expiration_s": 5000}, "soa": {"serial": 4294967295}, "cds": "match",
}  # fmt: skip


def same(one: World, other: World) -> bool:
    return (
        one.zones == other.zones
        and one.hosts == other.hosts
        and one.faults == other.faults
        and one.networks == other.networks
        and one.population == other.population
        and one.loopback == other.loopback
    )


@pytest.mark.parametrize("changes", [{}, {"signed": False}, RICH])
def test_round_trip(tmp_path: Path, changes: dict[str, object]) -> None:
    faults = [
        Placement("stale-serial", "ns1.other.test.", EXAMPLE, 12), Placement("dead", "28.7.7.53"),
        Placement("wrong-ds", "parent", EXAMPLE),
    ]  # fmt: skip
    world = build_world(changes, faults)
    save(world, tmp_path)
    again = load(tmp_path, clock_s=world.clock_s)
    assert same(world, again)
    assert dict(all_answers(world)) == dict(all_answers(again))


@settings(max_examples=25, deadline=None)
@given(fault=st.sampled_from(sorted(FAULTS)), at=st.sampled_from(["all", "parent", "ns1.other.test."]))
def test_round_trip_of_any_fault(tmp_path_factory: pytest.TempPathFactory, fault: str, at: str) -> None:
    place = "parent" if FAULTS[fault].scope == "delegation" else at
    world = build_world({}, [Placement(fault, place, EXAMPLE)])
    directory = tmp_path_factory.mktemp("world")
    save(world, directory)
    assert same(world, load(directory))


def test_files_for_the_survey(tmp_path: Path) -> None:
    world = build_world()
    save(world, tmp_path)
    assert read_hints(tmp_path / "hints.zone").servers == world.hints()
    assert len(read_anchors(tmp_path / "trust-anchor.ds").anchors) == 1
    assert tuple(read_zone_list(tmp_path / "zones.txt").zones) == world.population
    routes = read_routes([tmp_path / "asn.csv"])
    for address in world.loopback:
        route = routes.route(address)
        assert route is not None and route.first <= address <= route.last


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = directory / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("world.jsonl"), "holds no lab world"),
        (remove("addresses.csv"), "addresses.csv cannot be read"),
        (remove("zones.txt"), "zones.txt cannot be read"),
        (replace("world.jsonl", '"version":1', '"version":9'), "line 1: .*build the world anew"),
        (replace("world.jsonl", '{"zone":{"name":".",', '{"zone":{'), "line 2: .*'name' is missing"),
        (replace("world.jsonl", '{"zone":{"name":"."', "{{"), "line 2"),
        (replace("world.jsonl", '"ttl_s":3600', '"ttl_s":-1'), "line 2: .*not a number"),
        (replace("world.jsonl", '"host":"ns1.other.test."', '"host":"ns1..test."'), "empty label"),
        (replace("world.jsonl", "28.1.1.53", "28.1.1.530"), "not an IPv4 or IPv6 address"),
        (replace("world.jsonl", '"dead"', '"deaf"'), "no lab fault 'deaf'"),
        (replace("world.jsonl", '"nsec"', '"nsec9"'), "neither nsec nor nsec3"),
        (replace("addresses.csv", ",127.1.0.2\n", ",9.9.9.9\n"), "line 3: .*not a loopback address"),
        (replace("addresses.csv", "28.1.1.53,127.1.0.1\n", ""), "no loopback address"),
        (replace("zones.txt", "example.test.", "example..test."), "zones.txt, line "),
        (replace("asn.csv", "4200000001", "many"), "asn.csv, line 2"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    save(build_world({}, [Placement("dead", "ns1.example.test.")]), tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError, match=message):
        load(tmp_path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        save(build_world(), tmp_path / "file")
