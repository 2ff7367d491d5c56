import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import pytest
from lab_probes import TCP, UDP, ZONE, address_of, query

from gnomon.base import Name, Transport
from gnomon.lab import World, build_world
from gnomon.lab.nsd import export_for_nsd
from gnomon.lab.spec import DAY_S
from gnomon.sources.addressmap import read_address_map

NSD = shutil.which("nsd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(NSD is None, reason="nsd is not installed")

RECORDS = ["a.b.example.test. 300 IN TXT hello", "alias.example.test. 300 IN CNAME a.b.example.test."]
QUESTIONS = [
    (host, name, rtype)
    for host, zone in (("a.root-servers.test.", "."), ("a.nic.test.", "test."), ("ns1.example.test.", ZONE))
    for name, rtype in (
        (zone, "SOA"), (zone, "NS"), (zone, "DNSKEY"), (zone, 65280), (zone, "NSEC3PARAM"), (zone, "DS"),
        ("test.", "DS"), ("example.test.", "DS"), ("example.test.", "NS"), ("other.test.", "A"),
        ("ns1.example.test.", "A"), ("ns1.example.test.", "TXT"), ("qzxwvutsrq.example.test.", "A"),
        ("b.example.test.", "A"), ("a.b.example.test.", "TXT"), ("x.a.b.example.test.", "TXT"),
        ("alias.example.test.", "TXT"), ("alias.example.test.", "A"), ("zzz.test.", "A"), ("nowhere.", "A"),
        ("mail.example.test.", "MX"), ("nic.test.", "A"), ("*.example.test.", "A"),
    )
    # The instance of the zones at depth 2 holds other.test. too.
    if (host, name) != ("ns1.example.test.", "other.test.")
]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module", params=["nsec", "nsec3", "unsigned", "opt-out"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Path, int]]:
    changes: dict[str, dict[str, object]] = {
        "nsec": {}, "nsec3": {"nsec3": {"iterations": 2, "salt": "abcd"}}, "unsigned": {"signed": False},
        "opt-out": {"signed": False},
    }  # fmt: skip
    world = build_world({**changes[request.param], "records": RECORDS})
    if request.param == "opt-out":
        world = with_opt_out(world, Name.from_text("test."))
    world.set_clock(int(time.time()) // DAY_S * DAY_S)
    directory, port = tmp_path_factory.mktemp("nsd"), free_port()
    instances = export_for_nsd(world, directory, port)
    processes = [subprocess.Popen([str(NSD), "-d", "-c", str(instance.config)]) for instance in instances]
    try:
        for instance in instances:
            wait_for(str(instance.address), port)
        yield world, directory, port
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def with_opt_out(world: World, name: Name) -> World:
    zone = world.zones[name]
    assert zone.signing is not None
    signing = replace(zone.signing, denial="nsec3", nsec3_opt_out=True)
    return World([*world.zones.values(), replace(zone, signing=signing)], world.hosts)


def wait_for(address: str, port: int) -> None:
    octets = query(".", "SOA")
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.1)
            try:
                probe.sendto(octets, (address, port))
                probe.recv(4096)
                return
            except OSError:
                time.sleep(0.05)
    raise AssertionError(f"nsd does not answer at {address}:{port}")


def exchange(where: str, port: int, octets: bytes, transport: Transport) -> dns.message.Message:
    asked = dns.message.from_wire(octets)
    ask = dns.query.udp if transport is UDP else dns.query.tcp
    return ask(asked, where, port=port, timeout=5)


def sets(message: dns.message.Message) -> tuple[object, ...]:
    def section(rrsets: list[dns.rrset.RRset]) -> set[str]:
        return {line for rrset in rrsets for line in rrset.to_text().splitlines()}

    return message.rcode(), dns.flags.to_text(message.flags), section(message.answer), section(message.authority)


@pytest.mark.parametrize("do", [True, False])
def test_the_lab_answers_as_nsd_does(served: tuple[World, Path, int], do: bool) -> None:
    world, directory, port = served
    address_map = read_address_map(directory / "addresses.csv").loopback
    different = []
    for host, name, rtype in QUESTIONS:
        address = address_of(world, host)
        octets = query(name, rtype, do=do)
        theirs = exchange(str(address_map[address]), port, octets, UDP)
        reply = world.respond(address, UDP, octets)
        ours = dns.message.from_wire(reply[0])  # type: ignore[index]
        if sets(ours) != sets(theirs):
            different.append(f"{host} {name} {rtype}\nOURS\n{ours}\nNSD\n{theirs}\n")
    assert not different, "\n".join(different)


def test_referrals_carry_the_same_glue(served: tuple[World, Path, int]) -> None:
    world, directory, port = served
    address_map = read_address_map(directory / "addresses.csv").loopback
    for host, name in (("a.root-servers.test.", "test."), ("a.nic.test.", ZONE), ("a.nic.test.", "other.test.")):
        address = address_of(world, host)
        octets = query(name, "NS")
        theirs = exchange(str(address_map[address]), port, octets, TCP)
        ours = dns.message.from_wire(world.respond(address, TCP, octets)[0])  # type: ignore[index]
        assert {r.to_text() for r in ours.additional} == {r.to_text() for r in theirs.additional}
