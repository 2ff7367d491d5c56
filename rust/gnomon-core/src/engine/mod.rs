//! The query engine: queries in, attempts out, within limits. Knows nothing of Python and has no policy.
//!
//! Each shard is one OS thread with its own sockets, timers and limits; a network (IPv4 /24, IPv6 /48) belongs to one
//! shard by hash, so limits need no locks. What holds for everything together is divided among the shards. The loop
//! is built on `mio` and not on tokio: the work is one state machine per query over a few sockets, and with readiness
//! events it needs neither a task, nor a timer object, nor a channel hop per query.

mod entropy;
mod flight;
mod governor;
mod hearing;
mod icmp;
mod limiter;
mod matching;
mod policy;
mod sending;
mod shard;
mod stream;
mod streams;
mod tls;
mod types;
mod udp;
mod wheel;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::Waker;

pub use matching::{Expected, Mismatch};
pub use policy::{Policy, Prefix};
use shard::Shard;
pub use types::{Attempt, Config, Limits, Status, Submission, Transport};

/// Queries that may be pending at once: what a caller may have submitted before it takes what came of them.
pub const CAPACITY: usize = 65_536;
/// While attempts of more octets than this wait to be taken, nothing is sent.
const CROWD_OCTETS: usize = 128 << 20;

/// What the shards have to hand over, and whether one of them has died.
#[derive(Default)]
struct Outbox {
    ready: Mutex<Vec<Attempt>>,
    octets: AtomicUsize,
    arrived: Condvar,
    broken: AtomicBool,
}

impl Outbox {
    fn deliver(&self, attempts: &mut Vec<Attempt>) {
        let octets = attempts.iter().map(Attempt::octets).sum();
        self.octets.fetch_add(octets, Ordering::Relaxed);
        let mut ready = locked(&self.ready);
        let was_empty = ready.is_empty();
        ready.append(attempts);
        if was_empty {
            self.arrived.notify_one();
        }
    }

    /// True if too much waits to be taken.
    fn is_crowded(&self) -> bool {
        self.octets.load(Ordering::Relaxed) > CROWD_OCTETS
    }
}

/// What a shard is asked to do.
#[derive(Default)]
struct Inbox {
    submitted: Mutex<Submitted>,
    closing: AtomicBool,
}

#[derive(Default)]
struct Submitted {
    queries: Vec<Submission>,
    /// The shard does not look here until it is woken.
    is_asleep: bool,
}

/// A thread that panicked leaves its data as they were; reading them is safe.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct ShardHandle {
    inbox: Arc<Inbox>,
    waker: Waker,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Why `Engine::submit` or `Engine::take` cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Closed,
    /// An I/O thread has died: a bug.
    Broken,
    /// More queries than `Engine::credit` allowed.
    Full,
}

pub struct Engine {
    shards: Vec<ShardHandle>,
    policy: Policy,
    outbox: Arc<Outbox>,
    mismatches: Arc<[AtomicU64; Mismatch::COUNT]>,
    pending: AtomicUsize,
    closed: AtomicBool,
}

impl Engine {
    /// Open what is needed and start the I/O threads.
    pub fn start(mut config: Config) -> io::Result<Self> {
        let outbox = Arc::new(Outbox::default());
        let mismatches: Arc<[AtomicU64; Mismatch::COUNT]> = Arc::default();
        let limits = &mut config.limits;
        config.shards = config
            .shards
            .clamp(1, limits.in_flight_total.max(1) as usize);
        let shares = u32::try_from(config.shards).unwrap_or(1);
        limits.in_flight_total = (limits.in_flight_total / shares).max(1);
        limits.total_qps /= f64::from(shares);
        let shards = (0..config.shards)
            .map(|number| {
                let inbox = Arc::new(Inbox::default());
                let (mut shard, waker) =
                    Shard::new(&config, inbox.clone(), outbox.clone(), mismatches.clone())?;
                let thread = std::thread::Builder::new()
                    .name(format!("gnomon-engine-{number}"))
                    .spawn(move || shard.run())?;
                Ok(ShardHandle {
                    inbox,
                    waker,
                    thread: Mutex::new(Some(thread)),
                })
            })
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            shards,
            policy: config.policy,
            outbox,
            mismatches,
            pending: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        })
    }

    /// How many queries may be submitted now: with those pending, `CAPACITY`.
    pub fn credit(&self) -> usize {
        CAPACITY.saturating_sub(self.pending())
    }

    /// Queue queries, at most `credit`; returns at once. What the policy forbids comes back as an attempt not sent.
    pub fn submit(&self, submissions: Vec<Submission>) -> Result<(), Refusal> {
        self.check()?;
        if submissions.len() > self.credit() {
            return Err(Refusal::Full);
        }
        self.pending.fetch_add(submissions.len(), Ordering::Relaxed);
        let mut shares: Vec<Vec<Submission>> = Vec::new();
        shares.resize_with(self.shards.len(), Vec::new);
        let mut refused = Vec::new();
        for mut submission in submissions {
            let name = submission.server_name.as_deref();
            match self
                .policy
                .target(submission.address, name, &submission.wire)
            {
                Ok(target) => {
                    submission.address = target;
                    let home = home_shard(target.ip(), self.shards.len());
                    if let Some(share) = shares.get_mut(home) {
                        share.push(submission);
                    }
                }
                Err(status) => refused.push(not_sent(submission, status)),
            }
        }
        for (shard, share) in self.shards.iter().zip(shares) {
            if !share.is_empty() {
                shard.hand_over(share);
            }
        }
        if !refused.is_empty() {
            self.outbox.deliver(&mut refused);
        }
        Ok(())
    }

    /// Datagrams and messages that were no answers, by kind: the number of kind `k` at `k - 1`.
    pub fn mismatches(&self) -> [u64; Mismatch::COUNT] {
        std::array::from_fn(|at| {
            self.mismatches
                .get(at)
                .map_or(0, |count| count.load(Ordering::Relaxed))
        })
    }

    /// Attempts that are ready, at most `max`; waits up to `timeout` for the first one.
    pub fn take(&self, max: usize, timeout: Duration) -> Result<Vec<Attempt>, Refusal> {
        let deadline = Instant::now() + timeout;
        let mut ready = locked(&self.outbox.ready);
        while ready.is_empty() {
            self.check()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            ready = self
                .outbox
                .arrived
                .wait_timeout(ready, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let taken = if ready.len() <= max {
            std::mem::take(&mut *ready)
        } else {
            ready.drain(..max).collect()
        };
        drop(ready);
        let octets = taken.iter().map(Attempt::octets).sum();
        self.outbox.octets.fetch_sub(octets, Ordering::Relaxed);
        let finished = taken.iter().filter(|attempt| attempt.last).count();
        self.pending.fetch_sub(finished, Ordering::Relaxed);
        Ok(taken)
    }

    /// Submitted queries whose last attempt has not been taken yet.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// Stop the threads and close all sockets; pending queries are dropped.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for shard in &self.shards {
            shard.inbox.closing.store(true, Ordering::Release);
            // Fails only if the thread is gone already.
            let _ = shard.waker.wake();
        }
        for shard in &self.shards {
            if let Some(thread) = locked(&shard.thread).take() {
                let _ = thread.join();
            }
        }
        locked(&self.outbox.ready).clear();
        self.pending.store(0, Ordering::Relaxed);
        self.outbox.arrived.notify_all();
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Refusal::Closed);
        }
        if self.outbox.broken.load(Ordering::Acquire) {
            return Err(Refusal::Broken);
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

impl ShardHandle {
    fn hand_over(&self, mut submissions: Vec<Submission>) {
        let mut submitted = locked(&self.inbox.submitted);
        submitted.queries.append(&mut submissions);
        let is_asleep = std::mem::take(&mut submitted.is_asleep);
        drop(submitted);
        if is_asleep {
            let _ = self.waker.wake();
        }
    }
}

/// The shard that has all traffic of an address and its network.
fn home_shard(address: IpAddr, shards: usize) -> usize {
    if shards == 1 {
        return 0;
    }
    let network = governor::network_of(address);
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(network);
    (hash % shards.max(1) as u64) as usize
}

fn not_sent(submission: Submission, status: Status) -> Attempt {
    Attempt {
        tag: submission.tag,
        attempt: 1,
        transport: submission.transport,
        sent_at_ns: flight::unix_ns(),
        rtt_us: None,
        local_port: 0,
        status,
        code: 0,
        query: submission.wire,
        response: None,
        response_from: None,
        last: true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

    use super::*;

    const LIMITS: Limits = Limits {
        rate_qps: 1e6,
        burst: 100,
        in_flight_per_address: 10,
        prefix_rate_qps: 1e6,
        prefix_burst: 100,
        in_flight_per_prefix: 100,
        in_flight_total: 100,
        breaker_silent: 0,
        total_qps: 0.0,
    };

    fn engine(shards: usize, turn: Duration) -> Engine {
        let loopback = Prefix::new(Ipv4Addr::LOCALHOST.into(), 8).unwrap();
        let policy = Policy::new(vec![loopback], vec![], [], [], None);
        let (limits, local) = (LIMITS, [None; 2]);
        Engine::start(Config {
            limits,
            policy,
            shards,
            local,
            turn,
        })
        .unwrap()
    }

    fn submission(tag: i64, address: SocketAddr) -> Submission {
        Submission {
            tag,
            address,
            server_name: None,
            transport: Transport::Udp,
            wire: b"\0\0\0\0\0\x01\0\0\0\0\0\0\x04test\0\0\x06\0\x01".to_vec(),
            attempts: 1,
            timeout: Duration::from_secs(10),
            mix_case: true,
            tcp_after_truncation: true,
        }
    }

    fn drain(engine: &Engine) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        while engine.pending() > 0 {
            attempts.extend(engine.take(1000, Duration::from_secs(1)).unwrap());
        }
        attempts
    }

    #[test]
    fn shards_share_the_networks() {
        let home = |n: u32| home_shard(Ipv4Addr::from(n).into(), 4);
        let homes: HashSet<usize> = (0..100).map(|n| home(n * 256)).collect();
        assert_eq!(homes.len(), 4);
        assert!((0..256).all(|n| home(n) == home(0)));

        let servers: Vec<UdpSocket> = (1..=8)
            .map(|net| UdpSocket::bind((Ipv4Addr::new(127, 0, net, 1), 0)).unwrap())
            .collect();
        let addresses: Vec<SocketAddr> = servers
            .iter()
            .map(|server| server.local_addr().unwrap())
            .collect();
        let threads: Vec<_> = servers
            .into_iter()
            .map(|it| std::thread::spawn(move || echo(&it)))
            .collect();

        for turn in [Duration::ZERO, Duration::from_millis(3)] {
            ask_all(&addresses, turn);
        }

        let stop = UdpSocket::bind("127.0.0.1:0").unwrap();
        for address in &addresses {
            stop.send_to(&[], address).unwrap();
        }
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }

    fn ask_all(addresses: &[SocketAddr], turn: Duration) {
        let engine = engine(2, turn);
        let targets = addresses.iter().cycle().take(800);
        engine
            .submit(
                (0..)
                    .zip(targets)
                    .map(|(tag, address)| submission(tag, *address))
                    .collect(),
            )
            .unwrap();
        let attempts = drain(&engine);
        assert!(attempts
            .iter()
            .all(|attempt| attempt.status == Status::Answered && attempt.last));
        let tags: HashSet<i64> = attempts.iter().map(|attempt| attempt.tag).collect();
        assert_eq!((attempts.len(), tags.len()), (800, 800));
        engine.close();
        assert_eq!(engine.submit(Vec::new()), Err(Refusal::Closed));
        assert_eq!(engine.take(1, Duration::ZERO).err(), Some(Refusal::Closed));

        assert_eq!(engine.mismatches(), [0; Mismatch::COUNT]);
    }

    #[test]
    fn what_may_be_pending_is_bounded() {
        let engine = engine(1, Duration::ZERO);
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let many = |count: usize| {
            (0..)
                .map(|tag| submission(tag, address))
                .take(count)
                .collect()
        };
        assert_eq!(engine.submit(many(CAPACITY + 1)), Err(Refusal::Full));
        assert_eq!(engine.submit(many(CAPACITY)), Ok(()));
        assert_eq!(
            (engine.credit(), engine.submit(many(1))),
            (0, Err(Refusal::Full))
        );
    }

    /// Send every query back as its answer until an empty datagram comes.
    fn echo(server: &UdpSocket) {
        let mut buffer = [0u8; 512];
        loop {
            let (length, from) = server.recv_from(&mut buffer).unwrap();
            if length == 0 {
                return;
            }
            buffer[2] |= 0x80;
            server.send_to(&buffer[..length], from).unwrap();
        }
    }
}
