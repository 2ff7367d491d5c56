//! How a shard hears: datagrams, ICMP errors and messages over connections, and which query each belongs to.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use super::flight::{unix_ns, Flight, Place};
use super::matching::Mismatch;
use super::shard::Shard;
use super::{icmp, matching, Attempt, Status};

/// Datagrams read from one socket before the others get their turn.
const RECEIVE_PER_SOCKET: usize = 256;
/// Messages reported per query that are not its answer; over UDP the first one ends the attempt.
const MISMATCHES_PER_QUERY: u8 = 4;

impl Shard {
    /// Read the datagrams of a socket.
    pub(super) fn receive(&mut self, key: usize) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut left = RECEIVE_PER_SOCKET;
        while self.udp.sockets.contains(key) {
            if left == 0 {
                self.unread.push(key);
                break;
            }
            left -= 1;
            let was_waited_for = self.udp.is_waited_for(key);
            match self.udp.receive(key, &mut scratch) {
                Ok(read) => {
                    let came_ns = self.came_ns(read.came_at_ns);
                    let octets = scratch.get(..read.length).unwrap_or_default();
                    self.hear(key, read.from, came_ns, octets);
                    // What else comes is nothing of ours, and will say so itself: a look for it costs as much as a read.
                    if was_waited_for && !self.udp.is_waited_for(key) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // With IP_RECVERR an ICMP error also fails a call; the queue has the details.
                Err(_) => self.hear_icmp(key),
            }
        }
        self.scratch = scratch;
    }

    /// The shard's time of what came at a Unix time: since the last turn, or it would have been read then.
    fn came_ns(&self, at_ns: Option<i64>) -> u64 {
        let now = self.now();
        let age_ns = at_ns.map_or(0, |at_ns| unix_ns().saturating_sub(at_ns));
        now.saturating_sub(u64::try_from(age_ns).unwrap_or(0))
            .clamp(self.turned_ns.min(now), now)
    }

    /// Judge one datagram: the answer of an attempt, a mismatch, or nothing of ours.
    fn hear(&mut self, socket: usize, from: SocketAddr, came_ns: u64, datagram: &[u8]) {
        let Some(state) = self.udp.sockets.get(socket) else {
            return;
        };
        let id = matching::id(datagram);
        let Some(sent) = id.and_then(|id| state.ids.get(&id)) else {
            if id.is_some_and(|id| state.used.contains(id)) {
                return self.count(Mismatch::Stray);
            }
            return self.hear_unknown_id(socket, from, came_ns, datagram);
        };
        let key = sent.flight;
        let flight = self.flights.get(key);
        if let Some(flight) = flight.filter(|it| it.serial == sent.serial && !it.is_waiting()) {
            match flight.mismatch(&flight.wire, &from, datagram) {
                None => {
                    self.conclude_at(came_ns, key, Status::Answered, 0, Some(datagram.to_vec()));
                }
                Some(kind) => self.doubt(key, kind, from, came_ns, datagram),
            }
            return;
        }
        // The attempt is over. If its query goes on, a late answer is evidence; it is not believed any more.
        let late = sent
            .late
            .as_ref()
            .filter(|_| flight.is_some_and(|it| sent.serial > it.born));
        let Some((flight, late)) = flight.zip(late) else {
            return self.count(Mismatch::Stray);
        };
        match flight.mismatch(&late.query, &from, datagram) {
            Some(kind) => self.count(kind),
            None => {
                let age_us = unix_ns().saturating_sub(late.sent_at_ns) / 1000;
                let attempt = Attempt {
                    rtt_us: Some(u32::try_from(age_us).unwrap_or(u32::MAX)),
                    ..(**late).clone()
                };
                self.report(key, attempt, Mismatch::Late, datagram);
            }
        }
    }

    /// A datagram with an ID that this socket never used: a guess at the answer of what waits here, or nothing of ours.
    fn hear_unknown_id(&mut self, socket: usize, from: SocketAddr, came_ns: u64, datagram: &[u8]) {
        if let Some(key) = self.waits_for(socket, from, datagram) {
            return self.doubt(key, Mismatch::Id, from, came_ns, datagram);
        }
        self.count(if self.governor.in_flight(&from.ip()).is_empty() {
            Mismatch::Stray
        } else {
            Mismatch::Id
        });
    }

    /// The query that such a datagram was most likely meant for: one that waits here for that peer, with the same
    /// question if there is such a one.
    fn waits_for(&self, socket: usize, from: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let mut guess = None;
        for &key in self.governor.in_flight(&from.ip()) {
            let Some(flight) = self.flights.get(key) else {
                continue;
            };
            let here = matches!(flight.place, Place::Udp { socket: at, .. } if at == socket);
            if here && flight.address.port() == from.port() {
                guess = Some(key);
                if flight
                    .expected
                    .name_end
                    .is_some_and(|end| matching::same_question(&flight.wire, end, datagram))
                {
                    break;
                }
            }
        }
        guess
    }

    /// Something came that is not the answer but might have been taken for it: no datagram is believed for this
    /// query any more, and it is asked again over TCP.
    fn doubt(
        &mut self,
        key: usize,
        kind: Mismatch,
        from: SocketAddr,
        came_ns: u64,
        datagram: &[u8],
    ) {
        self.count(kind);
        if let Some(flight) = self.flights.get_mut(key) {
            flight.doubted_from = Some(from).filter(|from| !same_address(from, &flight.address));
        }
        self.conclude_at(
            came_ns,
            key,
            Status::Mismatched,
            kind as i32,
            Some(datagram.to_vec()),
        );
    }

    fn count(&self, kind: Mismatch) {
        if let Some(count) = self.mismatches.get(kind as usize - 1) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Count a message that is not the answer of this query's running attempt, and show it if there were not too many.
    fn report(&mut self, key: usize, mut attempt: Attempt, kind: Mismatch, octets: &[u8]) {
        self.count(kind);
        let sampled = |flight: &&mut Flight| flight.late < MISMATCHES_PER_QUERY;
        let Some(flight) = self.flights.get_mut(key).filter(sampled) else {
            return;
        };
        flight.late += 1;
        attempt.status = Status::Mismatched;
        attempt.code = kind as i32;
        attempt.response = Some(octets.to_vec());
        self.done.push(attempt);
    }

    /// End the attempts of a socket for which ICMP said that the peer cannot be reached.
    pub(super) fn hear_icmp(&mut self, socket: usize) {
        let Some(state) = self.udp.sockets.get(socket) else {
            return;
        };
        let mut found = Vec::new();
        icmp::drain(&state.io, &mut found);
        for error in found {
            let sent = self
                .udp
                .sockets
                .get(socket)
                .and_then(|state| state.ids.get(&error.id));
            let Some((key, serial)) = sent.map(|sent| (sent.flight, sent.serial)) else {
                continue;
            };
            let running = |it: &Flight| {
                it.serial == serial && same_address(&it.address, &error.peer) && !it.is_waiting()
            };
            if self.flights.get(key).is_some_and(running) {
                self.conclude(key, Status::IcmpUnreachable, error.errno, None);
            }
        }
    }

    /// A whole message came over a connection.
    pub(super) fn hear_message(&mut self, connection: usize, message: Vec<u8>) {
        let Some(state) = self.streams.connections.get_mut(connection) else {
            return;
        };
        let known = matching::id(&message).and_then(|id| state.ids.get(&id).copied());
        let waiting = known.flatten().map(|(flight, _)| flight);
        let flight = waiting.and_then(|key| Some((key, self.flights.get(key)?)));
        let kind = match (flight, known) {
            (Some((key, flight)), _) => {
                match flight.expected.mismatch(&flight.wire, &message, true) {
                    None => return self.conclude(key, Status::Answered, 0, Some(message)),
                    Some(kind) => kind,
                }
            }
            (None, Some(_)) => Mismatch::Late,
            (None, None) => Mismatch::Id,
        };
        state.unasked += 1;
        let meant = waiting.or_else(|| state.waiting_flights().first().copied());
        match meant.and_then(|key| Some((key, self.flights.get(key)?))) {
            Some((key, flight)) => {
                let (query, none) = (flight.wire.clone(), Some(Vec::new()));
                let attempt = flight.record(query, Status::Mismatched, none, self.now());
                self.report(key, attempt, kind, &message);
            }
            None => self.count(kind),
        }
    }

    /// TLS is set up on a connection: the oldest query that waits there carries what the server showed.
    pub(super) fn hear_session(&mut self, connection: usize, session: Vec<u8>) {
        let state = self.streams.connections.get(connection);
        let first = state.and_then(|it| it.waiting_flights().first().copied());
        if let Some(flight) = first.and_then(|key| self.flights.get(key)) {
            let query = flight.wire.clone();
            let attempt = flight.record(query, Status::Secured, Some(session), self.now());
            self.done.push(attempt);
        }
    }
}

fn same_address(one: &SocketAddr, other: &SocketAddr) -> bool {
    one.ip() == other.ip() && one.port() == other.port()
}
