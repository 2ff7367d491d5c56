from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.base.special import special_purpose


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("192.0.2.1", "Documentation (TEST-NET-1)"),
        ("10.255.255.255", "Private-Use"),
        ("172.31.0.1", "Private-Use"),
        ("172.32.0.1", None),
        ("127.0.0.1", "Loopback"),
        ("0.0.0.0", "This host on this network"),
        ("0.1.2.3", "This network"),
        ("192.0.0.8", "IPv4 dummy address"),
        ("192.0.0.9", None),
        ("192.0.0.171", "NAT64/DNS64 Discovery"),
        ("192.0.0.200", "IETF Protocol Assignments"),
        ("192.175.48.6", None),
        ("198.41.0.4", None),
        ("224.0.0.1", "Multicast"),
        ("239.255.255.255", "Multicast"),
        ("240.0.0.1", "Reserved"),
        ("255.255.255.255", "Limited Broadcast"),
        ("::", "Unspecified Address"),
        ("::1", "Loopback Address"),
        ("::198.41.0.4", "Reserved by IETF"),
        ("::ffff:198.41.0.4", "IPv4-mapped Address"),
        ("64:ff9b::198.41.0.4", None),
        ("64:ff9b::10.0.0.1", "NAT64 of Private-Use"),
        ("64:ff9b:1::1", "IPv4-IPv6 Translat."),
        ("2002:c629:4::1", None),
        ("2002:7f00:1::", "6to4 of Loopback"),
        ("2001:0:c629:4:0:0:3fff:fdfe", "Teredo of Documentation (TEST-NET-1)"),
        ("2001:0:a00:1::39d6:fffb", "Teredo of Private-Use"),
        ("2001:0:c629:4::39d6:fffb", None),
        ("2001:1::1", None),
        ("2001:1::9", "IETF Protocol Assignments"),
        ("2001:500:2::c", None),
        ("2001:db8::1", "Documentation"),
        ("3fff:fff::1", "Documentation"),
        ("fd00::1", "Unique-Local"),
        ("fe80::1%eth0", "Link-Local Unicast"),
        ("ff02::1", "Multicast"),
        ("4000::1", "Reserved by IETF"),
    ],
)
def test_blocks_and_their_exceptions(text: str, reason: str | None) -> None:
    assert special_purpose(ip_address(text)) == reason


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_when_it_is_carried(address: IPv4Address) -> None:
    inner = special_purpose(address)
    assert special_purpose(IPv6Address((0x0064FF9B << 96) | int(address))) == (inner and f"NAT64 of {inner}")
    assert special_purpose(IPv6Address((0x2002 << 112) | (int(address) << 80))) == (inner and f"6to4 of {inner}")
    assert special_purpose(IPv6Address((0xFFFF << 32) | int(address))) == "IPv4-mapped Address"


@given(st.ip_addresses())
def test_what_is_called_public_is_ordinary_unicast(address: IPv4Address | IPv6Address) -> None:
    if special_purpose(address) is None:
        assert not address.is_multicast and not address.is_loopback
        assert not address.is_link_local and not address.is_unspecified
