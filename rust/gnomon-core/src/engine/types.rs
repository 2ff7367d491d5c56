//! What goes into the engine and what comes out of it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Policy;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Transport {
    Udp = 0,
    Tcp = 1,
    /// DNS over TLS (RFC 7858), opportunistic.
    Dot = 2,
}

impl Transport {
    pub(super) const COUNT: usize = 3;
}

/// How an attempt ended; the numbers are those of `gnomon.engine.Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    Answered = 0,
    Timeout = 1,
    IcmpUnreachable = 2,
    Refused = 3,
    Reset = 4,
    Mismatched = 5,
    NotSentSpecial = 6,
    NotSentBreaker = 7,
    NotSentOptOut = 8,
    LocalError = 9,
    /// No end of an attempt: TLS is set up, the response is what the server showed (see `tls::describe`).
    Secured = 10,
    TlsFailed = 11,
}

#[derive(Clone, Debug)]
pub struct Limits {
    pub rate_qps: f64,
    pub burst: u32,
    pub in_flight_per_address: u32,
    /// The same for all addresses of an IPv4 /24 or IPv6 /48 together.
    pub prefix_rate_qps: f64,
    pub prefix_burst: u32,
    pub in_flight_per_prefix: u32,
    pub in_flight_total: u32,
    /// Silent attempts in a row that open the breaker of an address and transport; 0: never.
    pub breaker_silent: u32,
    /// 0: no cap.
    pub total_qps: f64,
}

/// How an engine works; it does not change.
#[derive(Debug)]
pub struct Config {
    pub limits: Limits,
    pub policy: Policy,
    /// Threads, at least 1, at most one for each query that may be in flight.
    pub shards: usize,
    /// The addresses to send from, IPv4 and IPv6; the system's choice where None.
    pub local: [Option<IpAddr>; 2],
    /// How long submissions and datagrams may rest until a shard looks at them, so that it wakes up less often. With
    /// zero it does at once.
    pub turn: Duration,
}

/// One query to one address.
#[derive(Clone, Debug)]
pub struct Submission {
    pub tag: i64,
    pub address: SocketAddr,
    /// The name under which the address was found, uncompressed; for the opt-out list.
    pub server_name: Option<Vec<u8>>,
    pub transport: Transport,
    /// At least a header.
    pub wire: Vec<u8>,
    /// At least 1.
    pub attempts: u32,
    pub timeout: Duration,
    pub mix_case: bool,
    pub tcp_after_truncation: bool,
}

/// One message sent, or not, and what came back.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub tag: i64,
    pub attempt: u32,
    pub transport: Transport,
    /// Unix time.
    pub sent_at_ns: i64,
    pub rtt_us: Option<u32>,
    pub local_port: u16,
    pub status: Status,
    /// errno; for `Status::Mismatched` a `Mismatch`, for `Status::TlsFailed` the TLS alert if one came.
    pub code: i32,
    pub query: Vec<u8>,
    pub response: Option<Vec<u8>>,
    /// Where a mismatched datagram came from, if not from the address and port that were asked.
    pub response_from: Option<SocketAddr>,
    pub last: bool,
}

impl Attempt {
    /// What it takes in memory.
    pub(super) fn octets(&self) -> usize {
        size_of::<Self>() + self.query.len() + self.response.as_ref().map_or(0, Vec::len)
    }
}
