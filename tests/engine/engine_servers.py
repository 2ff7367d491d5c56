"""Servers on loopback that behave as a test says, and the queries to ask them."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network
from types import TracebackType
from typing import Self

from gnomon.base import Name, Transport
from gnomon.engine import Attempt, Limits, NetworkEngine, Query

HOST = "127.0.0.1"
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
# Nothing in the way; single tests tighten what they are about.
FREE = Limits(
    rate_qps=1e6, burst=1000, in_flight_per_address=500, prefix_rate_qps=1e6, prefix_burst=1000,
    in_flight_per_prefix=1000, in_flight_total=1000, breaker_silent=0, total_qps=0.0,
)  # fmt: skip
SILENCE_MS = 60  # for queries that are never answered
TURN_MS = 0  # the fixture `turns` changes it
PATIENCE_MS = 10_000  # for queries that are: never waited for unless the test fails

Send = Callable[..., None]
OnUdp = Callable[[bytes, int, Send], None]
OnTcp = Callable[[socket.socket, bytes, int], None]


def message(name: str = "www.example.test.", qtype: int = 6) -> bytes:
    """A query message with ID 0 and one question."""
    return b"\0\0\0\0\0\1\0\0\0\0\0\0" + Name.from_text(name).wire + struct.pack("!HH", qtype, 1)


def reply(query: bytes, *, truncated: bool = False, tail: bytes = b"") -> bytes:
    """The query turned into a response, with octets after the question."""
    return query[:2] + bytes([0x84 | truncated << 1, 0]) + query[4:] + tail


def other_id(query: bytes) -> bytes:
    return bytes([query[0] ^ 0xFF]) + query[1:]


class Server:
    """UDP and TCP on one port. `on_udp(query, number, send)` and `on_tcp(connection, query, number)` answer.

    Numbers count from 1 for each transport. `send(octets, source="port")` sends from another port,
    `source="address"` from 127.0.0.9. Without a function the transport is answered with `reply`, any number of
    queries over one connection; with one a connection ends after its first query. `connections` counts them.
    """

    def __init__(self, on_udp: OnUdp | None = None, on_tcp: OnTcp | None = None, host: str = HOST) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._on_udp = on_udp or (lambda query, _, send: send(reply(query)))
        self._on_tcp = on_tcp
        self.udp_queries: list[bytes] = []
        self.tcp_queries: list[bytes] = []
        self.connections = 0
        self._tcp = socket.create_server((host, 0), family=family, backlog=256)
        self.host, self.port = host, self._tcp.getsockname()[1]
        self._udp = socket.socket(family, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._udp.bind((host, self.port))
        self._others = {"": self._udp, "port": _bound(host), "address": _bound("127.0.0.9")}
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._serve_udp, self._serve_tcp)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        # Wakes the thread that reads; an empty datagram is no query.
        with _bound(self.host) as waker:
            waker.sendto(b"", (self.host, self.port))
        for thread in self._threads:
            thread.join()
        for sock in (self._tcp, *self._others.values()):
            sock.close()

    def _serve_udp(self) -> None:
        while True:
            query, peer = self._udp.recvfrom(65_535)
            if not query:
                return
            self.udp_queries.append(query)

            def send(octets: bytes, source: str = "", to: tuple[str, int] = peer) -> None:
                self._others[source].sendto(octets, to)

            self._on_udp(query, len(self.udp_queries), send)

    def _serve_tcp(self) -> None:
        serving: list[threading.Thread] = []
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                break
            self.connections += 1
            serving.append(threading.Thread(target=self._serve_connection, args=(connection,), daemon=True))
            serving[-1].start()
        for thread in serving:
            thread.join()

    def _serve_connection(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(PATIENCE_MS / 1000)
            while True:
                query = read_tcp(connection)
                self.tcp_queries.append(query)
                if self._on_tcp:
                    self._on_tcp(connection, query, len(self.tcp_queries))
                    return
                send_tcp(connection, reply(query))

    def query(
        self,
        tag: int = 0,
        *,
        name: str = "www.example.test.",
        transport: Transport = Transport.UDP,
        attempts: int = 1,
        timeout_ms: int = PATIENCE_MS,
        mix_case: bool = False,
        tcp_after_truncation: bool = True,
    ) -> Query:
        return Query(
            tag=tag,
            address=ip_address(self.host),
            wire=message(name),
            transport=transport,
            port=self.port,
            attempts=attempts,
            timeout_ms=timeout_ms,
            mix_case=mix_case,
            tcp_after_truncation=tcp_after_truncation,
        )


def _bound(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return sock


def read_tcp(connection: socket.socket) -> bytes:
    """One message with its length prefix taken off."""
    return _read(connection, int.from_bytes(_read(connection, 2), "big"))


def _read(connection: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        more = connection.recv(size - len(octets))
        if not more:
            raise OSError("closed by the client")
        octets += more
    return octets


def send_tcp(connection: socket.socket, octets: bytes) -> None:
    connection.sendall(len(octets).to_bytes(2, "big") + octets)


def wait_for_close(connection: socket.socket) -> None:
    """Hold the connection until the client gives up."""
    while connection.recv(4096):
        pass


def engine(limits: Limits = FREE) -> NetworkEngine:
    """An engine that may ask loopback."""
    return NetworkEngine(limits, allow_net=LOOPBACK, turn_ms=TURN_MS)


def ask(*queries: Query, limits: Limits = FREE) -> list[Attempt]:
    """All attempts of the queries, in the order in which they came."""
    with engine(limits) as running:
        attempts = drain(running, queries)
    last_tags = [attempt.tag for attempt in attempts if attempt.last]
    assert sorted(last_tags) == sorted(query.tag for query in queries)
    return attempts


def drain(running: NetworkEngine, queries: Sequence[Query] = ()) -> list[Attempt]:
    """Submit queries as there is credit, and take attempts until nothing is pending."""
    attempts: list[Attempt] = []
    while queries or running.pending:
        if queries:
            queries = queries[running.submit(queries) :]
        attempts += running.take()
    return attempts


def words(attempts: list[Attempt]) -> list[str]:
    """Each attempt as `<number> <transport> <status>`."""
    return [f"{a.attempt} {a.transport.name.lower()} {a.status.word}" for a in attempts]
