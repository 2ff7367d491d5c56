from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdatatype
import pytest
from lab_probes import PROBES, ZONE, ask, query

from gnomon.base import InputError, Name, codes
from gnomon.base.special import special_purpose
from gnomon.lab import build_world, load_scenarios

NS1, PARENT = "ns1.example.test.", "a.nic.test."
EXAMPLE = Name.from_text(ZONE)


def test_the_base_world_has_public_addresses_in_networks_of_their_own() -> None:
    world = build_world()
    addresses = [a for host in world.hosts.values() for a in host]
    assert all(special_purpose(a) is None for a in addresses)
    assert len(world.servers_of(world.zones[EXAMPLE])) == 6
    for address in addresses:
        (network,) = [n for n in world.networks if n.first.version == address.version and n.first <= address <= n.last]
        assert network.asn > 0
    assert len({n.asn for n in world.networks}) * 2 == len(world.networks) == len(addresses)


def texts(host: str, rtype: str, changes: dict[str, object], name: str = ZONE) -> set[str]:
    message = ask(build_world(changes), host, query(name, rtype, do=False))
    return {r.to_text() for rrset in message.answer for r in rrset}


def test_changes_of_the_world() -> None:
    assert texts(NS1, "NS", {"child_ns": [NS1]}) == {NS1}
    assert texts(NS1, "SOA", {"soa": {"serial": 5, "expire": 60}}) == {
        "ns1.example.test. hostmaster.example.test. 5 14400 3600 60 3600"
    }
    assert texts(NS1, "MX", {"mx": ["0 ."]}) == {"0 ."}
    assert texts(NS1, "MX", {"mx": []}) == set()
    assert texts(NS1, "TXT", {"records": ["t.example.test. 60 IN TXT hello"]}, "t.example.test.") == {'"hello"'}


def test_addresses_and_glue() -> None:
    world = build_world({"addresses": {NS1: ["29.1.1.1"]}, "glue": {NS1: ["29.2.2.2"], "ns2.example.test.": []}})
    referral = ask(world, PARENT, query(ZONE, "NS"))
    glue = {(str(r.name), r[0].to_text()) for r in referral.additional}
    assert (NS1, "29.2.2.2") in glue and not any(name == "ns2.example.test." for name, _ in glue)
    answer = ask(world, "ns2.example.test.", query(NS1, "A", do=False))
    assert [r.to_text() for r in answer.answer[0]] == ["29.1.1.1"]


def test_alias_as_name_server() -> None:
    world = build_world({"ns": ["alias.example.test.", NS1], "ns_alias": {"alias.example.test.": "ns5.example.test."}})
    answer = ask(world, NS1, query("alias.example.test.", "A", do=False))
    assert [r.rdtype for r in answer.answer] == [dns.rdatatype.CNAME, dns.rdatatype.A]
    assert ask(world, "ns5.example.test.", PROBES["Q1"][1]).answer


@pytest.mark.parametrize(
    ("mode", "count"), [("good", 1), ("none", 0), ("wrong-digest", 1), ("sha1", 1), ("no-key", 1), ("extra-no-key", 2)]
)
def test_ds_modes(mode: str, count: int) -> None:
    world = build_world({"ds": mode})
    answer = ask(world, PARENT, query(ZONE, "DS", do=False)).answer
    published = [ds for rrset in answer for ds in rrset]
    keys = ask(world, NS1, query(ZONE, "DNSKEY", do=False)).answer[0]
    name = dns.name.from_text(ZONE)
    policy = dns.dnssec.allow_all_policy
    made = [dns.dnssec.make_ds(name, key, ds.digest_type, policy=policy) for key in keys for ds in published]
    good = [ds for ds in published if ds in made]
    assert len(published) == count
    assert len(good) == (mode in ("good", "sha1", "extra-no-key"))


def test_parents_that_differ() -> None:
    world = build_world({"ds": "parent-differs"})
    first, second = (ask(world, host, query(ZONE, "DS", do=False)).answer for host in (PARENT, "b.nic.test."))
    assert first != second


def test_keys() -> None:
    world = build_world(
        {
            "csk": True,
            "algorithm": 8,
            "rsa_bits": 1024,
            "extra_keys": [{"flags": 257, "revoked": True, "algorithm": 15}],
        }
    )
    keys = sorted((k.flags, int(k.algorithm)) for k in ask(world, NS1, query(ZONE, "DNSKEY", do=False)).answer[0])
    assert keys == [(257, 8), (385, 15)]


def test_algorithms_that_the_lab_does_not_know() -> None:
    world = build_world({"algorithm": 12, "extra_keys": [{"algorithm": 253}]})
    answer = ask(world, NS1, query(ZONE, "DNSKEY"))
    assert {int(key.algorithm) for key in answer.answer[0]} == {12, 253}
    assert {int(rrsig.algorithm) for rrsig in answer.answer[1]} == {12}


def test_cds() -> None:
    assert texts(NS1, "CDS", {"cds": "match"}) == texts(PARENT, "DS", {})
    assert texts(NS1, "CDS", {"cds": "delete"}) == {"0 0 0 00"}
    assert texts(NS1, "CDS", {"cds": "other"}) != texts(PARENT, "DS", {})
    assert texts(NS1, "CDS", {}) == set()


def test_scenario_file(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("""
        [[scenario]]
        name = "one server is dead"
        must = ["silent"]
        must_not = ["healthy"]
        [scenario.world]
        signed = false
        [[scenario.faults]]
        fault = "dead"
        at = "ns1.example.test."
        [[scenario.faults]]
        fault = "stale-serial"
        at = "all"
        value = 7
    """)
    (scenario,) = load_scenarios(path)
    assert (scenario.must, scenario.must_not) == (("silent",), ("healthy",))
    world = scenario.build()
    assert world.zones[EXAMPLE].signing is None
    assert world.respond(world.addresses_of(Name.from_text(NS1))[0], 0, PROBES["Q1"][1]) == []  # type: ignore[arg-type]
    assert ask(world, "ns2.example.test.", query(ZONE, "SOA")).answer[0][0].serial == 2026010100 - 7
    assert codes.DS not in {r.rdtype for r in ask(world, PARENT, query(ZONE, "NS")).authority}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[scenario]]\nname = 3", "has no name"),
        ("[scenario]\nname = 'x'", "tables and nothing else"),
        ("[[scenario]]\nname = 'x'\ncolour = 1", "unknown key 'colour'"),
        ("[[scenario]]\nname = 'x'\n[[scenario.faults]]\nfault = 'dead'", "keys fault, at"),
        ("[[scenario]]\nname = 'x'\n[[scenario.faults]]\nfault = 'x'\nat='all'", "no lab fault 'x'"),
        ("not toml", "cannot be read"),
    ],
)
def test_bad_scenario_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_scenarios(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"nss": []}, {"ds": "fine"}, {"denial": "nsec5"}, {"nsec3": {"rounds": 2}}, {"soa": {"ttl": 1}},
        {"records": ["x y z"]}, {"addresses": {NS1: ["1.2.3"]}}, {"ns": ["a..b."]}, {"cds": "x"},
        {"validity": {"x": 1}}, {"algorithm": 8, "rsa_bits": 1000}, {"algorithm": 10, "rsa_bits": 512},
    ],
)  # fmt: skip
def test_bad_worlds(changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        build_world(changes)
