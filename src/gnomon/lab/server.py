"""Serving a world on loopback: every server at its own address in 127/8, one port, UDP and TCP, one process.

Nothing outside this host can reach it: the sockets are bound to the loopback interface where the system allows it,
and what was not sent to 127/8 is dropped in any case.

As a program (for `gnomon.lab.process`): `python -m gnomon.lab.server DIR PORT` prints the port once it answers, and
stops when its standard input ends.
"""

from __future__ import annotations

import gc
import heapq
import selectors
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from gnomon.base import Address, InputError, Transport
from gnomon.lab.faults import Closed
from gnomon.lab.spec import DAY_S
from gnomon.lab.store import load
from gnomon.lab.world import World

_PKTINFO = struct.Struct("=i4s4s")  # struct in_pktinfo of ip(7): interface, local address, destination in the header
_IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
_NO_LINGER = struct.pack("ii", 1, 0)  # close() then resets the connection
_UDP_BUFFER_OCTETS = 8 << 20
_DATAGRAMS_PER_TURN = 256
_CONNECTIONS_MAX = 2_000
_IDLE_S = 10.0
_FRAME_OCTETS_MAX = 4_096  # no query is longer


def serve(world: World, port: int, *, ready: Callable[[int], None] | None = None, until: int | None = None) -> None:
    """Answer until SIGTERM or SIGINT; the world's clock is set to the present.

    Args:
        port: UDP and TCP port on all mapped loopback addresses; 0 for any that is free.
        ready: called with the port once queries are answered.
        until: a file descriptor; serving also ends when it becomes readable or is closed at the other end.

    Raises:
        InputError: the port is taken or not allowed.
    """
    world.set_clock(int(time.time()))
    udp, tcp = _open_sockets(port)
    server = _Server(world, udp, tcp)
    previous = {}
    if threading.current_thread() is threading.main_thread():

        def stop(number: int, frame: FrameType | None) -> None:
            server.stopping = True

        previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        if until is not None:
            server.watch(until)
        if ready is not None:
            ready(udp.getsockname()[1])
        server.run()
    finally:
        server.close()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _open_sockets(port: int) -> tuple[socket.socket, socket.socket]:
    """The UDP socket and the listening TCP socket, of one port."""
    for attempt in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            udp.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER_OCTETS)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UDP_BUFFER_OCTETS)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for sock in (udp, tcp):
                with suppress(OSError):  # not allowed: what is not for 127/8 is dropped all the same
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
                sock.setblocking(False)
            udp.bind(("0.0.0.0", port))
            tcp.bind(("0.0.0.0", udp.getsockname()[1]))
            tcp.listen(1024)
            return udp, tcp
        except OSError as error:
            udp.close()
            tcp.close()
            # Port 0: the port that is free for UDP may be taken for TCP.
            if port != 0 or attempt == 19:
                raise InputError(f"the lab cannot serve on port {port}: {error.strerror}; choose another one") from None
    raise AssertionError("unreachable")


@dataclass(slots=True, eq=False)
class _Connection:
    sock: socket.socket
    address: Address
    last_s: float
    received: bytearray = field(default_factory=bytearray)
    to_send: bytearray = field(default_factory=bytearray)


class _Server:
    def __init__(self, world: World, udp: socket.socket, tcp: socket.socket) -> None:
        self.stopping = False
        self._world = world
        self._udp, self._tcp = udp, tcp
        self._real = {local.packed: real for real, local in world.loopback.items()}
        self._slow = {real for real in world.loopback if world.rtt_us(real) >= 100_000}
        self._late: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._connections: set[_Connection] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(udp, selectors.EVENT_READ, self._read_datagrams)
        self._selector.register(tcp, selectors.EVENT_READ, self._accept)

    def watch(self, descriptor: int) -> None:
        """Stop once this descriptor becomes readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, self._stop)

    def run(self) -> None:
        swept_s = time.monotonic()
        while not self.stopping:
            now_s = time.monotonic()
            timeout_s = max(0.0, self._late[0][0] - now_s) if self._late else 1.0
            for key, _ in self._selector.select(min(timeout_s, 1.0)):
                key.data()
            now_s = time.monotonic()
            while self._late and self._late[0][0] <= now_s:
                heapq.heappop(self._late)[2]()
            if now_s - swept_s > 1.0:
                swept_s = now_s
                self._sweep(now_s)

    def close(self) -> None:
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.close()
        self._udp.close()
        self._tcp.close()

    def _stop(self) -> None:
        self.stopping = True

    def _sweep(self, now_s: float) -> None:
        for connection in [c for c in self._connections if now_s - c.last_s > _IDLE_S]:
            self._drop(connection)
        if time.time() - self._world.clock_s > DAY_S:
            self._world.set_clock(int(time.time()))

    def _later(self, address: Address, action: Callable[[], None]) -> None:
        self._sequence += 1
        at_s = time.monotonic() + self._world.rtt_us(address) / 1e6
        heapq.heappush(self._late, (at_s, self._sequence, action))

    # UDP

    def _read_datagrams(self) -> None:
        recvmsg, send, respond, real, slow = (
            self._udp.recvmsg, self._send, self._world.respond, self._real, self._slow,
        )  # fmt: skip
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                octets, ancillary, _, source = recvmsg(4096, 64)
            except (BlockingIOError, InterruptedError):
                return
            local = ancillary[0][2][8:12] if ancillary else b""
            address = real.get(local)
            if address is None:
                continue
            reply = respond(address, Transport.UDP, octets)
            if isinstance(reply, Closed):
                continue
            for message in reply:
                if address in slow:
                    self._later(address, partial(send, message, source, local))
                else:
                    send(message, source, local)

    def _send(self, message: bytes, source: tuple[str, int], local: bytes) -> None:
        control = (socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO.pack(0, local, local))
        # A full buffer or a vanished client is a lost datagram.
        with suppress(OSError):
            self._udp.sendmsg((message,), (control,), 0, source)

    # TCP

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._tcp.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                return
            sock.setblocking(False)
            address = self._real.get(socket.inet_aton(sock.getsockname()[0]))
            if address is None or len(self._connections) >= _CONNECTIONS_MAX:
                sock.close()
                continue
            connection = _Connection(sock, address, time.monotonic())
            self._connections.add(connection)
            self._selector.register(sock, selectors.EVENT_READ, partial(self._drive, connection))

    def _drive(self, connection: _Connection) -> None:
        connection.last_s = time.monotonic()
        try:
            if connection.to_send:
                self._flush(connection)
            octets = connection.sock.recv(65_536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            octets = b""
        if not octets:
            self._drop(connection)
            return
        connection.received += octets
        while len(connection.received) >= 2 and connection in self._connections:
            end = 2 + int.from_bytes(connection.received[:2], "big")
            if end > _FRAME_OCTETS_MAX:
                self._drop(connection)
                return
            if len(connection.received) < end:
                return
            query = bytes(connection.received[2:end])
            del connection.received[:end]
            self._reply(connection, query)

    def _reply(self, connection: _Connection, query: bytes) -> None:
        reply = self._world.respond(connection.address, Transport.TCP, query)
        if isinstance(reply, Closed):
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._drop(connection)
            return
        octets = b"".join(len(message).to_bytes(2, "big") + message for message in reply)
        if connection.address in self._slow:
            self._later(connection.address, partial(self._write, connection, octets))
        elif octets:
            self._write(connection, octets)

    def _write(self, connection: _Connection, octets: bytes) -> None:
        if connection not in self._connections:
            return
        connection.to_send += octets
        try:
            self._flush(connection)
        except OSError:
            self._drop(connection)

    def _flush(self, connection: _Connection) -> None:
        with suppress(BlockingIOError, InterruptedError):
            sent = connection.sock.send(connection.to_send)
            del connection.to_send[:sent]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.to_send else 0)
        key = self._selector.get_key(connection.sock)
        if key.events != events:
            self._selector.modify(connection.sock, events, key.data)

    def _drop(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.sock)
        connection.sock.close()


def main(directory: str, port: str) -> None:
    """Serve the world in a directory until standard input ends."""
    try:
        world = load(Path(directory))
        # What was loaded stays for good; the collector need not look at it again.
        gc.freeze()
        serve(world, int(port), ready=lambda chosen: print(chosen, flush=True), until=sys.stdin.fileno())
    except InputError as error:
        print(f"error: {error}", flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main(*sys.argv[1:])
