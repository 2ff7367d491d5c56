"""Queries with their responses: what captures have as messages, and evidence as exchanges."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from gnomon.base import Address
from gnomon.capture.heard import Heard, Skipped
from gnomon.engine import Status
from gnomon.evidence import Exchange, server_subject

ASK = "HEARD"
"""The `ask` of an exchange that a capture gave: no question of a plan."""

# Evidence does not have our own address: documentation addresses (RFC 5737, RFC 3849) stand for it in captures.
_WE_V4, _WE_V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
_WAITING_MAX = 100_000
_WAIT_NS = 30 * 10**9


def exchanges_of(messages: Iterable[Heard], vantage: str, skipped: Skipped) -> Iterator[Exchange]:
    """An exchange for each query, with the response that has its addresses, ports, ID and (if any) question.

    A query whose response does not come within 30 s, or while 100,000 later ones wait, ends as a timeout; a response
    without a query is counted only.
    """
    waiting: OrderedDict[tuple[object, ...], Heard] = OrderedDict()
    seq = 0
    for heard in messages:
        if len(heard.octets) < 12:
            skipped["messages shorter than a header"] += 1
            continue
        if not heard.is_response:
            key = _key(heard.source, heard.source_port, heard.destination, heard.destination_port, heard)
            before = waiting.pop(key, None)
            waiting[key] = heard
            late = [] if before is None else [before]
            while waiting:
                oldest = next(iter(waiting))
                if len(waiting) <= _WAITING_MAX and heard.at_ns - waiting[oldest].at_ns < _WAIT_NS:
                    break
                late.append(waiting.pop(oldest))
            for query in late:
                yield _exchange(seq, query, None, vantage)
                seq += 1
            continue
        key = _key(heard.destination, heard.destination_port, heard.source, heard.source_port, heard)
        asked, question = waiting.get(key), _question(heard.octets)
        if asked is None or question not in (b"", _question(asked.octets)):
            skipped["responses without their query"] += 1
            continue
        del waiting[key]
        yield _exchange(seq, asked, heard, vantage)
        seq += 1
    for query in waiting.values():
        yield _exchange(seq, query, None, vantage)
        seq += 1


def messages_of(exchanges: Iterable[Exchange]) -> Iterator[Heard]:
    """The messages of recorded exchanges: the query if it was sent, then what came back."""
    for x in exchanges:
        if x.status.is_unsent or x.status in (Status.LOCAL_ERROR, Status.SECURED):
            continue
        we: Address = _WE_V4 if x.address.version == 4 else _WE_V6
        yield Heard(x.sent_at_ns, we, x.local_port, x.address, x.port, x.transport, x.query)
        if x.response is not None:
            at_ns = x.sent_at_ns + (x.rtt_us or 0) * 1000
            yield Heard(at_ns, x.address, x.port, we, x.local_port, x.transport, x.response)


def _key(client: Address, client_port: int, server: Address, server_port: int, heard: Heard) -> tuple[object, ...]:
    return client, client_port, server, server_port, heard.transport, heard.octets[:2]


def _question(octets: bytes) -> bytes:
    """The octets of the first question in lower case; empty where there is none, as in some error responses."""
    at = 12
    if octets[4:6] == b"\x00\x00":
        return b""
    while at < len(octets) and 0 < octets[at] < 64:
        at += 1 + octets[at]
    return octets[12 : at + 5].lower()


def _exchange(seq: int, query: Heard, response: Heard | None, vantage: str) -> Exchange:
    address = ip_address(str(query.destination).partition("%")[0])
    rtt_us = None if response is None else min(max(response.at_ns - query.at_ns, 0) // 1000, 0xFFFFFFFF)
    return Exchange(
        seq=seq,
        subject=server_subject(address),
        ask=ASK,
        server_name=None,
        address=address,
        port=query.destination_port,
        transport=query.transport,
        attempt=1,
        sent_at_ns=query.at_ns,
        rtt_us=rtt_us,
        local_port=query.source_port,
        status=Status.TIMEOUT if response is None else Status.ANSWERED,
        os_error=0,
        query=query.octets,
        response=None if response is None else response.octets,
        vantage=vantage,
    )
