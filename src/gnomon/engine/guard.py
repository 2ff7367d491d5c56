"""Addresses that no query may leave for, whatever a zone says: what is not a public unicast destination."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from gnomon.base import Address

# IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) of 2026-07-18: the blocks that are not globally
# reachable and, without a name, those within them that are; but anycast addresses of local infrastructure
# (192.0.0.9, 2001:1::1 ...) stay refused. Multicast: RFC 5771, RFC 4291 section 2.7. The longest prefix decides.
_BLOCKS: tuple[tuple[str, str | None], ...] = (
    ("0.0.0.0/8", "This network"),
    ("10.0.0.0/8", "Private-Use"),
    ("100.64.0.0/10", "Shared Address Space"),
    ("127.0.0.0/8", "Loopback"),
    ("169.254.0.0/16", "Link Local"),
    ("172.16.0.0/12", "Private-Use"),
    ("192.0.0.0/24", "IETF Protocol Assignments"),
    ("192.0.0.0/29", "IPv4 Service Continuity Prefix"),
    ("192.0.0.8/32", "IPv4 dummy address"),
    ("192.0.0.9/32", "Port Control Protocol Anycast"),
    ("192.0.0.10/32", "Traversal Using Relays around NAT Anycast"),
    ("192.0.0.170/31", "NAT64/DNS64 Discovery"),
    ("192.0.2.0/24", "Documentation (TEST-NET-1)"),
    ("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)"),
    ("192.168.0.0/16", "Private-Use"),
    ("198.18.0.0/15", "Benchmarking"),
    ("198.51.100.0/24", "Documentation (TEST-NET-2)"),
    ("203.0.113.0/24", "Documentation (TEST-NET-3)"),
    ("224.0.0.0/4", "Multicast"),
    ("240.0.0.0/4", "Reserved"),
    ("255.255.255.255/32", "Limited Broadcast"),
    # Outside 2000::/3 nothing is global unicast (IANA IPv6 Address Space), except the NAT64 prefix.
    ("::/3", "Reserved by IETF"),
    ("::/128", "Unspecified Address"),
    ("::1/128", "Loopback Address"),
    ("::ffff:0:0/96", "IPv4-mapped Address"),
    ("64:ff9b::/96", None),
    ("64:ff9b:1::/48", "IPv4-IPv6 Translat."),
    ("100::/64", "Discard-Only Address Block"),
    ("100:0:0:1::/64", "Dummy IPv6 Prefix"),
    ("2001::/23", "IETF Protocol Assignments"),
    ("2001::/32", None),
    ("2001:1::1/128", "Port Control Protocol Anycast"),
    ("2001:1::2/128", "Traversal Using Relays around NAT Anycast"),
    ("2001:1::3/128", "DNS-SD Service Registration Protocol Anycast"),
    ("2001:2::/48", "Benchmarking"),
    ("2001:3::/32", None),
    ("2001:4:112::/48", None),
    ("2001:10::/28", "Deprecated (previously ORCHID)"),
    ("2001:20::/28", None),
    ("2001:30::/28", None),
    ("2001:db8::/32", "Documentation"),
    ("3fff::/20", "Documentation"),
    ("4000::/2", "Reserved by IETF"),
    ("8000::/1", "Reserved by IETF"),
    ("5f00::/16", "Segment Routing (SRv6) SIDs"),
    ("fc00::/7", "Unique-Local"),
    ("fe80::/10", "Link-Local Unicast"),
    ("ff00::/8", "Multicast"),
)


def _table(version: int) -> tuple[tuple[int, int, str | None], ...]:
    """(mask, network, name) of one family, longest prefix first."""
    networks = [(ip_network(block), name) for block, name in _BLOCKS]
    chosen = [(net, name) for net, name in networks if net.version == version]
    chosen.sort(key=lambda row: -row[0].prefixlen)
    return tuple((int(net.netmask), int(net.network_address), name) for net, name in chosen)


_V4 = _table(4)
_V6 = _table(6)


def special_purpose(address: Address) -> str | None:
    """The name of the special-purpose block that `address` is in, or None for an ordinary public address.

    An IPv6 address that carries an IPv4 address to which it would lead (NAT64, RFC 6052; 6to4, RFC 3056; Teredo,
    RFC 4380) is as special as that one.
    """
    value = int(address)
    for mask, network, name in _V4 if address.version == 4 else _V6:
        if value & mask == network:
            if name is not None:
                return name
            break
    if isinstance(address, IPv4Address):
        return None
    for inner in _carried(address):
        name = special_purpose(inner)
        if name is not None:
            return name
    return None


def _carried(address: IPv6Address) -> tuple[IPv4Address, ...]:
    value = int(address)
    if value >> 32 == 0x64FF9B << 64:
        return (IPv4Address(value & 0xFFFF_FFFF),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    return address.teredo or ()
