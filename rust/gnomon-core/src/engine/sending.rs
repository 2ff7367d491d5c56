//! How a shard sends: over a UDP socket of the pool, or over a connection.

use std::io;
use std::time::Instant;

use mio::Registry;
use nix::libc;

use super::entropy::Entropy;
use super::flight::{Flight, Place};
use super::shard::{Shard, Timer};
use super::stream::{classify, Progress};
use super::streams::{Streams, Way};
use super::{matching, udp, Status, Transport};

/// Shortages after which sending a query is given up as a local error; the shard pauses between two.
const SHORTAGES_PER_QUERY: u8 = 200;
/// When the host is out of buffers or descriptors, try again after this.
const SHORTAGE_PAUSE_NS: u64 = 10_000_000;
/// How long a connection without a query under way stays open for the next one.
const IDLE_NS: u64 = 1_000_000_000;
/// Messages that answer nothing, after which a connection is closed.
const UNASKED_PER_CONNECTION: usize = 16;

/// What came of the attempt to send.
enum Sent {
    Gone(Place, u16),
    /// When an attempt at this server has ended.
    Wait,
}

impl Shard {
    /// Send the next attempt of a query, or put it back.
    pub(super) fn launch(&mut self, peer: usize, key: usize, now_ns: u64) {
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        self.serial += 1;
        flight.serial = self.serial;
        if flight.expected.exact_case {
            matching::mix_case(
                &mut flight.wire,
                flight.expected.name_end,
                &mut self.entropy,
            );
        }
        let registry = self.poll.registry();
        let udp_registry = self.datagrams.as_ref().unwrap_or(&self.poll).registry();
        let outcome = match flight.transport {
            Transport::Udp => send_udp(
                flight,
                key,
                (self.origin, now_ns),
                &mut self.udp,
                &mut self.entropy,
                udp_registry,
            ),
            Transport::Tcp | Transport::Dot => send_stream(
                flight,
                key,
                self.origin,
                &mut self.streams,
                &mut self.entropy,
                registry,
            ),
        };
        let transport = flight.transport;
        match outcome {
            Ok(Sent::Gone(place, port)) => {
                flight.place = place;
                flight.local_port = port;
                self.take_off(key);
                if let Place::Stream { connection, .. } = place {
                    self.unflushed.push(connection);
                }
            }
            Ok(Sent::Wait) => {
                let now = self.now();
                self.governor.put_back(peer, key, transport, None, now);
            }
            Err(error) if is_shortage(&error, flight) && flight.shortages < SHORTAGES_PER_QUERY => {
                flight.shortages += 1;
                let now = self.now();
                self.governor
                    .put_back(peer, key, transport, Some(now + SHORTAGE_PAUSE_NS), now);
            }
            Err(error) => {
                flight.local_port = 0;
                flight.stamp(self.origin);
                // A connection that fails at once was a packet to the peer, too.
                self.take_off(key);
                let failure = classify(&error, false);
                self.conclude(key, failure.status, failure.code, None);
            }
        }
    }

    /// Go on with a connection: send what is queued, hear what has come.
    pub(super) fn drive(&mut self, key: usize) {
        let mut scratch = std::mem::take(&mut self.scratch);
        while let Some(connection) = self.streams.connections.get_mut(key) {
            match connection.drive(&mut scratch) {
                Progress::Waiting => break,
                Progress::Secured(session) => self.hear_session(key, session),
                Progress::Message(message) => {
                    self.hear_message(key, message);
                    self.close_if_pestering(key);
                }
                Progress::Failed(failure) => {
                    self.break_connection(key, failure.status, failure.code)
                }
            }
        }
        self.scratch = scratch;
    }

    /// A connection is for answers: close it when too much else comes.
    fn close_if_pestering(&mut self, key: usize) {
        let pesters =
            |unasked, waiting| unasked > 0 && (waiting == 0 || unasked >= UNASKED_PER_CONNECTION);
        let connection = self.streams.connections.get(key);
        if connection.is_some_and(|it| pesters(it.unasked, it.waiting)) {
            self.break_connection(key, Status::Reset, 0);
        }
    }

    /// End a connection that failed, and the attempts that wait there.
    ///
    /// Where a server closes a connection on which it has answered, or on which several queries wait, nothing is
    /// said about the query: it is sent again on a connection of its own, once without counting.
    fn break_connection(&mut self, key: usize, status: Status, code: i32) {
        let Some(connection) = self.streams.close(key) else {
            return;
        };
        let shared = connection.connected && (connection.answered > 0 || connection.waiting > 1);
        let excusable = shared && status == Status::Reset;
        if excusable && connection.waiting > 0 {
            self.streams.one_at_a_time(connection.server);
        }
        for key in connection.waiting_flights() {
            if let Some(flight) = self
                .flights
                .get_mut(key)
                .filter(|it| excusable && !it.excused)
            {
                flight.excused = true;
                flight.attempts_left += 1;
            }
            self.conclude(key, status, code, None);
        }
    }

    /// The attempt with `id` on a connection has ended.
    pub(super) fn leave_connection(&mut self, key: usize, id: u16, status: Status) {
        let Some(connection) = self.streams.connections.get_mut(key) else {
            return;
        };
        connection.release(id);
        if status == Status::Answered {
            connection.answered += 1;
        } else {
            // Never reused after a timeout: what comes late must not meet another query.
            connection.retired = true;
        }
        if connection.waiting > 0 {
            return;
        }
        if connection.retired || connection.exclusive {
            self.streams.close(key);
        } else {
            let sent = connection.sent;
            let at_ns = self.now() + IDLE_NS;
            self.wheel.insert(
                at_ns,
                Timer::Idle {
                    connection: key,
                    sent,
                },
            );
        }
    }

    /// Close a connection over which nothing was sent since the timer was set.
    pub(super) fn close_idle(&mut self, key: usize, sent: usize) {
        let connection = self.streams.connections.get(key);
        if connection.is_some_and(|it| it.waiting == 0 && it.sent == sent) {
            self.streams.close(key);
        }
    }
}

fn send_udp(
    flight: &mut Flight,
    key: usize,
    (origin, now_ns): (Instant, u64),
    pool: &mut udp::Pool,
    entropy: &mut Entropy,
    registry: &Registry,
) -> io::Result<Sent> {
    let socket = pool.pick(
        &flight.address,
        flight.last_socket,
        now_ns,
        entropy,
        registry,
    )?;
    let id = pool.fresh_id(socket, entropy);
    matching::set_id(&mut flight.wire, id);
    flight.stamp(origin);
    let port = pool.send(socket, &flight.wire, flight.address)?;
    pool.record(socket, id, key, flight.serial);
    flight.last_socket = Some(socket);
    Ok(Sent::Gone(Place::Udp { socket, id }, port))
}

fn send_stream(
    flight: &mut Flight,
    key: usize,
    origin: Instant,
    streams: &mut Streams,
    entropy: &mut Entropy,
    registry: &Registry,
) -> io::Result<Sent> {
    let server = (flight.address, flight.transport);
    let place = match streams.way(&server, flight.may_share && !flight.excused) {
        Way::Over(connection) => connection,
        Way::Open { exclusive } => streams.open(server, exclusive, registry)?,
        Way::Wait => return Ok(Sent::Wait),
        Way::Full => return Err(io::Error::from_raw_os_error(libc::EMFILE)),
    };
    let connection = streams
        .connections
        .get_mut(place)
        .ok_or(io::ErrorKind::NotFound)?;
    let id = loop {
        let id = entropy.u16();
        if !connection.ids.contains_key(&id) {
            break id;
        }
    };
    matching::set_id(&mut flight.wire, id);
    flight.stamp(origin);
    connection.push(id, key, flight.serial, &flight.wire)?;
    Ok(Sent::Gone(
        Place::Stream {
            connection: place,
            id,
        },
        connection.port,
    ))
}

/// True if the host is out of something for a moment.
fn is_shortage(error: &io::Error, flight: &Flight) -> bool {
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM | libc::EMFILE | libc::ENFILE) => true,
        // Ports in IPv4; in IPv6 the host may have no address to send from.
        Some(libc::EADDRNOTAVAIL) => flight.address.is_ipv4(),
        _ => false,
    }
}
