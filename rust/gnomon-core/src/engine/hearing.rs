//! How a shard hears: datagrams, ICMP errors and TCP messages, and which query each belongs to.

use std::io;
use std::net::SocketAddr;

use super::flight::{unix_ns, Flight, Place};
use super::shard::Shard;
use super::tcp::Progress;
use super::{icmp, matching, Attempt, Status};

/// Datagrams read from one socket before the others get their turn.
const RECEIVE_PER_SOCKET: usize = 256;
/// Datagrams reported per query that are not its answer.
const MISMATCHES_PER_QUERY: u8 = 4;

impl Shard {
    /// Read the datagrams of a socket.
    pub(super) fn receive(&mut self, key: usize) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut left = RECEIVE_PER_SOCKET;
        while let Some(socket) = self.udp.sockets.get(key) {
            if left == 0 {
                self.unread.push(key);
                break;
            }
            left -= 1;
            match socket.io.recv_from(&mut scratch) {
                Ok((length, from)) => {
                    self.hear(key, from, scratch.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // With IP_RECVERR an ICMP error also fails a call; the queue has the details.
                Err(_) => self.hear_icmp(key),
            }
        }
        self.scratch = scratch;
    }

    /// Judge one datagram: the answer of an attempt, a mismatch to report, or nothing of ours.
    fn hear(&mut self, socket: usize, from: SocketAddr, datagram: &[u8]) {
        let Some(state) = self.udp.sockets.get(socket) else {
            return;
        };
        let Some(sent) = matching::id(datagram).and_then(|id| state.ids.get(&id)) else {
            if let Some(key) = self.waits_for(socket, from, datagram) {
                self.mismatch(key, from, datagram);
            }
            return;
        };
        let key = sent.flight;
        let Some(flight) = self.flights.get(key) else {
            return;
        };
        if flight.serial == sent.serial && !flight.is_waiting() {
            if flight.asked(&from) && flight.is_answered_by(datagram) {
                self.conclude(key, Status::Answered, 0, Some(datagram.to_vec()));
            } else {
                self.mismatch(key, from, datagram);
            }
        } else if let Some(late) = sent.late.as_ref().filter(|_| sent.serial > flight.born) {
            // The query goes on with another attempt, so this one stays a timeout.
            if flight.asked(&from) && matching::answers(&late.query, flight.name_end, datagram) {
                let age_us = unix_ns().saturating_sub(late.sent_at_ns) / 1000;
                let rtt_us = Some(u32::try_from(age_us).unwrap_or(u32::MAX));
                let attempt = Attempt {
                    rtt_us,
                    ..(**late).clone()
                };
                self.report(key, attempt, from, datagram);
            }
        }
    }

    /// The query that a datagram with an ID that this socket never used was most likely meant for: one that waits
    /// here for that peer, with the same question if there is such a one.
    fn waits_for(&self, socket: usize, from: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let peer = self.peers.get(*self.peer_keys.get(&from.ip())?)?;
        let mut guess = None;
        for &key in &peer.in_flight {
            let Some(flight) = self.flights.get(key) else {
                continue;
            };
            let here = matches!(flight.place, Place::Udp { socket: at, .. } if at == socket);
            if here && flight.asked(&from) {
                guess = Some(key);
                if flight
                    .name_end
                    .is_some_and(|end| matching::same_question(&flight.wire, end, datagram))
                {
                    break;
                }
            }
        }
        guess
    }

    /// Report octets that are not the answer of this query's running attempt.
    fn mismatch(&mut self, key: usize, from: SocketAddr, octets: &[u8]) {
        let now = self.now();
        let flight = self
            .flights
            .get(key)
            .filter(|it| it.mismatches < MISMATCHES_PER_QUERY);
        if let Some(flight) = flight {
            let attempt = flight.record(Status::Mismatched, Some(Vec::new()), now);
            self.report(key, attempt, from, octets);
        }
    }

    fn report(&mut self, key: usize, mut attempt: Attempt, from: SocketAddr, octets: &[u8]) {
        let sampled = |flight: &&mut Flight| flight.mismatches < MISMATCHES_PER_QUERY;
        let Some(flight) = self.flights.get_mut(key).filter(sampled) else {
            return;
        };
        flight.mismatches += 1;
        attempt.status = Status::Mismatched;
        attempt.response = Some(octets.to_vec());
        attempt.response_from = (!flight.asked(&from)).then_some(from);
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
            let running =
                |it: &Flight| it.serial == serial && it.asked(&error.peer) && !it.is_waiting();
            if self.flights.get(key).is_some_and(running) {
                self.conclude(key, Status::IcmpUnreachable, error.errno, None);
            }
        }
    }

    /// Go on with a TCP connection.
    pub(super) fn drive(&mut self, connection: usize) {
        let mut scratch = std::mem::take(&mut self.scratch);
        while let Some(state) = self.connections.get_mut(connection) {
            let key = state.flight;
            let Some(flight) = self.flights.get(key).filter(|it| it.serial == state.serial) else {
                break;
            };
            match state.drive(&mut scratch) {
                Progress::Waiting => break,
                Progress::Failed(status, os_error) => self.conclude(key, status, os_error, None),
                Progress::Message(message) if flight.is_answered_by(&message) => {
                    self.conclude(key, Status::Answered, 0, Some(message));
                }
                Progress::Message(message) => {
                    let address = flight.address;
                    self.mismatch(key, address, &message);
                }
            }
        }
        self.scratch = scratch;
    }
}
