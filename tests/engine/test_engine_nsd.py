"""Against a real name server: NSD on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from engine_servers import FREE, HOST, ask, message, words

from gnomon.base import Transport
from gnomon.engine import Query, Status

pytestmark = pytest.mark.skipif(shutil.which("nsd") is None, reason="nsd is not installed")

NAMES = 500


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    work: Path = tmp_path_factory.mktemp("nsd")
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    long_text = " ".join(f'"{letter * 250}"' for letter in "abcdefghijkl")
    names = "".join(f"n{number} A 192.0.2.{number % 256}\n" for number in range(NAMES))
    (work / "zone").write_text(
        "$ORIGIN example.test.\n$TTL 3600\n@ SOA ns h 1 7200 900 604800 900\n@ NS ns\nns A 192.0.2.1\n"
        f"long TXT {long_text}\n{names}"
    )
    (work / "nsd.conf").write_text(
        f'server:\n ip-address: {HOST}@{port}\n username: ""\n chroot: ""\n database: ""\n zonesdir: {work}\n'
        f" pidfile: {work}/pid\n zonelistfile: {work}/list\n xfrdfile: {work}/xfrd\n xfrdir: {work}\n"
        "remote-control:\n control-enable: no\nzone:\n name: example.test\n zonefile: zone\n"
    )
    server = subprocess.Popen(["nsd", "-d", "-c", str(work / "nsd.conf")], stderr=subprocess.DEVNULL)
    try:
        ready = Query(0, ip_address(HOST), message("example.test."), port=port, attempts=50, timeout_ms=200)
        if ask(ready)[-1].status is not Status.ANSWERED:
            pytest.skip("nsd does not start here")
        yield port
    finally:
        server.terminate()
        server.wait()


def _query(port: int, tag: int, name: str, qtype: int, transport: Transport = Transport.UDP) -> Query:
    return Query(tag, ip_address(HOST), message(name, qtype), transport, port, 3, 3000, mix_case=True)


def test_all_names_over_udp(port: int) -> None:
    attempts = ask(*(_query(port, tag, f"n{tag}.example.test.", 1) for tag in range(NAMES)), limits=FREE)
    answered = [attempt for attempt in attempts if attempt.status is Status.ANSWERED]
    assert {attempt.tag for attempt in answered} == set(range(NAMES))
    for attempt in answered:
        assert attempt.response is not None
        # NSD keeps the case; the first answer record ends with the address.
        question = slice(12, len(attempt.query))
        assert attempt.response[question] == attempt.query[question]
        assert bytes([192, 0, 2, attempt.tag % 256]) in attempt.response


def test_all_names_over_pipelined_tcp(port: int) -> None:
    tcp = Transport.TCP
    attempts = ask(*(_query(port, tag, f"n{tag}.example.test.", 1, tcp) for tag in range(NAMES)), limits=FREE)
    answered = {a.tag: a.response or b"" for a in attempts if a.status is Status.ANSWERED}
    assert answered.keys() == set(range(NAMES))
    assert all(bytes([192, 0, 2, tag % 256]) in response for tag, response in answered.items())
    assert len({a.local_port for a in attempts}) <= 2


def test_a_truncated_answer_is_whole_over_tcp(port: int) -> None:
    short, whole = ask(_query(port, 1, "long.example.test.", 16))
    assert words([short, whole]) == ["1 udp answered", "2 tcp answered"]
    assert short.response is not None and len(short.response) <= 512
    assert whole.response is not None and b"l" * 250 in whole.response


def test_errors_are_answers_too(port: int) -> None:
    unknown_opcode = bytearray(message("example.test."))
    unknown_opcode[2] = 15 << 3
    attempts = ask(
        _query(port, 1, "nothing.example.test.", 1),
        _query(port, 2, "elsewhere.invalid.", 1),
        _query(port, 3, "example.test.", 6, Transport.TCP),
        Query(4, ip_address(HOST), bytes(unknown_opcode), port=port, timeout_ms=3000),
    )
    rcodes = {a.tag: a.response[3] & 15 for a in attempts if a.response is not None}
    assert rcodes == {1: 3, 2: 5, 3: 0, 4: 4}
