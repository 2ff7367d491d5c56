//! What a shard knows of a query on its way.

use std::net::SocketAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::matching::{self, Expected, Mismatch};
use super::{Attempt, Status, Submission, Transport};

/// A query on its way.
pub struct Flight {
    pub tag: i64,
    pub address: SocketAddr,
    pub peer: usize,
    pub transport: Transport,
    pub wire: Vec<u8>,
    pub expected: Expected,
    /// May go over a connection with others.
    pub may_share: bool,
    pub timeout_ns: u64,
    pub attempt: u32,
    pub attempts_left: u32,
    pub tcp_after_truncation: bool,
    /// Late answers reported so far.
    pub late: u8,
    /// A shared connection broke under it: that has not counted as an attempt, the next one does.
    pub excused: bool,
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
    /// Where the datagram came from that ended this attempt, if not from the address that was asked.
    pub doubted_from: Option<SocketAddr>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Queued, or resting before its next attempt.
    Waiting,
    Udp {
        socket: usize,
        id: u16,
    },
    Stream {
        connection: usize,
        id: u16,
    },
}

impl Flight {
    pub fn new(submission: Submission, serial: u64) -> Self {
        let expected = Expected::new(&submission.wire, submission.mix_case);
        Self {
            tag: submission.tag,
            address: submission.address,
            peer: usize::MAX,
            transport: submission.transport,
            may_share: matching::may_share(&submission.wire, expected.name_end),
            expected,
            wire: submission.wire,
            timeout_ns: submission.timeout.as_nanos() as u64,
            attempt: 0,
            attempts_left: submission.attempts,
            tcp_after_truncation: submission.tcp_after_truncation,
            late: 0,
            excused: false,
            shortages: 0,
            serial,
            born: serial,
            sent_ns: 0,
            sent_at_ns: 0,
            local_port: 0,
            place: Place::Waiting,
            last_socket: None,
            doubted_from: None,
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

    /// What keeps a datagram with the ID of `query`, one of this flight's, from being the answer; None if it is.
    pub fn mismatch(&self, query: &[u8], from: &SocketAddr, datagram: &[u8]) -> Option<Mismatch> {
        // Flow label and scope do not matter.
        if self.address.ip() != from.ip() {
            Some(Mismatch::Address)
        } else if self.address.port() != from.port() {
            Some(Mismatch::Port)
        } else {
            self.expected.mismatch(query, datagram, false)
        }
    }

    /// The running attempt as a record; `query` is what was sent. With a response, `came_ns` is when it came.
    pub fn record(
        &self,
        query: Vec<u8>,
        status: Status,
        response: Option<Vec<u8>>,
        came_ns: u64,
    ) -> Attempt {
        let rtt_us =
            || u32::try_from(came_ns.saturating_sub(self.sent_ns) / 1000).unwrap_or(u32::MAX);
        Attempt {
            tag: self.tag,
            attempt: self.attempt,
            transport: self.transport,
            sent_at_ns: self.sent_at_ns,
            rtt_us: response.as_ref().map(|_| rtt_us()),
            local_port: self.local_port,
            status,
            code: 0,
            query,
            response,
            response_from: None,
            last: false,
        }
    }
}

/// Unix time; 0 on a host whose clock stands before 1970.
pub fn unix_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos() as i64)
}
