import os
from collections import Counter
from itertools import pairwise
from pathlib import Path

import dns.dnssec
import dns.message
import dns.name
import dns.rdatatype
import pytest
from lab_probes import TCP, UDP, query

from gnomon.base import ROOT, Address, InputError, Name
from gnomon.base.special import special_purpose
from gnomon.lab import World
from gnomon.lab.figures import compute, root_figures
from gnomon.lab.populations import build_embedded, build_from_root_zone
from gnomon.sources.zonefile import read_parent_zone

# The real data lie in $GNOMON_SHARED or in the folder `shared` beside the checkout; ROOT_ZONE is one file.
_SHARED = Path(os.environ.get("GNOMON_SHARED") or Path(__file__).parents[3] / "shared")
ROOT_ZONE = Path(os.environ.get("ROOT_ZONE") or _SHARED / "data/root-zone/root.2026073102.zone.gz")
needs_root_zone = pytest.mark.skipif(not ROOT_ZONE.is_file(), reason="no root zone file here; set ROOT_ZONE")

SMALL_ROOT = """\
. 86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 2026073102 1800 900 604800 86400
. 518400 IN NS a.root-servers.net.
a.root-servers.net. 518400 IN A 198.41.0.4
a.root-servers.net. 518400 IN AAAA 2001:503:ba3e::2:30
net. 172800 IN NS ns.nic.net.
net. 172800 IN NS ns.nic.org.
net. 86400 IN DS 1234 8 2 AA00000000000000000000000000000000000000000000000000000000000000
net. 86400 IN DS 1235 8 2 BB00000000000000000000000000000000000000000000000000000000000000
net. 86400 IN DS 1234 8 1 AA00000000000000000000000000000000000000
ns.nic.net. 172800 IN A 29.1.1.1
ORG. 172800 IN NS NS.nic.org.
ns.nic.org. 172800 IN A 29.2.2.2
ns.nic.org. 172800 IN AAAA 2a10::1
"""


def answer(world: World, address: Address, name: str, rtype: str | int) -> dns.message.Message:
    reply = world.respond(address, TCP, query(name, rtype))
    return dns.message.from_wire(reply[0])  # type: ignore[index]


def check_zone(world: World, name: Name) -> None:
    """The chain from the root to the zone holds, and every server answers with valid signatures for all it says."""
    root_server = world.addresses_of(world.zones[ROOT].ns[0])[0]
    apex = dns.name.from_text(str(name))
    root_keys = answer(world, root_server, ".", "DNSKEY").answer[0]
    if name in world.zones and world.zones[name].signing is not None:
        ds, ds_signature = answer(world, root_server, str(name), "DS").answer
        dns.dnssec.validate(ds, ds_signature, {dns.name.root: root_keys}, now=world.clock_s)
    for address in world.servers_of(world.zones[name])[:2]:
        keys = answer(world, address, str(name), "DNSKEY").answer
        if world.zones[name].signing is None:
            assert not keys
            continue
        made = [
            dns.dnssec.make_ds(apex, key, entry.digest_type, policy=dns.dnssec.allow_all_policy)
            for key in keys[0] for entry in ds
        ]  # fmt: skip
        assert all(entry in made for entry in ds)
        for qname, rtype in (
            (str(name), "SOA"),
            (str(name), "NS"),
            (str(name), 65280),
            ("zz-nothing." + str(name), "A"),
        ):
            message = answer(world, address, qname, rtype)
            for section in (message.answer, message.authority):
                rrsets = {(r.name, r.rdtype): r for r in section if r.rdtype != dns.rdatatype.RRSIG}
                signatures = {(r.name, r.covers): r for r in section if r.rdtype == dns.rdatatype.RRSIG}
                assert rrsets.keys() == signatures.keys()
                for key, rrset in rrsets.items():
                    dns.dnssec.validate(rrset, signatures[key], {apex: keys[0]}, now=world.clock_s)


def check_hosts(world: World, name: Name) -> None:
    """Glue at the root and the answer of the zone that contains the host agree."""
    root_server = world.addresses_of(world.zones[ROOT].ns[0])[0]
    referral = answer(world, root_server, "x." + str(name), "A")
    glue = {(str(r.name), a.to_text()) for r in referral.additional for a in r}
    wanted = set()
    for host in world.zones[name].ns:
        holder = next(a for a in host.ancestors() if a in world.zones)
        server = world.servers_of(world.zones[holder])[0]
        for rtype in ("A", "AAAA"):
            message = answer(world, server, str(host), rtype)
            wanted |= {(str(host), a.to_text()) for r in message.answer if r.rdtype != dns.rdatatype.RRSIG for a in r}
    assert glue == wanted


def test_embedded_world() -> None:
    world = build_embedded(7, faulty_share=0.0)
    figures = root_figures()
    assert len(world.population) >= 1400 and ROOT not in world.population
    assert all(special_purpose(address) is None for address in world.loopback)
    assert len(set(world.loopback.values())) == len(world.loopback)
    unsigned = sum(world.zones[name].signing is None for name in world.population)
    assert abs(unsigned / len(world.population) - figures.unsigned / figures.zones) < 0.03
    sizes = Counter(len(world.zones[name].ns) for name in world.population)
    assert min(sizes) >= 2 and sizes.most_common(1)[0][0] in (4, 6)
    shared = Counter(len(zones) for zones in world.zones_at.values())
    assert max(shared) > 20
    covered = sorted((n for n in world.networks if n.first.version == 4), key=lambda n: int(n.first))
    assert all(int(a.last) < int(b.first) for a, b in pairwise(covered))
    for name in list(world.population)[::97]:
        check_zone(world, name)
        check_hosts(world, name)


def test_every_algorithm_of_the_figures_validates() -> None:
    world = build_embedded(7, faulty_share=0.0)
    samples: dict[tuple[object, ...], Name] = {}
    for name in world.population:
        zone = world.zones[name]
        if zone.signing is not None:
            ds = tuple((d.key.algorithm, d.digest_type) for d in zone.ds)
            samples[ds, zone.signing.denial, zone.signing.nsec3_opt_out] = name
    assert len(samples) > 20
    for name in samples.values():
        check_zone(world, name)


def test_embedded_world_is_the_same_for_the_same_seed() -> None:
    one, same, other = build_embedded(1, tlds=40), build_embedded(1, tlds=40), build_embedded(2, tlds=40)
    assert (one.zones, one.hosts, one.faults) == (same.zones, same.hosts, same.faults)
    assert one.zones != other.zones
    for address in list(one.loopback)[:20]:
        for name in list(one.population)[:10]:
            octets = query(str(name), "DNSKEY")
            assert one.respond(address, UDP, octets) == same.respond(address, UDP, octets)


@pytest.mark.parametrize("tlds", [0, 1, 100_000])
def test_impossible_sizes(tlds: int) -> None:
    with pytest.raises(InputError, match="cannot be built"):
        build_embedded(tlds=tlds)


def test_sprinkle() -> None:
    world = build_embedded(3, tlds=200, faulty_share=0.1)
    assert len(world.faults) == 20 and len({p.zone for p in world.faults}) == 20
    clean = build_embedded(3, tlds=200, faulty_share=0.0)
    assert clean.faults == () and clean.hosts == world.hosts
    faulty = {placement.zone for placement in world.faults}
    for name in list(world.population)[:100]:
        if name not in faulty:
            for address in world.servers_of(world.zones[name]):
                octets = query(str(name), "SOA")
                assert world.respond(address, UDP, octets) == clean.respond(address, UDP, octets)


def test_small_root_zone(tmp_path: Path) -> None:
    path = tmp_path / "root.zone"
    path.write_text(SMALL_ROOT)
    world = build_from_root_zone(path)
    net, org = Name.from_text("net."), Name.from_text("org.")
    assert set(world.population) == {net, org} and not world.networks
    ds = [(d.key.index, d.key.algorithm, d.digest_type) for d in world.zones[net].ds]
    assert len({index for index, _, _ in ds}) == 2
    assert sorted((a, d) for _, a, d in ds) == [(8, 1), (8, 2), (8, 2)]
    assert world.zones[org].signing is None
    assert world.zones[ROOT].soa.serial == 2026073102
    check_zone(world, net)
    check_zone(world, org)
    check_hosts(world, net)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gov. 60 IN SOA a.gov. b.gov. 1 2 3 4 5\ngov. 60 IN NS a.gov.\n", "not a root zone"),
        (SMALL_ROOT + "org. 60 IN A 1.2.3\n", "line 14"),
        ("net. 60 IN NS a.net.\n", "no SOA"),
    ],
)
def test_unusable_root_zones(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "root.zone"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        build_from_root_zone(path)


def test_figures_of_a_small_zone(tmp_path: Path) -> None:
    path = tmp_path / "root.zone"
    path.write_text(SMALL_ROOT)
    text = compute(read_parent_zone(path))
    assert "zones = 2" in text and "unsigned = 1" in text and '"8/1 8/2 8/2" = 1' in text


@needs_root_zone
@pytest.mark.real
def test_real_root_zone() -> None:
    root = read_parent_zone(ROOT_ZONE)
    world = build_from_root_zone(ROOT_ZONE)
    assert set(world.population) == set(root.ns)
    assert set(world.loopback) == {a for host in _server_names(root) for a in root.addresses.get(host, ())}
    for name in list(world.population)[::61]:
        assert world.zones[name].ns == root.ns[name]
        published = Counter((d.algorithm, d.digest_type) for d in root.ds.get(name, ()))
        assert Counter((d.key.algorithm, d.digest_type) for d in world.zones[name].ds) == published
        check_zone(world, name)
        check_hosts(world, name)


@needs_root_zone
@pytest.mark.real
def test_packaged_figures_are_those_of_the_root_zone() -> None:
    root = read_parent_zone(ROOT_ZONE)
    if root.soa.serial == root_figures().serial:
        packaged = Path(__file__).parents[2] / "src/gnomon/lab/data/root-figures.toml"
        assert compute(root) == packaged.read_text()


def _server_names(root: object) -> set[Name]:
    return {*root.apex_ns, *(host for ns in root.ns.values() for host in ns)}  # type: ignore[attr-defined]
