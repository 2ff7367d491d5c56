"""Answers late: passes what comes to port 53 of each address on to another port there, and back after a time.

    python benchmarks/delayed.py MILLISECONDS PORT ADDRESS...

Takes the place of a network with that round-trip time where the kernel has no netem.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable


class Late(asyncio.DatagramProtocol):
    """The side of the clients: one socket towards the server for each datagram."""

    def __init__(self, address: str, port: int, delay_s: float) -> None:
        self.address, self.port, self.delay_s = address, port, delay_s
        self.running: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self.ask(data, client))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def ask(self, data: bytes, client: tuple[str, int]) -> None:
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
        make: Callable[[], asyncio.DatagramProtocol] = lambda: Towards(done)  # noqa: E731
        transport, _ = await loop.create_datagram_endpoint(make, remote_addr=(self.address, self.port))
        transport.sendto(data)
        try:
            answer = await asyncio.wait_for(done, 5)
            loop.call_later(self.delay_s, self.transport.sendto, answer, client)  # type: ignore[attr-defined]
        except (TimeoutError, OSError):
            pass
        finally:
            transport.close()


class Towards(asyncio.DatagramProtocol):
    def __init__(self, done: asyncio.Future[bytes]) -> None:
        self.done = done

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.done.done():
            self.done.set_result(data)


async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int, s: float) -> None:
    """One TCP connection: setting it up takes a round trip, and so does each answer."""
    await asyncio.sleep(s)
    to_reader, to_writer = await asyncio.open_connection(address, port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, late_s: float) -> None:
        while data := await source.read(65_536):
            await asyncio.sleep(late_s)
            sink.write(data)
            await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, to_writer, 0), pump(to_reader, writer, s), return_exceptions=True)


async def main() -> None:
    delay_s, port = float(sys.argv[1]) / 1000, int(sys.argv[2])
    loop = asyncio.get_running_loop()
    for address in sys.argv[3:]:
        await loop.create_datagram_endpoint(lambda a=address: Late(a, port, delay_s), local_addr=(address, 53))  # type: ignore[misc]
        await asyncio.start_server(lambda r, w, a=address: stream(r, w, a, port, delay_s), address, 53)  # type: ignore[misc]
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
