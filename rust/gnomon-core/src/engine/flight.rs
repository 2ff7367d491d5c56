//! What a shard knows of a query on its way and of an address that is asked.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::limiter::{Breaker, Gcra};
use super::{matching, Attempt, Limits, Status, Submission, Transport};

/// A query on its way.
pub struct Flight {
    pub tag: i64,
    pub address: SocketAddr,
    pub peer: usize,
    pub transport: Transport,
    pub wire: Vec<u8>,
    /// See `matching::question_name_end`.
    pub name_end: Option<usize>,
    pub timeout_ns: u64,
    pub attempt: u32,
    pub attempts_left: u32,
    pub mix_case: bool,
    pub tcp_after_truncation: bool,
    /// Mismatches reported so far.
    pub mismatches: u8,
    /// Times that the host was out of something when this was to be sent.
    pub shortages: u8,
    /// Number of the attempt among those of all queries: an old timer or an old ID is known as old.
    pub serial: u64,
    /// Attempts of this query have a higher serial.
    pub born: u64,
    pub sent_ns: u64,
    pub sent_at_ns: i64,
    pub local_port: u16,
    pub place: Place,
    pub last_socket: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Queued, or resting before its next attempt.
    Waiting,
    Udp {
        socket: usize,
        id: u16,
    },
    Tcp {
        connection: usize,
    },
}

impl Flight {
    pub fn new(submission: Submission, peer: usize, serial: u64) -> Self {
        Self {
            tag: submission.tag,
            address: submission.address,
            peer,
            transport: submission.transport,
            name_end: matching::question_name_end(&submission.wire),
            wire: submission.wire,
            timeout_ns: submission.timeout.as_nanos() as u64,
            attempt: 0,
            attempts_left: submission.attempts,
            mix_case: submission.mix_case,
            tcp_after_truncation: submission.tcp_after_truncation,
            mismatches: 0,
            shortages: 0,
            serial,
            born: serial,
            sent_ns: 0,
            sent_at_ns: 0,
            local_port: 0,
            place: Place::Waiting,
            last_socket: None,
        }
    }

    pub fn is_waiting(&self) -> bool {
        self.place == Place::Waiting
    }

    /// Note the time: the next thing is to send.
    pub fn stamp(&mut self, origin: Instant) {
        self.sent_at_ns = unix_ns();
        self.sent_ns = origin.elapsed().as_nanos() as u64;
    }

    /// True if `from` is the address and port that was asked; flow label and scope do not matter.
    pub fn asked(&self, from: &SocketAddr) -> bool {
        self.address.ip() == from.ip() && self.address.port() == from.port()
    }

    /// True if `octets` answer the running attempt.
    pub fn is_answered_by(&self, octets: &[u8]) -> bool {
        matching::answers(&self.wire, self.name_end, octets)
    }

    /// The running attempt as a record. With a response, `now_ns` is when it came.
    pub fn record(&self, status: Status, response: Option<Vec<u8>>, now_ns: u64) -> Attempt {
        let rtt_us =
            || u32::try_from(now_ns.saturating_sub(self.sent_ns) / 1000).unwrap_or(u32::MAX);
        Attempt {
            tag: self.tag,
            attempt: self.attempt,
            transport: self.transport,
            sent_at_ns: self.sent_at_ns,
            rtt_us: response.as_ref().map(|_| rtt_us()),
            local_port: self.local_port,
            status,
            os_error: 0,
            query: self.wire.clone(),
            response,
            response_from: None,
            last: false,
        }
    }
}

/// An address that is asked, with what limits the asking.
pub struct Peer {
    pub address: IpAddr,
    pub queue: VecDeque<usize>,
    pub in_flight: Vec<usize>,
    /// Queries that are queued, in flight, or rest before their next attempt.
    pub unfinished: usize,
    pub gate: Gcra,
    /// By transport: a server may be silent over UDP and well over TCP.
    pub breakers: [Breaker; 2],
    /// In the ready queue, or waiting for a timer that puts it there.
    pub scheduled: bool,
}

impl Peer {
    pub fn new(address: IpAddr, limits: &Limits) -> Self {
        Self {
            address,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            unfinished: 0,
            gate: Gcra::new(limits.rate_qps, limits.burst),
            breakers: Default::default(),
            scheduled: false,
        }
    }

    /// True if nothing is under way and the past has no influence on the future.
    pub fn is_forgettable(&self, now_ns: u64) -> bool {
        let idle = self.unfinished == 0 && !self.scheduled && self.gate.is_fresh(now_ns);
        idle && self.breakers.iter().all(Breaker::is_fresh)
    }

    pub fn land(&mut self, flight: usize) {
        if let Some(at) = self.in_flight.iter().position(|other| *other == flight) {
            self.in_flight.swap_remove(at);
        }
    }
}

/// Unix time; 0 on a host whose clock stands before 1970.
pub fn unix_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos() as i64)
}
