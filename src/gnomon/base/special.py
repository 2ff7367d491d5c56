"""Addresses that no public name server can have: IANA's special-purpose registries as literals.

Origin: IANA IPv4 and IPv6 Special-Purpose Address Registries as published on 2026-07-18 (RFC 6890, RFC 8190),
multicast (RFC 1112, RFC 4291 section 2.7), and RFC 4291 section 2.4: global unicast is 2000::/3, the rest of
IPv6 is reserved unless a registry row says otherwise.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network

from gnomon.base.address import Address

# (block, name, globally reachable). Rows that IANA calls globally reachable stay in: they carve an exception
# out of a wider block (192.0.0.9 out of 192.0.0.0/24).
_IPV4_BLOCKS = (
    ("0.0.0.0/8", "This network", False),
    ("0.0.0.0/32", "This host on this network", False),
    ("10.0.0.0/8", "Private-Use", False),
    ("100.64.0.0/10", "Shared Address Space", False),
    ("127.0.0.0/8", "Loopback", False),
    ("169.254.0.0/16", "Link Local", False),
    ("172.16.0.0/12", "Private-Use", False),
    ("192.0.0.0/24", "IETF Protocol Assignments", False),
    ("192.0.0.0/29", "IPv4 Service Continuity Prefix", False),
    ("192.0.0.8/32", "IPv4 dummy address", False),
    ("192.0.0.9/32", "Port Control Protocol Anycast", True),
    ("192.0.0.10/32", "Traversal Using Relays around NAT Anycast", True),
    ("192.0.0.170/31", "NAT64/DNS64 Discovery", False),
    ("192.0.2.0/24", "Documentation (TEST-NET-1)", False),
    ("192.31.196.0/24", "AS112-v4", True),
    ("192.52.193.0/24", "AMT", True),
    ("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", False),
    ("192.88.99.2/32", "6a44-relay anycast address", False),
    ("192.168.0.0/16", "Private-Use", False),
    ("192.175.48.0/24", "Direct Delegation AS112 Service", True),
    ("198.18.0.0/15", "Benchmarking", False),
    ("198.51.100.0/24", "Documentation (TEST-NET-2)", False),
    ("203.0.113.0/24", "Documentation (TEST-NET-3)", False),
    ("224.0.0.0/4", "Multicast", False),
    ("240.0.0.0/4", "Reserved", False),
    ("255.255.255.255/32", "Limited Broadcast", False),
)
# 64:ff9b::/96, 2001::/32 and 2002::/16 carry IPv4 addresses: they are judged by those (see `_carried`).
_IPV6_BLOCKS = (
    ("::/0", "Reserved by IETF", False),
    ("2000::/3", "Global Unicast", True),
    ("::1/128", "Loopback Address", False),
    ("::/128", "Unspecified Address", False),
    ("::ffff:0:0/96", "IPv4-mapped Address", False),
    ("64:ff9b::/96", "IPv4-IPv6 Translat.", True),
    ("64:ff9b:1::/48", "IPv4-IPv6 Translat.", False),
    ("100::/64", "Discard-Only Address Block", False),
    ("100:0:0:1::/64", "Dummy IPv6 Prefix", False),
    ("2001::/23", "IETF Protocol Assignments", False),
    ("2001::/32", "TEREDO", True),
    ("2001:1::1/128", "Port Control Protocol Anycast", True),
    ("2001:1::2/128", "Traversal Using Relays around NAT Anycast", True),
    ("2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", True),
    ("2001:2::/48", "Benchmarking", False),
    ("2001:3::/32", "AMT", True),
    ("2001:4:112::/48", "AS112-v6", True),
    ("2001:10::/28", "Deprecated (previously ORCHID)", False),
    ("2001:20::/28", "ORCHIDv2", True),
    ("2001:30::/28", "Drone Remote ID Protocol Entity Tags (DETs) Prefix", True),
    ("2001:db8::/32", "Documentation", False),
    ("2002::/16", "6to4", True),
    ("2620:4f:8000::/48", "Direct Delegation AS112 Service", True),
    ("3fff::/20", "Documentation", False),
    ("5f00::/16", "Segment Routing (SRv6) SIDs", False),
    ("fc00::/7", "Unique-Local", False),
    ("fe80::/10", "Link-Local Unicast", False),
    ("fec0::/10", "Site-Local Unicast (deprecated)", False),
    ("ff00::/8", "Multicast", False),
)

_Range = tuple[int, int, str, bool]


def _narrowest_first(blocks: tuple[tuple[str, str, bool], ...]) -> tuple[_Range, ...]:
    networks = sorted(
        ((ip_network(block), name, public) for block, name, public in blocks), key=lambda b: -b[0].prefixlen
    )
    return tuple((int(net[0]), int(net[-1]), name, public) for net, name, public in networks)


_IPV4_RANGES = _narrowest_first(_IPV4_BLOCKS)
_IPV6_RANGES = _narrowest_first(_IPV6_BLOCKS)


@lru_cache(maxsize=1 << 16)
def special_purpose(address: Address) -> str | None:
    """Why `address` is not a public unicast address, in IANA's words ("Private-Use"); None if it is one.

    A zone identifier (`fe80::1%eth0`) is ignored. An address that carries IPv4 (NAT64, 6to4, Teredo)
    is special when one of those is: "6to4 of Private-Use".
    """
    number = int(address)
    ranges = _IPV4_RANGES if isinstance(address, IPv4Address) else _IPV6_RANGES
    for first, last, name, public in ranges:
        if first <= number <= last:
            if not public:
                return name
            break
    if isinstance(address, IPv6Address):
        for how, inner in _carried(number):
            reason = special_purpose(inner)
            if reason is not None:
                return f"{how} of {reason}"
    return None


def _carried(number: int) -> tuple[tuple[str, IPv4Address], ...]:
    """The IPv4 addresses in a NAT64 (RFC 6052), 6to4 (RFC 3056) or Teredo (RFC 4380 section 4) address."""
    if number >> 32 == 0x0064FF9B << 64:
        return (("NAT64", IPv4Address(number & 0xFFFFFFFF)),)
    if number >> 112 == 0x2002:
        return (("6to4", IPv4Address(number >> 80 & 0xFFFFFFFF)),)
    if number >> 96 == 0x20010000:
        server, client = number >> 64 & 0xFFFFFFFF, ~number & 0xFFFFFFFF
        return (("Teredo", IPv4Address(server)), ("Teredo", IPv4Address(client)))
    return ()
