//! How a shard sends: over a UDP socket of the pool, or over a new TCP connection.

use std::io;
use std::time::Instant;

use mio::Registry;
use nix::libc;
use slab::Slab;

use super::entropy::Entropy;
use super::flight::{Flight, Place};
use super::shard::Shard;
use super::tcp::{self, Connection};
use super::{matching, udp, Transport};

/// Shortages after which sending a query is given up as a local error; the shard pauses between two.
const SHORTAGES_PER_QUERY: u8 = 200;

impl Shard {
    /// Send the next attempt of a query. False if the host cannot send now and it should be tried again.
    pub(super) fn launch(&mut self, key: usize) -> bool {
        let Some(flight) = self.flights.get_mut(key) else {
            return true;
        };
        self.serial += 1;
        flight.serial = self.serial;
        if flight.mix_case {
            matching::mix_case(&mut flight.wire, flight.name_end, &mut self.entropy);
        }
        let registry = self.poll.registry();
        let outcome = match flight.transport {
            Transport::Udp => send_udp(
                flight,
                key,
                self.origin,
                &mut self.udp,
                &mut self.entropy,
                registry,
            ),
            Transport::Tcp => {
                matching::set_id(&mut flight.wire, self.entropy.u16());
                open_tcp(flight, key, self.origin, &mut self.connections, registry)
            }
        };
        if let Err(error) = &outcome {
            if is_shortage(error, flight) && flight.shortages < SHORTAGES_PER_QUERY {
                flight.shortages += 1;
                return false;
            }
        }
        flight.attempt += 1;
        flight.attempts_left = flight.attempts_left.saturating_sub(1);
        if let Ok((place, port)) = outcome {
            flight.place = place;
            flight.local_port = port;
        } else {
            flight.local_port = 0;
            flight.stamp(self.origin);
        }
        // A connection that fails at once was a packet to the peer, too.
        self.take_off(key);
        if let Err(error) = outcome {
            let (status, os_error) = tcp::classify(&error, false);
            self.conclude(key, status, os_error, None);
        }
        true
    }
}

fn send_udp(
    flight: &mut Flight,
    key: usize,
    origin: Instant,
    pool: &mut udp::Pool,
    entropy: &mut Entropy,
    registry: &Registry,
) -> io::Result<(Place, u16)> {
    let now_ns = origin.elapsed().as_nanos() as u64;
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
    Ok((Place::Udp { socket, id }, port))
}

fn open_tcp(
    flight: &mut Flight,
    key: usize,
    origin: Instant,
    connections: &mut Slab<Connection>,
    registry: &Registry,
) -> io::Result<(Place, u16)> {
    flight.stamp(origin);
    let mut opened = Connection::open(flight.address, &flight.wire, key, flight.serial)?;
    let entry = connections.vacant_entry();
    let connection = entry.key();
    opened.register(tcp::token(connection), registry)?;
    let port = opened
        .stream
        .local_addr()
        .map_or(0, |address| address.port());
    entry.insert(opened);
    Ok((Place::Tcp { connection }, port))
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
