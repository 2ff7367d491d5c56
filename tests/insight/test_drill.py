"""Drills on small graphs whose outcome can be worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.base import InputError
from gnomon.insight.drill import Graph, Server


def server(
    zone: str, name: str, address: str, operator: str, asn: int, *, glue: bool = True, serves: bool = True
) -> Server:
    return Server(zone, name, address, 6 if ":" in address else 4, operator, asn, f"NET-{asn}", glue, serves)


def test_a_zone_with_one_operator_goes_dark_and_takes_its_dependants_with_it() -> None:
    graph = Graph(
        [
            server("a.", "ns1.a.", "192.0.2.1", "op.example", 1),
            server("a.", "ns2.a.", "192.0.2.2", "op.example", 2),
            # b. has no glue for its names: it needs a.
            server("b.", "x.a.", "198.51.100.1", "other.example", 3, glue=False),
            server("c.", "ns.c.", "203.0.113.1", "op.example", 1),
            server("c.", "ns.elsewhere.", "203.0.113.9", "third.example", 4),
        ],
        ["a.", "b.", "c."],
    )
    result = graph.drill("operator", "op.example")
    assert {a.zone: a.result for a in result.affected} == {"a.": "dark", "b.": "dark", "c.": "brittle"}
    why = {a.zone: a.why for a in result.affected}
    assert why["a."] == "every address that served it is lost"
    assert "a., which is dark too" in why["b."]
    assert result.already_dark == 0


def test_losing_an_as_that_is_one_of_two_leaves_the_zone_brittle() -> None:
    graph = Graph([server("a.", "ns1.a.", "192.0.2.1", "x", 1), server("a.", "ns2.a.", "192.0.2.2", "y", 2)], ["a."])
    assert [a.result for a in graph.drill("as", "AS1").affected] == ["brittle"]
    assert graph.rank("as")[0].dark == 0


def test_a_glueless_cycle_is_dark_from_the_start() -> None:
    graph = Graph(
        [
            server("a.", "ns.b.", "192.0.2.1", "x", 1, glue=False),
            server("b.", "ns.a.", "192.0.2.2", "y", 2, glue=False),
            server("c.", "ns.c.", "192.0.2.3", "z", 3),
        ],
        ["a.", "b.", "c."],
    )
    assert graph.resolves == {"a.": False, "b.": False, "c.": True}
    assert graph.drill("operator", "z").already_dark == 2


def test_a_lame_server_does_not_carry_a_zone() -> None:
    graph = Graph(
        [
            server("a.", "ns1.a.", "192.0.2.1", "x", 1, serves=False),
            server("a.", "ns2.a.", "192.0.2.2", "y", 2),
        ],
        ["a."],
    )
    assert [a.result for a in graph.drill("operator", "y").affected] == ["dark"]
    assert graph.drill("operator", "x").affected == ()


def test_a_loss_that_nobody_depends_on_is_named() -> None:
    graph = Graph([server("a.", "ns1.a.", "192.0.2.1", "x", 1)], ["a."])
    with pytest.raises(InputError, match=r"nobody\.example"):
        graph.drill("operator", "nobody.example")
    with pytest.raises(InputError, match="no drill"):
        graph.drill("meteor", "x")


zones = st.sampled_from(["a.", "b.", "c.", "x.a.", "y.b."])
servers = st.lists(
    st.builds(
        server, zones, zones.map(lambda z: f"ns.{z}"), st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        st.sampled_from(["p", "q", "r"]), st.integers(1, 3), glue=st.booleans(), serves=st.booleans(),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@given(servers)
def test_a_drill_equals_the_fixed_point_of_the_world_without_the_lost_servers(found: list[Server]) -> None:
    names = {s.zone for s in found}
    graph = Graph(found, names)
    for ranked in graph.rank("operator"):
        result = graph.drill("operator", ranked.lost)
        without = Graph([s for s in found if s.operator != ranked.lost], names)
        dark = {a.zone for a in result.affected if a.result == "dark"}
        assert dark == {z for z in graph.zones if graph.resolves[z] and not without.resolves[z]}
        assert ranked.dark == len(dark)
