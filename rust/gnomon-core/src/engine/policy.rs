//! Whom a query may go to at all: special-purpose addresses, operators that opted out, and the lab's own map.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use super::{matching, Status};
use crate::special::special_purpose;

/// The port of DNS over UDP and TCP (RFC 1035 section 4.2).
const DNS_PORT: u16 = 53;

/// An IP prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    first: IpAddr,
    length: u8,
}

impl Prefix {
    /// None if the length is too large for the address; bits after it do not count.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let most = if address.is_ipv4() { 32 } else { 128 };
        (length <= most).then_some(Self {
            first: address,
            length,
        })
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let length = u32::from(self.length);
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(other)) => (first.to_bits() ^ other.to_bits())
                .checked_shr(32 - length)
                .is_none_or(|rest| rest == 0),
            (IpAddr::V6(first), IpAddr::V6(other)) => (first.to_bits() ^ other.to_bits())
                .checked_shr(128 - length)
                .is_none_or(|rest| rest == 0),
            _ => false,
        }
    }
}

/// What is asked of whom, and by permission of whom. Names are uncompressed, their case does not matter.
#[derive(Debug, Default)]
pub struct Policy {
    /// Special-purpose addresses that may be asked all the same.
    allowed: Vec<Prefix>,
    opt_out_prefixes: Vec<Prefix>,
    /// Servers that are not asked, whatever the address: an address once met under such a name is not asked at all.
    opt_out_servers: HashSet<Vec<u8>>,
    /// No question about these zones or a name below them is sent to anybody.
    opt_out_zones: HashSet<Vec<u8>>,
    /// Lab: where queries for port 53 of an address really go, those for another port to that of the same target;
    /// then no others are sent. Loopback targets only.
    map: Option<HashMap<IpAddr, SocketAddr>>,
    /// Addresses met under the name of a server that opted out.
    opted_out: Mutex<HashSet<IpAddr>>,
}

impl Policy {
    pub fn new(
        allowed: Vec<Prefix>,
        opt_out_prefixes: Vec<Prefix>,
        opt_out_servers: impl IntoIterator<Item = Vec<u8>>,
        opt_out_zones: impl IntoIterator<Item = Vec<u8>>,
        map: Option<HashMap<IpAddr, SocketAddr>>,
    ) -> Self {
        let lower = |name: Vec<u8>| name.to_ascii_lowercase();
        Self {
            allowed,
            opt_out_prefixes,
            opt_out_servers: opt_out_servers.into_iter().map(lower).collect(),
            opt_out_zones: opt_out_zones.into_iter().map(lower).collect(),
            map,
            opted_out: Mutex::default(),
        }
    }

    /// Where a query goes, or why it is not sent. `server_name` is that under which the address was found, if any.
    pub fn target(
        &self,
        address: SocketAddr,
        server_name: Option<&[u8]>,
        wire: &[u8],
    ) -> Result<SocketAddr, Status> {
        let ip = address.ip();
        if self.is_opted_out(ip, server_name, wire) {
            return Err(Status::NotSentOptOut);
        }
        if let Some(map) = &self.map {
            let mut target = *map
                .get(&ip)
                .filter(|target| target.ip().is_loopback())
                .ok_or(Status::NotSentSpecial)?;
            if address.port() != DNS_PORT {
                target.set_port(address.port());
            }
            return Ok(target);
        }
        if special_purpose(ip).is_some() && !self.allowed.iter().any(|prefix| prefix.contains(ip)) {
            return Err(Status::NotSentSpecial);
        }
        Ok(address)
    }

    fn is_opted_out(&self, ip: IpAddr, server_name: Option<&[u8]>, wire: &[u8]) -> bool {
        if self
            .opt_out_prefixes
            .iter()
            .any(|prefix| prefix.contains(ip))
        {
            return true;
        }
        if !self.opt_out_servers.is_empty() {
            let mut met = self
                .opted_out
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let named = server_name.map(<[u8]>::to_ascii_lowercase);
            if named.is_some_and(|name| self.opt_out_servers.contains(&name)) {
                met.insert(ip);
            }
            if met.contains(&ip) {
                return true;
            }
        }
        !self.opt_out_zones.is_empty() && self.is_about_opted_out(wire)
    }

    /// True if the question is about an opted-out zone or a name below one.
    fn is_about_opted_out(&self, wire: &[u8]) -> bool {
        let Some(end) = matching::question_name_end(wire) else {
            return false;
        };
        let name = wire
            .get(matching::HEADER_OCTETS..end)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let mut rest = name.as_slice();
        loop {
            if self.opt_out_zones.contains(rest) {
                return true;
            }
            match rest.split_first() {
                Some((&length, after)) if length > 0 => {
                    rest = after.get(usize::from(length)..).unwrap_or_default();
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ROOT: &str = "198.41.0.4:53";

    fn prefix(text: &str, length: u8) -> Prefix {
        Prefix::new(text.parse().unwrap(), length).unwrap()
    }

    fn about(name: &[u8]) -> Vec<u8> {
        let mut wire = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        wire.extend(name);
        wire.extend([0, 6, 0, 1]);
        wire
    }

    fn judge(
        policy: &Policy,
        address: &str,
        server: Option<&[u8]>,
        name: &[u8],
    ) -> Result<SocketAddr, Status> {
        policy.target(address.parse().unwrap(), server, &about(name))
    }

    #[test]
    fn prefixes_hold_their_addresses() {
        assert!(prefix("192.0.2.77", 24).contains("192.0.2.1".parse().unwrap()));
        assert!(!prefix("192.0.2.0", 25).contains("192.0.2.128".parse().unwrap()));
        assert!(prefix("0.0.0.0", 0).contains("203.0.113.1".parse().unwrap()));
        assert!(!prefix("::", 0).contains("203.0.113.1".parse().unwrap()));
        assert!(prefix("2001:db8::", 32).contains("2001:db8:ffff::1".parse().unwrap()));
        assert!(!prefix("2001:db8::", 128).contains("2001:db8::1".parse().unwrap()));
        assert_eq!(Prefix::new("192.0.2.0".parse().unwrap(), 33), None);
    }

    #[test]
    fn special_addresses_need_a_prefix_that_allows_them() {
        let mut policy = Policy::default();
        assert_eq!(
            judge(&policy, "127.0.0.1:53", None, b"\0"),
            Err(Status::NotSentSpecial)
        );
        assert!(judge(&policy, ROOT, None, b"\0").is_ok());
        policy.allowed = vec![prefix("127.0.0.0", 8)];
        assert!(judge(&policy, "127.0.0.1:53", None, b"\0").is_ok());
        assert_eq!(
            judge(&policy, "10.0.0.1:53", None, b"\0"),
            Err(Status::NotSentSpecial)
        );
        policy.map = Some(HashMap::from([
            (
                "198.41.0.4".parse().unwrap(),
                "127.0.0.1:5300".parse().unwrap(),
            ),
            (
                "198.41.0.5".parse().unwrap(),
                "198.41.0.5:53".parse().unwrap(),
            ),
        ]));
        assert_eq!(judge(&policy, ROOT, None, b"\0").unwrap().port(), 5300);
        assert_eq!(
            judge(&policy, "198.41.0.4:853", None, b"\0"),
            Ok("127.0.0.1:853".parse().unwrap())
        );
        assert_eq!(
            judge(&policy, "127.0.0.1:53", None, b"\0"),
            Err(Status::NotSentSpecial)
        );
        assert_eq!(
            judge(&policy, "198.41.0.5:53", None, b"\0"),
            Err(Status::NotSentSpecial)
        );
    }

    #[test]
    fn who_opted_out_is_not_asked() {
        let policy = Policy {
            opt_out_prefixes: vec![prefix("203.0.112.0", 24)],
            opt_out_servers: HashSet::from([b"\x02ns\x04test\0".to_vec()]),
            opt_out_zones: HashSet::from([b"\x07example\0".to_vec()]),
            ..Policy::default()
        };
        let out = Err(Status::NotSentOptOut);
        assert_eq!(judge(&policy, "203.0.112.9:53", None, b"\0"), out);
        assert_eq!(judge(&policy, ROOT, None, b"\x01a\x07EXAMPLE\0"), out);
        assert_eq!(judge(&policy, ROOT, None, b"\x07example\0"), out);
        assert!(judge(&policy, ROOT, None, b"\x08xexample\0").is_ok());
        assert!(judge(&policy, ROOT, None, b"\0").is_ok());
        // An address met under the name of an opted-out server stays out, also where no name is given.
        assert_eq!(judge(&policy, ROOT, Some(b"\x02NS\x04test\0"), b"\0"), out);
        assert_eq!(judge(&policy, ROOT, None, b"\0"), out);
        assert!(judge(
            &policy,
            "199.9.14.201:53",
            Some(b"\x03ns2\x04test\0"),
            b"\0"
        )
        .is_ok());
    }
}
