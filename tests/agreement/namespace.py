"""A lab world at its servers' real addresses, port 53, in a network namespace of its own (`unshare -n`).

Nothing can leave: the namespace has only its loopback interface.
"""

from __future__ import annotations

import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Collection

from gnomon.base import ROOT, Address, Transport
from gnomon.base.codes import DNSKEY
from gnomon.lab import World
from gnomon.lab.faults import Closed
from gnomon.wire import Edns, Message, rdata
from gnomon.wire.compose import query
from gnomon.wire.presentation import rdata_text


def enter() -> None:
    """Bring the loopback interface up; ends the program where the network is not a namespace of its own."""
    if [name for _, name in socket.if_nameindex()] != ["lo"]:
        sys.exit("this is not a network namespace of its own: run it with unshare -n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def hint_lines(world: World) -> str:
    lines = []
    for name, addresses in world.hints().items():
        lines.append(f". 3600000 IN NS {name}\n")
        lines += [f"{name} 3600000 IN {'A' if a.version == 4 else 'AAAA'} {a}\n" for a in addresses]
    return "".join(lines)


def root_keys(world: World) -> str:
    """The root's key signing keys as a master file."""
    address = next(iter(world.hints().values()))[0]
    reply = world.respond(address, Transport.TCP, query(ROOT, DNSKEY, edns=Edns(1232, 0, 0x8000, ())))
    assert not isinstance(reply, Closed)
    keys = [record.rdata for record in Message(reply[0]).answer if record.rtype == DNSKEY]
    return "".join(f". 3600 IN DNSKEY {rdata_text(DNSKEY, key)}\n" for key in keys if rdata.dnskey(key).is_sep)


class Server:
    """Answers for all servers of a world at their own addresses, port 53, until it is closed."""

    def __init__(self, world: World, elsewhere: Collection[Address] = ()) -> None:
        """`elsewhere` are addresses for which somebody else answers; they are set up all the same."""
        self._world = world
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        self._wake, wake = socket.socketpair()
        self._selector.register(wake, selectors.EVENT_READ, None)
        self._sockets.append(wake)
        self._added: list[Address] = []
        for address in world.zones_at:
            bits = 32 if address.version == 4 else 128
            subprocess.run(["ip", "addr", "add", f"{address}/{bits}", "dev", "lo"], check=False, capture_output=True)
            self._added.append(address)
        for address in world.zones_at:
            if address in elsewhere:
                continue
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                one = socket.socket(family, kind)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bind(one, str(address))
                if kind == socket.SOCK_STREAM:
                    one.listen()
                one.setblocking(False)
                self._selector.register(one, selectors.EVENT_READ, address)
                self._sockets.append(one)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                one = key.fileobj
                assert isinstance(one, socket.socket)
                try:
                    if one.type == socket.SOCK_DGRAM:
                        asked, peer = one.recvfrom(65535)
                        reply = self._world.respond(key.data, Transport.UDP, asked)
                        for octets in [] if isinstance(reply, Closed) else reply:
                            one.sendto(octets, peer)
                    else:
                        connection, _ = one.accept()
                        threading.Thread(target=self._tcp, args=(connection, key.data), daemon=True).start()
                except OSError:
                    continue

    def _tcp(self, connection: socket.socket, address: Address) -> None:
        with connection:
            connection.settimeout(5)
            try:
                while len(size := connection.recv(2, socket.MSG_WAITALL)) == 2:
                    asked = connection.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL)
                    reply = self._world.respond(address, Transport.TCP, asked)
                    if isinstance(reply, Closed):
                        return
                    for octets in reply:
                        connection.sendall(len(octets).to_bytes(2, "big") + octets)
            except OSError:
                return

    def close(self) -> None:
        self._wake.close()
        self._thread.join()
        for one in self._sockets:
            one.close()
        for address in self._added:
            bits = 32 if address.version == 4 else 128
            subprocess.run(["ip", "addr", "del", f"{address}/{bits}", "dev", "lo"], check=False, capture_output=True)


def bind(one: socket.socket, address: str) -> None:
    """IPv6 addresses take a moment until they may be used."""
    for _ in range(100):
        try:
            one.bind((address, 53))
        except OSError:
            time.sleep(0.02)
        else:
            return
    one.bind((address, 53))
