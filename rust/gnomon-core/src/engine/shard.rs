//! One I/O thread: takes submissions, sends within limits, matches what comes back, times out the rest.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::{Events, Interest, Poll, Token, Waker};
use nix::libc;
use nix::sys::resource::{getrlimit, Resource};
use slab::Slab;

use super::entropy::Entropy;
use super::limiter::{Breaker, Gcra};
use super::tcp::{classify, Connection, Progress};
use super::wheel::Wheel;
use super::{
    icmp, locked, matching, udp, Attempt, Inbox, Limits, Outbox, Status, Submission, Transport,
};

const WAKER: Token = Token(0);
/// Work done between two looks at the sockets, so that neither sending nor receiving starves the other.
const ADMIT_PER_TURN: usize = 2048;
const SEND_PER_TURN: usize = 256;
const RECEIVE_PER_SOCKET: usize = 256;
/// A query is sent again no sooner than this after its last attempt, however fast that failed.
const RETRY_PAUSE_NS: u64 = 200_000_000;
/// When the host is out of buffers or descriptors, try again after this.
const LOCAL_PAUSE_NS: u64 = 10_000_000;
/// Datagrams reported per query that are not its answer.
const MISMATCHES_PER_QUERY: u8 = 4;
const SOCKETS_PER_FAMILY: u64 = 32;

/// A query on its way. `serial` counts attempts of all queries, so an old timer or an old ID is known as old.
struct Flight {
    tag: i64,
    address: SocketAddr,
    peer: usize,
    transport: Transport,
    wire: Vec<u8>,
    name_end: Option<usize>,
    timeout_ns: u64,
    attempt: u32,
    attempts_left: u32,
    mix_case: bool,
    tcp_after_truncation: bool,
    mismatches: u8,
    /// The serial before its first attempt.
    born: u64,
    serial: u64,
    sent_ns: u64,
    sent_at_ns: i64,
    local_port: u16,
    place: Place,
    last_socket: Option<usize>,
}

#[derive(Clone, Copy)]
enum Place {
    Waiting,
    Udp { socket: usize, id: u16 },
    Tcp { connection: usize },
}

/// An address that is asked.
struct Peer {
    address: IpAddr,
    queue: VecDeque<usize>,
    in_flight: Vec<usize>,
    /// Queries that are queued, in flight, or wait for their retry.
    unfinished: usize,
    gate: Gcra,
    breakers: [Breaker; 2],
    /// In the ready queue, or waiting for a timer that puts it there.
    scheduled: bool,
}

enum Timer {
    /// The attempt with this serial has had its time.
    Attempt { flight: usize, serial: u64 },
    /// The attempt with this serial failed early; its query may go on now.
    Retry { flight: usize, serial: u64 },
    /// The peer may be asked again.
    Peer(usize),
}

pub struct Shard {
    origin: Instant,
    poll: Poll,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    limits: Limits,
    total_gate: Option<Gcra>,
    connections_max: usize,
    incoming: VecDeque<Submission>,
    flights: Slab<Flight>,
    in_flight: u32,
    serial: u64,
    peers: Slab<Peer>,
    peer_keys: HashMap<IpAddr, usize>,
    sweep_at: usize,
    ready: VecDeque<usize>,
    wheel: Wheel<Timer>,
    udp: udp::Pool,
    connections: Slab<Connection>,
    unread: Vec<usize>,
    entropy: Entropy,
    scratch: Vec<u8>,
    done: Vec<Attempt>,
}

/// Tells the outbox when the thread ends by a panic, so that nobody waits for ever.
struct Alarm(Arc<Outbox>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Release);
            self.0.arrived.notify_all();
        }
    }
}

impl Shard {
    pub fn new(
        limits: Limits,
        inbox: Arc<Inbox>,
        outbox: Arc<Outbox>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        udp::probe(poll.registry())?;
        let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
        let sockets = (descriptors / 16).clamp(1, SOCKETS_PER_FAMILY) as usize;
        let total_gate = (limits.total_qps > 0.0)
            // Ten milliseconds' worth at once: the resolution of the clock must not lower the rate.
            .then(|| {
                Gcra::new(
                    limits.total_qps,
                    (limits.total_qps / 100.0).clamp(1.0, 1e6) as u32,
                )
            });
        let shard = Self {
            origin: Instant::now(),
            poll,
            inbox,
            outbox,
            total_gate,
            connections_max: (descriptors / 2).clamp(1, u64::from(limits.in_flight_total)) as usize,
            limits,
            incoming: VecDeque::new(),
            flights: Slab::new(),
            in_flight: 0,
            serial: 0,
            peers: Slab::new(),
            peer_keys: HashMap::new(),
            sweep_at: 65_536,
            ready: VecDeque::new(),
            wheel: Wheel::new(),
            udp: udp::Pool::new(sockets),
            connections: Slab::new(),
            unread: Vec::new(),
            entropy: Entropy::new()?,
            scratch: vec![0; 65_536],
            done: Vec::new(),
        };
        Ok((shard, waker))
    }

    /// Work until the engine is closed.
    pub fn run(&mut self) {
        let _alarm = Alarm(self.outbox.clone());
        let mut events = Events::with_capacity(1024);
        let mut due = Vec::new();
        while !self.inbox.closing.load(Ordering::Acquire) {
            self.admit();
            let more = self.send_ready();
            if !self.done.is_empty() {
                self.outbox.deliver(&mut self.done);
            }
            let timeout = self.sleep(more);
            if let Err(error) = self.poll.poll(&mut events, timeout) {
                assert!(
                    error.kind() == io::ErrorKind::Interrupted,
                    "waiting for sockets failed: {error}"
                );
                continue;
            }
            for socket in std::mem::take(&mut self.unread) {
                self.receive(socket);
            }
            for event in &events {
                match event.token() {
                    WAKER => {}
                    Token(odd) if odd % 2 == 1 => {
                        if event.is_error() {
                            self.hear_icmp(odd / 2);
                        }
                        self.receive(odd / 2);
                    }
                    Token(even) => self.drive(even / 2 - 1),
                }
            }
            self.wheel.expire(self.now(), &mut due);
            for timer in due.drain(..) {
                self.fire(timer);
            }
        }
    }

    fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// How long there is nothing to do unless a socket or a submission says so.
    fn sleep(&self, more: bool) -> Option<Duration> {
        if more || !self.unread.is_empty() || !self.incoming.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = self.now();
        let gate = self
            .total_gate
            .as_ref()
            .filter(|_| !self.ready.is_empty() && !self.is_full());
        let next = self
            .wheel
            .next_ns()
            .into_iter()
            .chain(gate.map(|gate| gate.earliest(now)))
            .min()?;
        Some(Duration::from_nanos(next.saturating_sub(now)))
    }

    fn is_full(&self) -> bool {
        self.in_flight >= self.limits.in_flight_total
    }

    /// Move submissions to the queues of their addresses.
    fn admit(&mut self) {
        if self.incoming.is_empty() {
            self.incoming = std::mem::take(&mut *locked(&self.inbox.submitted)).into();
        }
        for _ in 0..ADMIT_PER_TURN {
            let Some(submission) = self.incoming.pop_front() else {
                return;
            };
            let peer = self.peer(submission.address.ip());
            let flight = self.flights.insert(Flight {
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
                born: self.serial,
                serial: self.serial,
                sent_ns: 0,
                sent_at_ns: 0,
                local_port: 0,
                place: Place::Waiting,
                last_socket: None,
            });
            if let Some(peer) = self.peers.get_mut(peer) {
                peer.unfinished += 1;
                peer.queue.push_back(flight);
            }
            self.schedule(peer);
        }
    }

    fn peer(&mut self, address: IpAddr) -> usize {
        if let Some(key) = self.peer_keys.get(&address) {
            return *key;
        }
        if self.peers.len() >= self.sweep_at {
            self.forget_idle_peers();
        }
        let key = self.peers.insert(Peer {
            address,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            unfinished: 0,
            gate: Gcra::new(self.limits.rate_qps, self.limits.burst),
            breakers: Default::default(),
            scheduled: false,
        });
        self.peer_keys.insert(address, key);
        key
    }

    /// Drop the addresses whose past has no influence on the future, so that memory follows the work at hand.
    fn forget_idle_peers(&mut self) {
        let now = self.now();
        let keys = &mut self.peer_keys;
        self.peers.retain(|_, peer| {
            let idle = peer.unfinished == 0 && !peer.scheduled;
            let keep =
                !(idle && peer.gate.is_fresh(now) && peer.breakers.iter().all(Breaker::is_fresh));
            if !keep {
                keys.remove(&peer.address);
            }
            keep
        });
        self.sweep_at = (self.peers.len() * 2).max(65_536);
    }

    fn schedule(&mut self, key: usize) {
        if let Some(peer) = self.peers.get_mut(key) {
            if !peer.scheduled && !peer.queue.is_empty() {
                peer.scheduled = true;
                self.ready.push_back(key);
            }
        }
    }

    /// Send for the ready addresses in turn. True if there may be more to send right away.
    fn send_ready(&mut self) -> bool {
        for _ in 0..SEND_PER_TURN {
            let Some(&key) = self.ready.front() else {
                return false;
            };
            let now = self.now();
            if self.is_full()
                || self
                    .total_gate
                    .as_ref()
                    .is_some_and(|gate| gate.earliest(now) > now)
            {
                return false;
            }
            self.ready.pop_front();
            let Some(peer) = self.peers.get_mut(key) else {
                continue;
            };
            peer.scheduled = false;
            let Some((flight, transport)) = peer
                .queue
                .front()
                .and_then(|flight| Some((*flight, self.flights.get(*flight)?.transport)))
            else {
                continue;
            };
            if peer
                .breakers
                .get(transport as usize)
                .is_some_and(|breaker| breaker.is_open(now))
            {
                peer.queue.pop_front();
                self.give_up(flight, Status::NotSentBreaker);
                self.schedule(key);
                continue;
            }
            if peer.in_flight.len() >= self.limits.in_flight_per_address as usize {
                continue;
            }
            let mut again_ns = peer.gate.earliest(now);
            if transport == Transport::Tcp && self.connections.len() >= self.connections_max {
                again_ns = now + LOCAL_PAUSE_NS;
            }
            if again_ns <= now {
                peer.queue.pop_front();
                if self.launch(flight, now) {
                    self.schedule(key);
                    continue;
                }
                again_ns = now + LOCAL_PAUSE_NS;
            }
            if let Some(peer) = self.peers.get_mut(key) {
                peer.scheduled = true;
                self.wheel.insert(again_ns, Timer::Peer(key));
            }
        }
        !self.ready.is_empty()
    }

    /// Send the next attempt of a query. False if the host cannot send now; the query is then back in its queue.
    fn launch(&mut self, key: usize, now: u64) -> bool {
        let Some(flight) = self.flights.get_mut(key) else {
            return true;
        };
        self.serial += 1;
        flight.serial = self.serial;
        if flight.mix_case {
            matching::mix_case(&mut flight.wire, flight.name_end, &mut self.entropy);
        }
        let sent_ns = self.origin.elapsed().as_nanos() as u64;
        let sent_at_ns = unix_ns();
        let outcome = match flight.transport {
            Transport::Udp => send_udp(
                flight,
                key,
                now,
                &mut self.udp,
                &mut self.entropy,
                self.poll.registry(),
            ),
            Transport::Tcp => {
                matching::set_id(&mut flight.wire, self.entropy.u16());
                open_tcp(flight, key, &mut self.connections, self.poll.registry())
            }
        };
        if let Err(error) = &outcome {
            if is_shortage(error) {
                let peer = flight.peer;
                if let Some(peer) = self.peers.get_mut(peer) {
                    peer.queue.push_front(key);
                }
                return false;
            }
        }
        flight.attempt += 1;
        flight.attempts_left = flight.attempts_left.saturating_sub(1);
        flight.sent_ns = sent_ns;
        flight.sent_at_ns = sent_at_ns;
        let (peer, deadline_ns, serial) = (flight.peer, sent_ns + flight.timeout_ns, flight.serial);
        match outcome {
            Ok((place, port)) => {
                flight.place = place;
                flight.local_port = port;
                if let Place::Udp { socket, .. } = place {
                    flight.last_socket = Some(socket);
                }
                self.in_flight += 1;
                if let Some(peer) = self.peers.get_mut(peer) {
                    peer.in_flight.push(key);
                    peer.gate.pass(now);
                }
                if let Some(gate) = &mut self.total_gate {
                    gate.pass(now);
                }
                self.wheel.insert(
                    deadline_ns,
                    Timer::Attempt {
                        flight: key,
                        serial,
                    },
                );
            }
            Err(error) => {
                flight.local_port = 0;
                let (status, os_error) = classify(&error, false);
                // A refusal that comes at once was still a packet to the peer.
                if let Some(peer) = self.peers.get_mut(peer) {
                    peer.gate.pass(now);
                }
                self.conclude(key, status, os_error, None);
            }
        }
        true
    }

    /// End an attempt: free what it held, judge the peer, then finish its query or let it go on.
    fn conclude(&mut self, key: usize, status: Status, os_error: i32, response: Option<Vec<u8>>) {
        let now = self.now();
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        let place = std::mem::replace(&mut flight.place, Place::Waiting);
        let truncated = status == Status::Answered
            && flight.transport == Transport::Udp
            && flight.tcp_after_truncation
            && response.as_deref().is_some_and(matching::is_truncated);
        let goes_on = match status {
            Status::Answered => truncated,
            // Nothing has left the host, and nothing would.
            Status::LocalError => false,
            _ => flight.attempts_left > 0,
        };
        let attempt = Attempt {
            tag: flight.tag,
            attempt: flight.attempt,
            transport: flight.transport,
            sent_at_ns: flight.sent_at_ns,
            rtt_us: response.as_ref().map(|_| rtt_us(flight.sent_ns, now)),
            local_port: flight.local_port,
            status,
            os_error,
            query: if goes_on {
                flight.wire.clone()
            } else {
                std::mem::take(&mut flight.wire)
            },
            response,
            response_from: None,
            last: !goes_on,
        };
        let peer_key = flight.peer;
        if let Some(peer) = self.peers.get_mut(peer_key) {
            if let Some(at) = peer.in_flight.iter().position(|other| *other == key) {
                peer.in_flight.swap_remove(at);
            }
            if let Some(breaker) = peer.breakers.get_mut(flight.transport as usize) {
                match status {
                    Status::Timeout | Status::IcmpUnreachable => {
                        breaker.silence(self.limits.breaker_silent, now)
                    }
                    Status::Answered | Status::Refused | Status::Reset => breaker.sound(),
                    Status::Mismatched | Status::NotSentBreaker | Status::LocalError => {}
                }
            }
        }
        match place {
            Place::Waiting => {}
            Place::Udp { socket, id } => {
                self.in_flight -= 1;
                let late =
                    (goes_on && status == Status::Timeout).then(|| Box::new(attempt.clone()));
                self.udp.release(socket, id, late, self.poll.registry());
            }
            Place::Tcp { connection } => {
                self.in_flight -= 1;
                if let Some(mut connection) = self.connections.try_remove(connection) {
                    let _ = self.poll.registry().deregister(&mut connection.stream);
                }
            }
        }
        self.done.push(attempt);
        if !goes_on {
            self.flights.remove(key);
            if let Some(peer) = self.peers.get_mut(peer_key) {
                peer.unfinished -= 1;
            }
        } else {
            if truncated {
                flight.transport = Transport::Tcp;
                flight.attempts_left = 1;
            }
            let pause_ends_ns = if truncated {
                now
            } else {
                flight.sent_ns + RETRY_PAUSE_NS
            };
            if pause_ends_ns <= now {
                self.queue_first(key);
            } else {
                self.wheel.insert(
                    pause_ends_ns,
                    Timer::Retry {
                        flight: key,
                        serial: flight.serial,
                    },
                );
            }
        }
        self.schedule(peer_key);
    }

    fn queue_first(&mut self, key: usize) {
        let Some(peer_key) = self.flights.get(key).map(|flight| flight.peer) else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(peer_key) {
            peer.queue.push_front(key);
        }
        self.schedule(peer_key);
    }

    /// End a query without sending.
    fn give_up(&mut self, key: usize, status: Status) {
        let Some(flight) = self.flights.try_remove(key) else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(flight.peer) {
            peer.unfinished -= 1;
        }
        self.done.push(Attempt {
            tag: flight.tag,
            attempt: flight.attempt + 1,
            transport: flight.transport,
            sent_at_ns: unix_ns(),
            rtt_us: None,
            local_port: 0,
            status,
            os_error: 0,
            query: flight.wire,
            response: None,
            response_from: None,
            last: true,
        });
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Attempt { flight, serial } => {
                let current = self.flights.get(flight);
                if current
                    .is_some_and(|it| it.serial == serial && !matches!(it.place, Place::Waiting))
                {
                    self.conclude(flight, Status::Timeout, 0, None);
                }
            }
            Timer::Retry { flight, serial } => {
                if self
                    .flights
                    .get(flight)
                    .is_some_and(|it| it.serial == serial)
                {
                    self.queue_first(flight);
                }
            }
            Timer::Peer(key) => {
                if let Some(peer) = self.peers.get_mut(key) {
                    peer.scheduled = false;
                }
                self.schedule(key);
            }
        }
    }

    /// Read the datagrams of a socket.
    fn receive(&mut self, key: usize) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut left = RECEIVE_PER_SOCKET;
        while let Some(socket) = self.udp.sockets.get(key) {
            match socket.io.recv_from(&mut scratch) {
                Ok((length, from)) => {
                    self.hear(key, from, scratch.get(..length).unwrap_or_default())
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // With IP_RECVERR an ICMP error also fails the next call; the queue has the details.
                Err(_) => self.hear_icmp(key),
            }
            left -= 1;
            if left == 0 {
                self.unread.push(key);
                break;
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
            // An ID that this socket never used: most likely meant for a query that waits for that peer here.
            let here = |key: &&usize| {
                self.flights.get(**key).is_some_and(|flight| {
                    flight.address == from
                        && matches!(flight.place, Place::Udp { socket: at, .. } if at == socket)
                })
            };
            let peer = self
                .peer_keys
                .get(&from.ip())
                .and_then(|key| self.peers.get(*key));
            if let Some(key) = peer
                .and_then(|peer| peer.in_flight.iter().rev().find(here))
                .copied()
            {
                self.mismatch(key, from, datagram);
            }
            return;
        };
        let key = sent.flight;
        let Some(flight) = self.flights.get(key) else {
            return;
        };
        if flight.serial == sent.serial {
            if matches!(flight.place, Place::Waiting) {
                // Already over: a second answer, or one after ICMP.
            } else if same_endpoint(&flight.address, &from)
                && matching::answers(&flight.wire, flight.name_end, datagram)
            {
                self.conclude(key, Status::Answered, 0, Some(datagram.to_vec()));
            } else {
                self.mismatch(key, from, datagram);
            }
        } else if let Some(late) = &sent.late {
            if sent.serial > flight.born
                && same_endpoint(&flight.address, &from)
                && matching::answers(&late.query, flight.name_end, datagram)
            {
                let mut attempt = (**late).clone();
                let age = unix_ns().saturating_sub(late.sent_at_ns);
                attempt.rtt_us = Some(u32::try_from(age / 1000).unwrap_or(u32::MAX));
                self.report(key, attempt, from, datagram);
            }
        }
    }

    /// Report a datagram or message that is not the answer of this query's running attempt.
    fn mismatch(&mut self, key: usize, from: SocketAddr, octets: &[u8]) {
        let now = self.now();
        let Some(flight) = self.flights.get(key) else {
            return;
        };
        if flight.mismatches >= MISMATCHES_PER_QUERY {
            return;
        }
        let attempt = Attempt {
            tag: flight.tag,
            attempt: flight.attempt,
            transport: flight.transport,
            sent_at_ns: flight.sent_at_ns,
            rtt_us: Some(rtt_us(flight.sent_ns, now)),
            local_port: flight.local_port,
            status: Status::Mismatched,
            os_error: 0,
            query: flight.wire.clone(),
            response: None,
            response_from: None,
            last: false,
        };
        self.report(key, attempt, from, octets);
    }

    fn report(&mut self, key: usize, mut attempt: Attempt, from: SocketAddr, octets: &[u8]) {
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        if flight.mismatches >= MISMATCHES_PER_QUERY {
            return;
        }
        flight.mismatches += 1;
        attempt.status = Status::Mismatched;
        attempt.response = Some(octets.to_vec());
        attempt.response_from = (!same_endpoint(&flight.address, &from)).then_some(from);
        attempt.last = false;
        self.done.push(attempt);
    }

    /// End the attempts of a socket for which ICMP said that the peer cannot be reached.
    fn hear_icmp(&mut self, socket: usize) {
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
            let running = self.flights.get(key).is_some_and(|flight| {
                flight.serial == serial
                    && same_endpoint(&flight.address, &error.peer)
                    && !matches!(flight.place, Place::Waiting)
            });
            if running {
                self.conclude(key, Status::IcmpUnreachable, error.errno, None);
            }
        }
    }

    /// Go on with a TCP connection.
    fn drive(&mut self, connection: usize) {
        let mut scratch = std::mem::take(&mut self.scratch);
        while let Some(state) = self.connections.get_mut(connection) {
            let key = state.flight;
            let Some(flight) = self
                .flights
                .get(key)
                .filter(|flight| flight.serial == state.serial)
            else {
                break;
            };
            let address = flight.address;
            match state.drive(&mut scratch) {
                Progress::Waiting => break,
                Progress::Failed(status, os_error) => self.conclude(key, status, os_error, None),
                Progress::Message(message)
                    if matching::answers(&flight.wire, flight.name_end, &message) =>
                {
                    self.conclude(key, Status::Answered, 0, Some(message));
                }
                Progress::Message(message) => self.mismatch(key, address, &message),
            }
        }
        self.scratch = scratch;
    }
}

fn send_udp(
    flight: &mut Flight,
    key: usize,
    now: u64,
    pool: &mut udp::Pool,
    entropy: &mut Entropy,
    registry: &mio::Registry,
) -> io::Result<(Place, u16)> {
    let socket = pool.pick(&flight.address, flight.last_socket, now, entropy, registry)?;
    let id = pool.fresh_id(socket, entropy);
    matching::set_id(&mut flight.wire, id);
    let state = pool.sockets.get(socket).ok_or(io::ErrorKind::NotFound)?;
    let port = state.port;
    let mut tries = 3;
    while let Err(error) = state.io.send_to(&flight.wire, flight.address) {
        tries -= 1;
        // With IP_RECVERR a call may fail with the ICMP error of an earlier datagram to somebody else.
        if tries == 0 || !may_be_icmp(&error) {
            return Err(error);
        }
    }
    pool.record(socket, id, key, flight.serial);
    Ok((Place::Udp { socket, id }, port))
}

fn open_tcp(
    flight: &Flight,
    key: usize,
    connections: &mut Slab<Connection>,
    registry: &mio::Registry,
) -> io::Result<(Place, u16)> {
    let mut opened = Connection::open(flight.address, &flight.wire, key, flight.serial)?;
    let entry = connections.vacant_entry();
    let connection = entry.key();
    let token = Token(connection * 2 + 2);
    registry.register(
        &mut opened.stream,
        token,
        Interest::READABLE | Interest::WRITABLE,
    )?;
    let port = opened
        .stream
        .local_addr()
        .map_or(0, |address| address.port());
    entry.insert(opened);
    Ok((Place::Tcp { connection }, port))
}

/// True for errors that ICMP leaves behind on a socket.
fn may_be_icmp(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENOPROTOOPT
                | libc::EPROTO
                | libc::EOPNOTSUPP
                | libc::EACCES
                | libc::EMSGSIZE
        )
    )
}

/// True if the host is out of something for a moment.
fn is_shortage(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EAGAIN
                | libc::ENOBUFS
                | libc::ENOMEM
                | libc::EMFILE
                | libc::ENFILE
                | libc::EADDRNOTAVAIL
        )
    )
}

/// Same address and port; flow label and scope do not matter.
fn same_endpoint(a: &SocketAddr, b: &SocketAddr) -> bool {
    a.ip() == b.ip() && a.port() == b.port()
}

fn rtt_us(sent_ns: u64, now_ns: u64) -> u32 {
    u32::try_from(now_ns.saturating_sub(sent_ns) / 1000).unwrap_or(u32::MAX)
}

/// Unix time; 0 on a host whose clock stands before 1970.
fn unix_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos() as i64)
}
