"""Who is not asked, where from, and how much may wait."""

from __future__ import annotations

import errno
import socket
from collections import Counter
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from engine_servers import FREE, HOST, LOOPBACK, Send, Server, ask, drain, engine, message, reply

from gnomon.base import InputError, Name, Transport
from gnomon.engine import NetworkEngine, OptOut, Query, Status

OUT = OptOut(
    prefixes=(ip_network("127.0.0.2/32"), ip_network("2001:db8::/32")),
    servers=(Name.from_text("NS.Quiet.test."),),
    zones=(Name.from_text("private.test."),),
)


def test_who_opted_out_is_not_asked() -> None:
    with (
        Server() as asked,
        Server(host="127.0.0.2") as out,
        Server(host="127.0.0.3") as quiet,
        NetworkEngine(FREE, allow_net=LOOPBACK, opt_out=OUT) as running,
    ):
        queries = [
            asked.query(1),
            out.query(2),
            asked.query(3, name="a.PRIVATE.test."),
            asked.query(4, name="unprivate.test."),
            quiet.query(5)._replace(server_name=Name.from_text("ns.quiet.test.")),
            # The same address under another name, or none.
            quiet.query(6)._replace(server_name=Name.from_text("ns.other.test.")),
            quiet.query(7, transport=Transport.TCP),
        ]
        statuses = {attempt.tag: attempt.status for attempt in drain(running, queries)}
        assert not out.udp_queries and not quiet.udp_queries and not quiet.tcp_queries
    answered = {tag for tag, status in statuses.items() if status is Status.ANSWERED}
    assert answered == {1, 4}
    assert {statuses[tag] for tag in statuses if tag not in answered} == {Status.NOT_SENT_OPTOUT}


def test_the_real_address_counts_where_a_map_leads_elsewhere() -> None:
    real = ip_address("2001:db8::1")
    with Server() as server, NetworkEngine(FREE, opt_out=OUT, address_map={real: (HOST, server.port)}) as running:
        [attempt] = drain(running, [Query(1, real, message())])
        assert server.udp_queries == []
    assert attempt.status is Status.NOT_SENT_OPTOUT


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_queries_leave_from_the_local_address(transport: Transport) -> None:
    seen: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server((HOST, 0)) as tcp:
        udp.bind((HOST, 0))
        port = udp.getsockname()[1] if transport is Transport.UDP else tcp.getsockname()[1]
        with NetworkEngine(FREE, allow_net=LOOPBACK, local=[ip_address("127.0.0.7")]) as running:
            running.submit([Query(1, ip_address(HOST), message(), transport, port)])
            seen.append(udp.recvfrom(512)[1][0] if transport is Transport.UDP else tcp.accept()[1][0])
    assert seen == ["127.0.0.7"]


def test_a_local_address_must_be_ours() -> None:
    with pytest.raises(InputError, match="name an address of this host"):
        NetworkEngine(FREE, local=[ip_address("192.0.2.1")])
    with pytest.raises(InputError, match="at most one IPv4"):
        NetworkEngine(FREE, local=[ip_address("127.0.0.1"), ip_address("127.0.0.2")])


def test_what_waits_is_bounded_by_credit() -> None:
    """A million queries need no million of anything: what does not fit stays with the caller."""
    many = 70_000
    with Server() as server, engine() as running:
        queries = [server.query(tag, timeout_ms=30_000) for tag in range(many)]
        accepted = running.submit(queries)
        assert accepted == 65_536 and running.pending == 65_536
        assert running.submit(queries[accepted:]) == 0
        while running.pending == 65_536:
            running.take(100)
        assert running.submit(queries[accepted:]) > 0


def test_several_shards_keep_the_limits_of_each_network() -> None:
    hosts = [f"127.0.{net}.1" for net in range(1, 7)]
    most: Counter[str] = Counter()

    def holding(host: str) -> object:
        held: list[tuple[bytes, Send]] = []

        def on_udp(query: bytes, _: int, send: Send) -> None:
            held.append((query, send))
            most[host] = max(most[host], len(held))
            if len(held) == 2:
                while held:
                    old, old_send = held.pop()
                    old_send(reply(old))

        return on_udp

    servers = [Server(holding(host), host=host) for host in hosts]  # type: ignore[arg-type]
    for server in servers:
        server.__enter__()
    try:
        limits = replace(FREE, in_flight_per_prefix=2)
        with NetworkEngine(limits, allow_net=LOOPBACK, shards=3) as running:
            queries = [server.query(tag) for tag in range(40) for server in servers]
            attempts = drain(running, queries)
    finally:
        for server in servers:
            server.__exit__(None, None, None)
    assert Counter(attempt.status for attempt in attempts) == {Status.ANSWERED: 240}
    assert all(count == 2 for count in most.values())


def test_a_network_is_limited_as_a_whole() -> None:
    with Server() as one, Server(host="127.0.0.2") as two:
        queries = [server.query(tag * 2 + n) for tag in range(20) for n, server in enumerate((one, two))]
        attempts = ask(*queries, limits=replace(FREE, prefix_rate_qps=100.0, prefix_burst=1))
    sent = sorted(attempt.sent_at_ns for attempt in attempts)
    assert (sent[-1] - sent[0]) / 1e9 > 0.39 * 0.95


def test_what_this_host_cannot_send_is_a_local_error() -> None:
    """Nothing has left the host."""
    query = Query(1, ip_address("127.0.0.1"), message(), port=0)
    [attempt] = ask(query)
    assert attempt.status is Status.LOCAL_ERROR and attempt.os_error == errno.EINVAL
