//! One I/O thread: its loop, its timers, and the life of a query. `governor` says when, `sending` and `hearing` how.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use nix::sys::resource::{getrlimit, Resource};
use slab::Slab;

use super::entropy::Entropy;
use super::flight::{unix_ns, Flight, Place};
use super::governor::{Alarm, Governor, Landing, Next, Told};
use super::matching::{self, Mismatch};
use super::streams::Streams;
use super::wheel::Wheel;
use super::{locked, stream, udp, Attempt, Config, Inbox, Outbox, Status, Submission, Transport};

const WAKER: Token = Token(0);
/// Work done between two looks at the sockets, so that neither sending nor receiving starves the other.
const ADMIT_PER_TURN: usize = 2048;
const SEND_PER_TURN: usize = 256;
/// A query is sent again no sooner than this after its last attempt, however fast that failed.
const RETRY_PAUSE_NS: u64 = 200_000_000;
/// How often it is looked whether attempts were taken when too many wait for that.
const CROWDED_PAUSE: Duration = Duration::from_millis(2);
const SOCKETS_PER_FAMILY: u64 = 32;
/// Deadlines fall together: most are those of attempts long answered, and each of them would wake the shard.
const DEADLINE_GRAIN_NS: u64 = 16_000_000;

pub(super) enum Timer {
    /// The attempt with this serial has had its time.
    Attempt {
        flight: usize,
        serial: u64,
    },
    /// The attempt with this serial failed early; its query may go on now.
    Retry {
        flight: usize,
        serial: u64,
    },
    Alarm(Alarm),
    /// A connection that has sent no more than this by now has been idle.
    Idle {
        connection: usize,
        sent: usize,
    },
}

pub struct Shard {
    pub(super) origin: Instant,
    pub(super) poll: Poll,
    /// Says which UDP sockets have datagrams, and wakes nobody up: they are looked at once in a turn. Without turns
    /// `poll` says it.
    pub(super) datagrams: Option<Poll>,
    turn_ns: u64,
    /// When the last turn began.
    pub(super) turned_ns: u64,
    next_turn_ns: u64,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    incoming: VecDeque<Submission>,
    pub(super) flights: Slab<Flight>,
    pub(super) serial: u64,
    pub(super) governor: Governor,
    pub(super) wheel: Wheel<Timer>,
    pub(super) udp: udp::Pool,
    pub(super) streams: Streams,
    /// UDP sockets that may hold more datagrams than were read in one turn.
    pub(super) unread: Vec<usize>,
    /// Connections with queries to send.
    pub(super) unflushed: Vec<usize>,
    pub(super) entropy: Entropy,
    pub(super) scratch: Vec<u8>,
    pub(super) mismatches: Arc<[AtomicU64; Mismatch::COUNT]>,
    pub(super) done: Vec<Attempt>,
}

/// Tells the outbox when the thread ends by a panic, so that nobody waits for ever.
struct Distress(Arc<Outbox>);

impl Drop for Distress {
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
        config: &Config,
        inbox: Arc<Inbox>,
        outbox: Arc<Outbox>,
        mismatches: Arc<[AtomicU64; Mismatch::COUNT]>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let datagrams = match config.turn {
            Duration::ZERO => None,
            _ => Some(Poll::new()?),
        };
        udp::probe(config.local, poll.registry())?;
        let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft);
        let share = descriptors / config.shards.max(1) as u64;
        let sockets = (share / 16).clamp(1, SOCKETS_PER_FAMILY) as usize;
        let in_flight = u64::from(config.limits.in_flight_total);
        let connections = (share / 2).clamp(1, in_flight.max(1)) as usize;
        let shard = Self {
            origin: Instant::now(),
            poll,
            turn_ns: config.turn.as_nanos() as u64,
            turned_ns: 0,
            next_turn_ns: 0,
            inbox,
            outbox,
            incoming: VecDeque::new(),
            flights: Slab::new(),
            serial: 0,
            governor: Governor::new(config.limits.clone(), config.turn),
            wheel: Wheel::new(),
            udp: udp::Pool::new(sockets, config.local, datagrams.is_some()),
            datagrams,
            streams: Streams::new(connections, config.local),
            unread: Vec::new(),
            unflushed: Vec::new(),
            entropy: Entropy::new()?,
            scratch: vec![0; 65_536],
            mismatches,
            done: Vec::new(),
        };
        Ok((shard, waker))
    }

    /// Work until the engine is closed.
    pub fn run(&mut self) {
        let _distress = Distress(self.outbox.clone());
        let mut events = Events::with_capacity(1024);
        let mut due = Vec::new();
        while !self.inbox.closing.load(Ordering::Acquire) {
            let is_turn = self.begin_turn(&mut events, &mut due);
            self.admit();
            let more = self.send_ready();
            let mut unflushed = std::mem::take(&mut self.unflushed);
            unflushed.sort_unstable();
            unflushed.dedup();
            for connection in unflushed {
                self.drive(connection);
            }
            for (at_ns, alarm) in self.governor.alarms.drain(..) {
                self.wheel.insert(at_ns, Timer::Alarm(alarm));
            }
            if is_turn && !self.done.is_empty() {
                self.outbox.deliver(&mut self.done);
            }
            let timeout = self.sleep(more);
            if wait(&mut self.poll, &mut events, timeout) {
                self.handle(&events);
            }
        }
    }

    /// Look at what waits for a turn, if it is time for one: datagrams, unless they wake the shard up, and timers.
    fn begin_turn(&mut self, events: &mut Events, due: &mut Vec<Timer>) -> bool {
        let now = self.now();
        if now < self.next_turn_ns {
            return false;
        }
        self.next_turn_ns = now + self.turn_ns;
        for socket in std::mem::take(&mut self.unread) {
            self.receive(socket);
        }
        if let Some(datagrams) = &mut self.datagrams {
            if wait(datagrams, events, Some(Duration::ZERO)) {
                self.handle(events);
            }
        }
        self.turned_ns = now;
        self.wheel.expire(self.now(), due);
        for timer in due.drain(..) {
            self.fire(timer);
        }
        true
    }

    fn handle(&mut self, events: &Events) {
        for event in events {
            if let Some(socket) = udp::key(event.token()) {
                if event.is_error() {
                    self.hear_icmp(socket);
                }
                self.receive(socket);
            } else if let Some(connection) = stream::key(event.token()) {
                self.drive(connection);
            }
        }
    }

    /// Nanoseconds since the shard began.
    pub(super) fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// How long there is nothing to do unless a connection or a submission says so.
    fn sleep(&self, more: bool) -> Option<Duration> {
        if more
            || !self.unread.is_empty()
            || !self.incoming.is_empty()
            || !self.unflushed.is_empty()
        {
            return Some(Duration::ZERO);
        }
        let now = self.now();
        let turn = Duration::from_nanos(self.next_turn_ns.saturating_sub(now));
        let wants_turn =
            !self.done.is_empty() || (self.datagrams.is_some() && self.udp.in_flight > 0);
        let times = self
            .wheel
            .next_ns()
            .into_iter()
            .chain(self.governor.next_ns(now))
            .chain(wants_turn.then_some(now));
        let mut wait = times
            .min()
            .map(|next| Duration::from_nanos(next.saturating_sub(now)).max(turn));
        if self.outbox.is_crowded() {
            wait = Some(wait.map_or(CROWDED_PAUSE, |wait| wait.max(CROWDED_PAUSE)));
        }
        let mut submitted = locked(&self.inbox.submitted);
        if !submitted.queries.is_empty() {
            return Some(Duration::ZERO);
        }
        submitted.is_asleep = true;
        wait
    }

    /// Move submissions to the queues of their addresses.
    fn admit(&mut self) {
        if self.incoming.is_empty() {
            let mut submitted = locked(&self.inbox.submitted);
            submitted.is_asleep = false;
            self.incoming = std::mem::take(&mut submitted.queries).into();
        }
        let now = self.now();
        for _ in 0..ADMIT_PER_TURN {
            let Some(submission) = self.incoming.pop_front() else {
                return;
            };
            let (ip, transport) = (submission.address.ip(), submission.transport);
            let entry = self.flights.vacant_entry();
            let key = entry.key();
            let flight = entry.insert(Flight::new(submission, self.serial));
            flight.peer = self.governor.add(ip, key, transport, now);
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
            Timer::Alarm(alarm) => {
                let now = self.now();
                self.governor.wake(alarm, now);
            }
            Timer::Idle { connection, sent } => self.close_idle(connection, sent),
        }
    }

    /// Send what may be sent. True if there may be more to send right away.
    fn send_ready(&mut self) -> bool {
        if self.outbox.is_crowded() {
            return false;
        }
        for _ in 0..SEND_PER_TURN {
            let now = self.now();
            match self.governor.next(now) {
                None => return false,
                Some(Next::Refuse { flight }) => self.give_up(flight, Status::NotSentBreaker),
                Some(Next::Send { peer, flight }) => self.launch(peer, flight, now),
            }
        }
        true
    }

    /// Count an attempt that leaves, and limit its time.
    pub(super) fn take_off(&mut self, key: usize) {
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        flight.attempt += 1;
        flight.attempts_left = flight.attempts_left.saturating_sub(1);
        self.governor.take_off(flight.peer, key, flight.sent_ns);
        let deadline_ns = flight.sent_ns.saturating_add(flight.timeout_ns);
        let deadline_ns = deadline_ns
            .checked_next_multiple_of(DEADLINE_GRAIN_NS)
            .unwrap_or(deadline_ns);
        self.wheel.insert(
            deadline_ns,
            Timer::Attempt {
                flight: key,
                serial: flight.serial,
            },
        );
    }

    /// End an attempt that was counted by `take_off`: free what it held, judge the peer, then finish its query or let
    /// it go on.
    pub(super) fn conclude(
        &mut self,
        key: usize,
        status: Status,
        code: i32,
        response: Option<Vec<u8>>,
    ) {
        self.conclude_at(self.now(), key, status, code, response);
    }

    /// The same, with the time when the response came.
    pub(super) fn conclude_at(
        &mut self,
        came_ns: u64,
        key: usize,
        status: Status,
        code: i32,
        response: Option<Vec<u8>>,
    ) {
        let now = self.now();
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        let over_tcp = flight.transport == Transport::Udp
            && match status {
                Status::Answered => {
                    flight.tcp_after_truncation
                        && response.as_deref().is_some_and(matching::is_truncated)
                }
                Status::Mismatched => true,
                _ => false,
            };
        let goes_on = match status {
            Status::Answered | Status::Mismatched => over_tcp,
            // Nothing has left the host, and nothing would.
            Status::LocalError => false,
            _ => flight.attempts_left > 0,
        };
        let query = match goes_on {
            true => flight.wire.clone(),
            false => std::mem::take(&mut flight.wire),
        };
        let attempt = Attempt {
            code,
            last: !goes_on,
            response_from: flight.doubted_from.take(),
            ..flight.record(query, status, response, came_ns)
        };
        let (peer, sent_ns) = (flight.peer, flight.sent_ns);
        let landing = Landing {
            transport: flight.transport,
            told: told(status),
            sent_ns,
            finished: !goes_on,
        };
        match std::mem::replace(&mut flight.place, Place::Waiting) {
            Place::Waiting => {}
            Place::Udp { socket, id } => {
                let late =
                    (goes_on && status != Status::Answered).then(|| Box::new(attempt.clone()));
                self.udp.release(socket, id, late);
            }
            Place::Stream { connection, id } => self.leave_connection(connection, id, status),
        }
        self.governor.land(peer, key, &landing, now);
        self.done.push(attempt);
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        if over_tcp {
            flight.transport = Transport::Tcp;
            flight.attempts_left = 1;
            self.queue_first(key);
        } else if goes_on {
            let again_ns = sent_ns + RETRY_PAUSE_NS;
            if again_ns <= now {
                self.queue_first(key);
            } else {
                let serial = flight.serial;
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
    }

    fn queue_first(&mut self, key: usize) {
        if let Some(flight) = self.flights.get(key) {
            self.governor
                .queue_first(flight.peer, key, flight.transport);
        }
    }

    /// End a query whose next attempt will not be sent.
    fn give_up(&mut self, key: usize, status: Status) {
        let Some(mut flight) = self.flights.try_remove(key) else {
            return;
        };
        flight.attempt += 1;
        flight.local_port = 0;
        flight.sent_at_ns = unix_ns();
        let query = std::mem::take(&mut flight.wire);
        self.done.push(Attempt {
            last: true,
            ..flight.record(query, status, None, 0)
        });
    }
}

/// Wait for events; false if a signal came instead.
fn wait(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> bool {
    let Err(error) = poll.poll(events, timeout) else {
        return true;
    };
    assert!(
        error.kind() == io::ErrorKind::Interrupted,
        "waiting for sockets failed: {error}"
    );
    false
}

/// What the end of an attempt tells about the address.
fn told(status: Status) -> Told {
    match status {
        Status::Answered | Status::Refused | Status::Reset | Status::TlsFailed => Told::Alive,
        Status::Timeout => Told::Lost,
        Status::IcmpUnreachable => Told::Unreachable,
        _ => Told::Nothing,
    }
}
