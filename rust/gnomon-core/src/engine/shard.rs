//! One I/O thread: queues, limits and timers. `sending` and `hearing` hold the rest of its work.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use nix::sys::resource::{getrlimit, Resource};
use slab::Slab;

use super::entropy::Entropy;
use super::flight::{unix_ns, Flight, Peer, Place};
use super::limiter::Gcra;
use super::tcp::{self, Connection};
use super::wheel::Wheel;
use super::{locked, matching, udp, Attempt, Inbox, Limits, Outbox, Status, Submission, Transport};

const WAKER: Token = Token(0);
/// Work done between two looks at the sockets, so that neither sending nor receiving starves the other.
const ADMIT_PER_TURN: usize = 2048;
const SEND_PER_TURN: usize = 64;
/// A query is sent again no sooner than this after its last attempt, however fast that failed.
const RETRY_PAUSE_NS: u64 = 200_000_000;
/// When the host is out of buffers or descriptors, try again after this.
const SHORTAGE_PAUSE_NS: u64 = 10_000_000;
const SOCKETS_PER_FAMILY: u64 = 32;
/// Addresses remembered before the first look for some to forget.
const PEERS_BEFORE_SWEEP: usize = 65_536;

pub(super) enum Timer {
    /// The attempt with this serial has had its time.
    Attempt { flight: usize, serial: u64 },
    /// The attempt with this serial failed early; its query may go on now.
    Retry { flight: usize, serial: u64 },
    /// The peer may be asked again.
    Peer(usize),
}

pub struct Shard {
    pub(super) origin: Instant,
    pub(super) poll: Poll,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    limits: Limits,
    total_gate: Option<Gcra>,
    connections_max: usize,
    incoming: VecDeque<Submission>,
    pub(super) flights: Slab<Flight>,
    in_flight: u32,
    pub(super) serial: u64,
    pub(super) peers: Slab<Peer>,
    pub(super) peer_keys: HashMap<IpAddr, usize>,
    sweep_at: usize,
    ready: VecDeque<usize>,
    wheel: Wheel<Timer>,
    pub(super) udp: udp::Pool,
    pub(super) connections: Slab<Connection>,
    /// UDP sockets that may hold more datagrams than were read in one turn.
    pub(super) unread: Vec<usize>,
    pub(super) entropy: Entropy,
    pub(super) scratch: Vec<u8>,
    pub(super) done: Vec<Attempt>,
}

/// Tells the outbox when the thread ends by a panic, so that nobody waits for ever.
struct Alarm(Arc<Outbox>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ready = locked(&self.0.ready);
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
        // Ten milliseconds' worth back to back: the resolution of a sleep must not lower the rate.
        let total_burst = (limits.total_qps / 100.0).clamp(1.0, 1e6) as u32;
        let total_gate = (limits.total_qps > 0.0).then(|| Gcra::new(limits.total_qps, total_burst));
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
            sweep_at: PEERS_BEFORE_SWEEP,
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
                if let Some(socket) = udp::key(event.token()) {
                    if event.is_error() {
                        self.hear_icmp(socket);
                    }
                    self.receive(socket);
                } else if let Some(connection) = tcp::key(event.token()) {
                    self.drive(connection);
                }
            }
            self.wheel.expire(self.now(), &mut due);
            for timer in due.drain(..) {
                self.fire(timer);
            }
        }
    }

    /// Nanoseconds since the shard began.
    pub(super) fn now(&self) -> u64 {
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
            let peer_key = self.peer(submission.address.ip());
            let flight = self
                .flights
                .insert(Flight::new(submission, peer_key, self.serial));
            if let Some(peer) = self.peers.get_mut(peer_key) {
                peer.unfinished += 1;
                peer.queue.push_back(flight);
            }
            self.schedule(peer_key);
        }
    }

    fn peer(&mut self, address: IpAddr) -> usize {
        if let Some(key) = self.peer_keys.get(&address) {
            return *key;
        }
        if self.peers.len() >= self.sweep_at {
            self.forget_idle_peers();
        }
        let key = self.peers.insert(Peer::new(address, &self.limits));
        self.peer_keys.insert(address, key);
        key
    }

    /// Memory follows the work at hand, not the number of addresses ever asked.
    fn forget_idle_peers(&mut self) {
        let now = self.now();
        let keys = &mut self.peer_keys;
        self.peers.retain(|_, peer| {
            let forget = peer.is_forgettable(now);
            if forget {
                keys.remove(&peer.address);
            }
            !forget
        });
        self.sweep_at = (self.peers.len() * 2).max(PEERS_BEFORE_SWEEP);
    }

    fn schedule(&mut self, key: usize) {
        if let Some(peer) = self.peers.get_mut(key) {
            if !peer.scheduled && !peer.queue.is_empty() {
                peer.scheduled = true;
                self.ready.push_back(key);
            }
        }
    }

    /// Let a peer's queue rest until then.
    fn postpone(&mut self, key: usize, until_ns: u64) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.scheduled = true;
            self.wheel.insert(until_ns, Timer::Peer(key));
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Attempt { flight, serial } => {
                if self
                    .flights
                    .get(flight)
                    .is_some_and(|it| it.serial == serial && !it.is_waiting())
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

    /// Send for the ready addresses in turn. True if there may be more to send right away.
    fn send_ready(&mut self) -> bool {
        for _ in 0..SEND_PER_TURN {
            let now = self.now();
            if self.is_full()
                || self
                    .total_gate
                    .as_ref()
                    .is_some_and(|gate| gate.earliest(now) > now)
            {
                return false;
            }
            let Some(key) = self.ready.pop_front() else {
                return false;
            };
            self.serve(key, now);
        }
        !self.ready.is_empty()
    }

    /// Send one query to a peer if its limits allow it now; else see to it that it is served in time.
    fn serve(&mut self, key: usize, now: u64) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        peer.scheduled = false;
        let Some(&next) = peer.queue.front() else {
            return;
        };
        let Some(transport) = self.flights.get(next).map(|flight| flight.transport) else {
            return;
        };
        if peer
            .breakers
            .get(transport as usize)
            .is_some_and(|breaker| breaker.is_open(now))
        {
            peer.queue.pop_front();
            self.give_up(next, Status::NotSentBreaker);
            return self.schedule(key);
        }
        if peer.in_flight.len() >= self.limits.in_flight_per_address as usize {
            // The end of an attempt schedules it again.
            return;
        }
        let allowed_ns = peer.gate.earliest(now);
        if allowed_ns > now {
            return self.postpone(key, allowed_ns);
        }
        if transport == Transport::Tcp && self.connections.len() >= self.connections_max {
            return self.postpone(key, now + SHORTAGE_PAUSE_NS);
        }
        peer.queue.pop_front();
        if self.launch(next) {
            self.schedule(key);
        } else {
            if let Some(peer) = self.peers.get_mut(key) {
                peer.queue.push_front(next);
            }
            self.postpone(key, now + SHORTAGE_PAUSE_NS);
        }
    }

    /// Count an attempt that leaves, and limit its time.
    pub(super) fn take_off(&mut self, key: usize) {
        let Some(flight) = self.flights.get(key) else {
            return;
        };
        self.in_flight += 1;
        if let Some(peer) = self.peers.get_mut(flight.peer) {
            peer.in_flight.push(key);
            peer.gate.pass(flight.sent_ns);
        }
        if let Some(gate) = &mut self.total_gate {
            gate.pass(flight.sent_ns);
        }
        let deadline_ns = flight.sent_ns.saturating_add(flight.timeout_ns);
        self.wheel.insert(
            deadline_ns,
            Timer::Attempt {
                flight: key,
                serial: flight.serial,
            },
        );
    }

    /// End an attempt that was counted by `take_off`: free what it held, judge the peer, then finish its query or let it go on.
    pub(super) fn conclude(
        &mut self,
        key: usize,
        status: Status,
        os_error: i32,
        response: Option<Vec<u8>>,
    ) {
        let now = self.now();
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        let follow_up = status == Status::Answered
            && flight.transport == Transport::Udp
            && flight.tcp_after_truncation
            && response.as_deref().is_some_and(matching::is_truncated);
        let goes_on = match status {
            Status::Answered => follow_up,
            // Nothing has left the host, and nothing would.
            Status::LocalError => false,
            _ => flight.attempts_left > 0,
        };
        let attempt = Attempt {
            os_error,
            last: !goes_on,
            ..flight.record(status, response, now)
        };
        let peer_key = flight.peer;
        self.in_flight -= 1;
        if let Some(peer) = self.peers.get_mut(peer_key) {
            peer.land(key);
            if let Some(breaker) = peer.breakers.get_mut(flight.transport as usize) {
                match status {
                    Status::Timeout | Status::IcmpUnreachable => {
                        breaker.silence(self.limits.breaker_silent, now);
                    }
                    Status::Answered | Status::Refused | Status::Reset => breaker.sound(),
                    Status::Mismatched | Status::NotSentBreaker | Status::LocalError => {}
                }
            }
            if !goes_on {
                peer.unfinished -= 1;
            }
        }
        match std::mem::replace(&mut flight.place, Place::Waiting) {
            Place::Waiting => {}
            Place::Udp { socket, id } => {
                let late =
                    (goes_on && status == Status::Timeout).then(|| Box::new(attempt.clone()));
                self.udp.release(socket, id, late, self.poll.registry());
            }
            Place::Tcp { connection } => {
                if let Some(mut connection) = self.connections.try_remove(connection) {
                    // Closing deregisters anyway.
                    let _ = self.poll.registry().deregister(&mut connection.stream);
                }
            }
        }
        self.done.push(attempt);
        if follow_up {
            flight.transport = Transport::Tcp;
            flight.attempts_left = 1;
            self.queue_first(key);
        } else if goes_on {
            let again_ns = flight.sent_ns + RETRY_PAUSE_NS;
            let serial = flight.serial;
            if again_ns <= now {
                self.queue_first(key);
            } else {
                self.wheel.insert(
                    again_ns,
                    Timer::Retry {
                        flight: key,
                        serial,
                    },
                );
            }
        } else {
            self.flights.remove(key);
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

    /// End a query whose next attempt will not be sent.
    fn give_up(&mut self, key: usize, status: Status) {
        let Some(mut flight) = self.flights.try_remove(key) else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(flight.peer) {
            peer.unfinished -= 1;
        }
        flight.attempt += 1;
        flight.local_port = 0;
        flight.sent_at_ns = unix_ns();
        self.done.push(Attempt {
            last: true,
            ..flight.record(status, None, 0)
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn addresses_without_influence_are_forgotten() {
        let limits = Limits {
            rate_qps: 10.0,
            burst: 4,
            in_flight_per_address: 4,
            in_flight_total: 100,
            breaker_silent: 6,
            total_qps: 0.0,
        };
        let (mut shard, _waker) = Shard::new(limits, Arc::default(), Arc::default()).unwrap();
        let address = |n: usize| IpAddr::from(Ipv4Addr::from(n as u32));
        for n in 0..PEERS_BEFORE_SWEEP {
            let key = shard.peer(address(n));
            let now = shard.now();
            let peer = shard.peers.get_mut(key).unwrap();
            match n {
                1 => peer.unfinished = 1,
                2 => peer.scheduled = true,
                3 => peer.breakers.last_mut().unwrap().silence(6, now),
                4 => (0..40).for_each(|_| peer.gate.pass(now + 1_000_000_000)),
                _ => {}
            }
        }
        shard.peer(address(PEERS_BEFORE_SWEEP));
        let mut left: Vec<IpAddr> = shard.peers.iter().map(|(_, peer)| peer.address).collect();
        left.sort();
        assert_eq!(left, [1, 2, 3, 4, PEERS_BEFORE_SWEEP].map(address));
        assert_eq!(shard.peer_keys.len(), 5);
        assert!(shard.peer_keys.iter().all(|(address, key)| shard
            .peers
            .get(*key)
            .unwrap()
            .address
            == *address));
    }
}
