"""Query throughput on loopback against NSD, beside a bare Python socket loop in the same run.

    python benchmarks/query_engine.py [--queries 200000] [--rounds 3] [--port 5390]

Needs `nsd`. Prints exchanges per second and this process's CPU per exchange (all threads), median of the rounds,
and the ratio to the socket loop: compare ratios, not figures from different runs.
"""

from __future__ import annotations

import argparse
import resource
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from itertools import islice
from pathlib import Path

from gnomon import _core
from gnomon.engine import Limits, NetworkEngine, Query

SERVER = "127.0.0.1"
NAMES = 20_000
WINDOW = 200
LIMITS = Limits(
    rate_qps=1e7, burst=WINDOW, in_flight_per_address=WINDOW, prefix_rate_qps=1e7, prefix_burst=WINDOW,
    in_flight_per_prefix=WINDOW, in_flight_total=WINDOW, breaker_silent=0, total_qps=0.0,
)  # fmt: skip


def query(number: int) -> bytes:
    label = f"name{number % NAMES:06d}".encode()
    header = bytes.fromhex("0000 0000 0001 0000 0000 0000")
    return header + bytes([len(label)]) + label + b"\x01q\x04test\x00" + b"\x00\x01\x00\x01"


@contextmanager
def nsd(port: int) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        records = "".join(f"name{i:06d} A 127.0.{i >> 8 & 255}.{i & 255}\n" for i in range(NAMES))
        (work / "zone").write_text(
            f"$ORIGIN q.test.\n$TTL 3600\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 127.0.0.1\n{records}"
        )
        (work / "nsd.conf").write_text(
            f'server:\n ip-address: {SERVER}@{port}\n username: ""\n chroot: ""\n database: ""\n pidfile: {work}/pid\n'
            f" zonelistfile: {work}/list\n xfrdfile: {work}/xfrd\n xfrdir: {work}\n zonesdir: {work}\n"
            f" receive-buffer-size: 4194304\n send-buffer-size: 4194304\n"
            f"remote-control:\n control-enable: no\nzone:\n name: q.test\n zonefile: zone\n"
        )
        server = subprocess.Popen(["nsd", "-d", "-c", str(work / "nsd.conf")], stderr=subprocess.DEVNULL)
        try:
            probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            probe.settimeout(0.2)
            probe.connect((SERVER, port))
            for _ in range(100):
                try:
                    probe.send(query(1))
                    probe.recv(512)
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                sys.exit("nsd does not answer")
            yield
        finally:
            server.terminate()
            server.wait()


def with_core(port: int, count: int) -> int:
    """Answers heard by the native engine alone."""
    engine = _core.Engine(
        limits=LIMITS, allow=[("127.0.0.0", 8)], opt_out_prefixes=(), opt_out_servers=(), opt_out_zones=(),
        address_map=None, local=(), shards=1,
    )  # fmt: skip
    numbers = iter(range(count))
    answered = 0
    while True:
        engine.submit([(i, SERVER, port, 0, query(i), 3, 2000, 0, None) for i in islice(numbers, engine.credit)])
        if not engine.pending:
            break
        answered += sum(row.status == 0 for row in engine.take(4096, 1000))
    engine.close()
    return answered


def with_network_engine(port: int, count: int) -> int:
    """Answers heard through the Python face, every attempt converted."""
    address = ip_address(SERVER)
    answered = 0
    with NetworkEngine(LIMITS, allow_net=[ip_network("127.0.0.0/8")]) as engine:
        queries = [Query(i, address, query(i), port=port, attempts=3) for i in range(count)]
        while queries or engine.pending:
            del queries[: engine.submit(queries)]
            answered += sum(attempt.response is not None for attempt in engine.take())
    return answered


def with_socket_loop(port: int, count: int) -> int:
    """Answers heard by one socket with a window, IDs and questions checked; nothing is sent twice."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.connect((SERVER, port))
    waiting: dict[int, bytes] = {}
    sent = answered = 0
    while answered < count:
        while len(waiting) < WINDOW and sent < count:
            wire = query(sent)
            waiting[sent & 0xFFFF] = wire
            sock.send((sent & 0xFFFF).to_bytes(2, "big") + wire[2:])
            sent += 1
        if not select.select([sock], [], [], 1.0)[0]:
            break
        try:
            while True:
                answer = sock.recv(4096)
                wire = waiting.get(int.from_bytes(answer[:2], "big"), b"")
                if wire and answer[2] & 0x80 and answer[12 : len(wire)] == wire[12:]:
                    del waiting[int.from_bytes(answer[:2], "big")]
                    answered += 1
        except BlockingIOError:
            pass
    return answered


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=5390)
    args = parser.parse_args()
    if shutil.which("nsd") is None:
        sys.exit("nsd is not installed")
    clients: dict[str, Callable[[int, int], int]] = {
        "socket loop": with_socket_loop,
        "native engine": with_core,
        "NetworkEngine": with_network_engine,
    }
    rate: dict[str, list[float]] = {name: [] for name in clients}
    cost: dict[str, list[float]] = {name: [] for name in clients}
    with nsd(args.port):
        for _ in range(args.rounds):
            for name, client in clients.items():
                before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
                answered = client(args.port, args.queries)
                wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                rate[name].append(answered / wall)
                cost[name].append(cpu / answered * 1e6)
                if answered < args.queries:
                    print(f"{name}: {args.queries - answered} unanswered")
    reference = statistics.median(cost["socket loop"])
    for name in clients:
        us = statistics.median(cost[name])
        print(f"{name:14} {statistics.median(rate[name]):9,.0f} exchanges/s {us:6.2f} us CPU  x{us / reference:.2f}")


if __name__ == "__main__":
    main()
