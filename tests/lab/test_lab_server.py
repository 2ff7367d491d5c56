import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dns.dnssec
import dns.message
import pytest
from lab_probes import PROBES, TCP, UDP, ZONE, query

from gnomon.base import InputError, Name
from gnomon.lab import Placement, World, build_world
from gnomon.lab.process import LabProcess
from gnomon.lab.store import save

EXAMPLE = Name.from_text(ZONE)
# Without signatures the octets do not depend on the time at which they are served.
UNSIGNED = {"signed": False}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, LabProcess]]:
    faults = [
        Placement("no-tcp", "ns2.example.test.", EXAMPLE),
        Placement("slow", "28.5.5.53", EXAMPLE, 150),
        Placement("dead", "2a10:5005::53"),
    ]
    world = build_world(UNSIGNED, faults)
    directory = tmp_path_factory.mktemp("lab")
    save(world, directory)
    with LabProcess(directory) as process:
        yield world, process


def local(world: World, host: str, index: int = 0) -> str:
    return str(world.loopback[world.addresses_of(Name.from_text(host))[index]])


def over_udp(to: str, port: int, octets: bytes, timeout_s: float = 5.0) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout_s)
        sock.connect((to, port))  # only answers from that very address are received
        sock.send(octets)
        return sock.recv(65535)


def read_frame(sock: socket.socket) -> bytes:
    head = sock.recv(2, socket.MSG_WAITALL)
    return sock.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)


def frame(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def test_every_address_answers_as_the_world_does(lab: tuple[World, LabProcess]) -> None:
    world, process = lab
    for real in world.servers_of(world.zones[EXAMPLE]):
        for transport, octets in PROBES.values():
            expected = world.respond(real, transport, octets)
            if transport is UDP and expected:
                assert [over_udp(str(world.loopback[real]), process.port, octets)] == expected


def test_tcp_takes_several_queries_and_queries_in_pieces(lab: tuple[World, LabProcess]) -> None:
    world, process = lab
    real = world.addresses_of(Name.from_text("ns1.example.test."))[0]
    octets = [PROBES[code][1] for code in ("Q1", "Q7", "Q3")]
    with socket.create_connection((local(world, "ns1.example.test."), process.port), 5) as sock:
        stream = b"".join(map(frame, octets))
        for piece in (stream[:1], stream[1:20], stream[20:]):
            sock.sendall(piece)
        for query_octets in octets:
            assert [read_frame(sock)] == world.respond(real, TCP, query_octets)


def test_faults_of_the_transport(lab: tuple[World, LabProcess]) -> None:
    world, process = lab
    with socket.create_connection((local(world, "ns2.example.test."), process.port), 5) as sock:
        sock.sendall(frame(PROBES["Q7"][1]))
        with pytest.raises(ConnectionResetError):
            sock.recv(2)
    with pytest.raises(TimeoutError):
        over_udp(local(world, "ns1.other.test.", 1), process.port, PROBES["Q1"][1], 0.3)
    slow = local(world, "ns1.other.test.")
    with pytest.raises(TimeoutError):
        over_udp(slow, process.port, PROBES["Q1"][1], 0.05)
    assert over_udp(slow, process.port, PROBES["Q1"][1])


def test_nothing_but_the_servers_answers(lab: tuple[World, LabProcess]) -> None:
    _, process = lab
    for address in ("127.0.0.1", "127.0.0.53", "127.1.200.200"):
        with pytest.raises(OSError):
            over_udp(address, process.port, PROBES["Q1"][1], 0.2)


def test_garbage_does_not_stop_it(lab: tuple[World, LabProcess]) -> None:
    world, process = lab
    address = local(world, "ns1.example.test.")
    for octets in (b"", b"\0", b"\xff" * 12, os.urandom(600)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(octets, (address, process.port))
        with socket.create_connection((address, process.port), 5) as stream:
            stream.sendall(octets)
    assert over_udp(address, process.port, PROBES["Q1"][1])


def test_signatures_are_valid_now(tmp_path: Path) -> None:
    save(build_world(), tmp_path)
    with LabProcess(tmp_path) as process:
        world = build_world()
        answer = dns.message.from_wire(over_udp(local(world, "ns1.example.test."), process.port, query(ZONE, "DNSKEY")))
    keys, signatures = answer.answer
    dns.dnssec.validate(keys, signatures, {keys.name: keys})


def test_a_taken_port_and_a_missing_world_are_told(lab: tuple[World, LabProcess], tmp_path: Path) -> None:
    _, process = lab
    save(build_world(), tmp_path)
    with pytest.raises(InputError, match=f"cannot serve on port {process.port}"):
        LabProcess(tmp_path, process.port)
    with pytest.raises(InputError, match="holds no lab world"):
        LabProcess(tmp_path / "nothing")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    save(build_world(), tmp_path)
    command = [sys.executable, "-m", "gnomon.lab.server", str(tmp_path), "0"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and errors == b""
