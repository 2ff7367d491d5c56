//! Addresses that no public name server can have: IANA's special-purpose registries as literals.
//!
//! Origin: IANA IPv4 and IPv6 Special-Purpose Address Registries as published on 2026-07-18 (RFC 6890, RFC 8190),
//! multicast (RFC 1112, RFC 4291 section 2.7), and RFC 4291 section 2.4: global unicast is 2000::/3, the rest of
//! IPv6 is reserved unless a registry row says otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

struct Block<A> {
    first: A,
    length: u32,
    name: &'static str,
    public: bool,
}

const fn v4(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    length: u32,
    name: &'static str,
    public: bool,
) -> Block<u32> {
    Block {
        first: u32::from_be_bytes([a, b, c, d]),
        length,
        name,
        public,
    }
}

/// `head` are the first four groups.
const fn v6(head: [u16; 4], length: u32, name: &'static str, public: bool) -> Block<u128> {
    let [a, b, c, d] = head;
    Block {
        first: Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_bits(),
        length,
        name,
        public,
    }
}

const fn v6_at(address: Ipv6Addr, length: u32, name: &'static str, public: bool) -> Block<u128> {
    Block {
        first: address.to_bits(),
        length,
        name,
        public,
    }
}

// Rows that IANA calls globally reachable stay in: they carve an exception out of a wider block (192.0.0.9 out of
// 192.0.0.0/24). Narrower blocks come before the wider ones that hold them.
const IPV4_BLOCKS: [Block<u32>; 26] = [
    v4(0, 0, 0, 0, 32, "This host on this network", false),
    v4(192, 0, 0, 8, 32, "IPv4 dummy address", false),
    v4(192, 0, 0, 9, 32, "Port Control Protocol Anycast", true),
    v4(
        192,
        0,
        0,
        10,
        32,
        "Traversal Using Relays around NAT Anycast",
        true,
    ),
    v4(192, 88, 99, 2, 32, "6a44-relay anycast address", false),
    v4(255, 255, 255, 255, 32, "Limited Broadcast", false),
    v4(192, 0, 0, 170, 31, "NAT64/DNS64 Discovery", false),
    v4(192, 0, 0, 0, 29, "IPv4 Service Continuity Prefix", false),
    v4(192, 0, 0, 0, 24, "IETF Protocol Assignments", false),
    v4(192, 0, 2, 0, 24, "Documentation (TEST-NET-1)", false),
    v4(192, 31, 196, 0, 24, "AS112-v4", true),
    v4(192, 52, 193, 0, 24, "AMT", true),
    v4(192, 88, 99, 0, 24, "Deprecated (6to4 Relay Anycast)", false),
    v4(192, 175, 48, 0, 24, "Direct Delegation AS112 Service", true),
    v4(198, 51, 100, 0, 24, "Documentation (TEST-NET-2)", false),
    v4(203, 0, 113, 0, 24, "Documentation (TEST-NET-3)", false),
    v4(169, 254, 0, 0, 16, "Link Local", false),
    v4(192, 168, 0, 0, 16, "Private-Use", false),
    v4(198, 18, 0, 0, 15, "Benchmarking", false),
    v4(172, 16, 0, 0, 12, "Private-Use", false),
    v4(100, 64, 0, 0, 10, "Shared Address Space", false),
    v4(0, 0, 0, 0, 8, "This network", false),
    v4(10, 0, 0, 0, 8, "Private-Use", false),
    v4(127, 0, 0, 0, 8, "Loopback", false),
    v4(224, 0, 0, 0, 4, "Multicast", false),
    v4(240, 0, 0, 0, 4, "Reserved", false),
];

const PCP: Ipv6Addr = Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 1);
const TURN: Ipv6Addr = Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 2);
const DNS_SD: Ipv6Addr = Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 3);
const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);

// 64:ff9b::/96, 2001::/32 and 2002::/16 carry IPv4 addresses: they are judged by those (see `carried`).
const IPV6_BLOCKS: [Block<u128>; 29] = [
    v6_at(Ipv6Addr::LOCALHOST, 128, "Loopback Address", false),
    v6_at(Ipv6Addr::UNSPECIFIED, 128, "Unspecified Address", false),
    v6_at(PCP, 128, "Port Control Protocol Anycast", true),
    v6_at(TURN, 128, "Traversal Using Relays around NAT Anycast", true),
    v6_at(
        DNS_SD,
        128,
        "DNS-SD Service Registration Protocol Anycast",
        true,
    ),
    v6_at(MAPPED, 96, "IPv4-mapped Address", false),
    v6([0x64, 0xff9b, 0, 0], 96, "IPv4-IPv6 Translat.", true),
    v6([0x100, 0, 0, 0], 64, "Discard-Only Address Block", false),
    v6([0x100, 0, 0, 1], 64, "Dummy IPv6 Prefix", false),
    v6([0x64, 0xff9b, 1, 0], 48, "IPv4-IPv6 Translat.", false),
    v6([0x2001, 2, 0, 0], 48, "Benchmarking", false),
    v6([0x2001, 4, 0x112, 0], 48, "AS112-v6", true),
    v6(
        [0x2620, 0x4f, 0x8000, 0],
        48,
        "Direct Delegation AS112 Service",
        true,
    ),
    v6([0x2001, 0, 0, 0], 32, "TEREDO", true),
    v6([0x2001, 3, 0, 0], 32, "AMT", true),
    v6([0x2001, 0xdb8, 0, 0], 32, "Documentation", false),
    v6(
        [0x2001, 0x10, 0, 0],
        28,
        "Deprecated (previously ORCHID)",
        false,
    ),
    v6([0x2001, 0x20, 0, 0], 28, "ORCHIDv2", true),
    v6(
        [0x2001, 0x30, 0, 0],
        28,
        "Drone Remote ID Protocol Entity Tags (DETs) Prefix",
        true,
    ),
    v6([0x2001, 0, 0, 0], 23, "IETF Protocol Assignments", false),
    v6([0x3fff, 0, 0, 0], 20, "Documentation", false),
    v6([0x2002, 0, 0, 0], 16, "6to4", true),
    v6([0x5f00, 0, 0, 0], 16, "Segment Routing (SRv6) SIDs", false),
    v6([0xfe80, 0, 0, 0], 10, "Link-Local Unicast", false),
    v6(
        [0xfec0, 0, 0, 0],
        10,
        "Site-Local Unicast (deprecated)",
        false,
    ),
    v6([0xff00, 0, 0, 0], 8, "Multicast", false),
    v6([0xfc00, 0, 0, 0], 7, "Unique-Local", false),
    v6([0x2000, 0, 0, 0], 3, "Global Unicast", true),
    v6([0, 0, 0, 0], 0, "Reserved by IETF", false),
];

/// Why an address is not a public unicast one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What the address carries inside: an IPv4 address "NAT64", "6to4" or "Teredo"; None if it is special itself.
    pub carrier: Option<&'static str>,
    /// The registry's word, such as "Private-Use".
    pub block: &'static str,
}

/// Why `address` is not a public unicast address; None if it is one.
///
/// An address that carries IPv4 (NAT64, 6to4, Teredo) is special when one of those is.
pub fn special_purpose(address: IpAddr) -> Option<Reason> {
    match address {
        IpAddr::V4(address) => special_v4(address).map(|block| Reason {
            carrier: None,
            block,
        }),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let number = address.to_bits();
    let block = IPV4_BLOCKS
        .iter()
        .find(|block| (number ^ block.first) >> (32 - block.length) == 0)?;
    (!block.public).then_some(block.name)
}

fn special_v6(address: Ipv6Addr) -> Option<Reason> {
    let number = address.to_bits();
    let inside = |block: &&Block<u128>| {
        (number ^ block.first)
            .checked_shr(128 - block.length)
            .is_none_or(|rest| rest == 0)
    };
    let block = IPV6_BLOCKS.iter().find(inside)?;
    if !block.public {
        return Some(Reason {
            carrier: None,
            block: block.name,
        });
    }
    let (carrier, inner) = carried(number)?;
    inner.into_iter().find_map(special_v4).map(|block| Reason {
        carrier: Some(carrier),
        block,
    })
}

/// The IPv4 addresses in a NAT64 (RFC 6052), 6to4 (RFC 3056) or Teredo (RFC 4380 section 4) address.
fn carried(number: u128) -> Option<(&'static str, [Ipv4Addr; 2])> {
    let at = |shift: u32| Ipv4Addr::from_bits((number >> shift) as u32);
    if number >> 32 == 0x0064_ff9b << 64 {
        Some(("NAT64", [at(0); 2]))
    } else if number >> 112 == 0x2002 {
        Some(("6to4", [at(80); 2]))
    } else if number >> 96 == 0x2001_0000 {
        let client = Ipv4Addr::from_bits(!(number as u32));
        Some(("Teredo", [at(64), client]))
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn narrower_blocks_come_first() {
        for (at, block) in IPV4_BLOCKS.iter().enumerate() {
            assert!(IPV4_BLOCKS
                .iter()
                .skip(at)
                .all(|later| later.length <= block.length));
        }
        for (at, block) in IPV6_BLOCKS.iter().enumerate() {
            assert!(IPV6_BLOCKS
                .iter()
                .skip(at)
                .all(|later| later.length <= block.length));
        }
    }

    #[test]
    fn blocks_end_where_the_registry_says() {
        let word = |text: &str| special_purpose(text.parse().unwrap()).map(|reason| reason.block);
        assert_eq!(word("9.255.255.255"), None);
        assert_eq!(word("10.0.0.0"), Some("Private-Use"));
        assert_eq!(word("192.0.0.9"), None);
        assert_eq!(word("192.0.0.11"), Some("IETF Protocol Assignments"));
        assert_eq!(word("2001:4860::8888"), None);
        assert_eq!(word("4000::1"), Some("Reserved by IETF"));
        assert_eq!(word("::ffff:198.41.0.4"), Some("IPv4-mapped Address"));
        let six = special_purpose("2002:7f00:1::".parse().unwrap()).unwrap();
        assert_eq!((six.carrier, six.block), (Some("6to4"), "Loopback"));
        assert_eq!(word("64:ff9b::8.8.8.8"), None);
        assert_eq!(word("64:ff9b::10.8.8.8"), Some("Private-Use"));
    }
}
