//! The query engine: queries in, attempts out, within limits. Knows nothing of Python and has no policy.
//!
//! Each shard is one OS thread with its own sockets, timers and limits; an address belongs to one shard by hash, so
//! limits need no locks. One shard is started: it outruns what the interpreter can consume. The loop is built on
//! `mio` and not on tokio: the work is one state machine per query over a few sockets, and with readiness events it
//! needs neither a task, nor a timer object, nor a channel hop per query.

mod entropy;
mod flight;
mod hearing;
mod icmp;
mod limiter;
mod matching;
mod sending;
mod shard;
mod tcp;
mod udp;
mod wheel;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::Waker;

pub use matching::{answers, question_name_end};
use shard::Shard;

/// Shards to start. More than one divides the limits that hold for everything together.
const SHARDS: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Transport {
    Udp = 0,
    Tcp = 1,
}

/// How an attempt ended; the numbers are those of `gnomon.engine.Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    Answered = 0,
    Timeout = 1,
    IcmpUnreachable = 2,
    Refused = 3,
    Reset = 4,
    Mismatched = 5,
    NotSentBreaker = 7,
    LocalError = 9,
}

#[derive(Clone, Debug)]
pub struct Limits {
    pub rate_qps: f64,
    pub burst: u32,
    pub in_flight_per_address: u32,
    pub in_flight_total: u32,
    /// Silent attempts in a row that open the breaker of an address and transport; 0: never.
    pub breaker_silent: u32,
    /// 0: no cap.
    pub total_qps: f64,
}

/// One query to one address.
#[derive(Clone, Debug)]
pub struct Submission {
    pub tag: i64,
    pub address: SocketAddr,
    pub transport: Transport,
    /// At least a header.
    pub wire: Vec<u8>,
    /// At least 1.
    pub attempts: u32,
    pub timeout: Duration,
    pub mix_case: bool,
    pub tcp_after_truncation: bool,
}

/// One message sent, or not, and what came back.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub tag: i64,
    pub attempt: u32,
    pub transport: Transport,
    /// Unix time.
    pub sent_at_ns: i64,
    pub rtt_us: Option<u32>,
    pub local_port: u16,
    pub status: Status,
    pub os_error: i32,
    pub query: Vec<u8>,
    pub response: Option<Vec<u8>>,
    /// Where a mismatched datagram came from, if not from the address and port that were asked.
    pub response_from: Option<SocketAddr>,
    pub last: bool,
}

/// What the shards have to hand over, and whether one of them has died.
#[derive(Default)]
struct Outbox {
    ready: Mutex<Vec<Attempt>>,
    arrived: Condvar,
    broken: AtomicBool,
}

impl Outbox {
    fn deliver(&self, attempts: &mut Vec<Attempt>) {
        let mut ready = locked(&self.ready);
        let was_empty = ready.is_empty();
        ready.append(attempts);
        if was_empty {
            self.arrived.notify_one();
        }
    }
}

/// What a shard is asked to do.
#[derive(Default)]
struct Inbox {
    submitted: Mutex<Vec<Submission>>,
    closing: AtomicBool,
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
pub enum EngineGone {
    Closed,
    /// An I/O thread has died: a bug.
    Broken,
}

pub struct Engine {
    shards: Vec<ShardHandle>,
    outbox: Arc<Outbox>,
    pending: AtomicUsize,
    closed: AtomicBool,
}

impl Engine {
    /// Open what is needed and start the I/O threads.
    pub fn start(limits: &Limits) -> io::Result<Self> {
        Self::start_shards(limits, SHARDS)
    }

    fn start_shards(limits: &Limits, count: usize) -> io::Result<Self> {
        let outbox = Arc::new(Outbox::default());
        let shares = u32::try_from(count).unwrap_or(1);
        let share = Limits {
            in_flight_total: (limits.in_flight_total / shares).max(1),
            total_qps: limits.total_qps / f64::from(shares),
            ..limits.clone()
        };
        let shards = (0..count)
            .map(|number| {
                let inbox = Arc::new(Inbox::default());
                let (mut shard, waker) = Shard::new(share.clone(), inbox.clone(), outbox.clone())?;
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
            outbox,
            pending: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        })
    }

    /// Queue queries; returns at once.
    pub fn submit(&self, submissions: Vec<Submission>) -> Result<(), EngineGone> {
        self.check()?;
        self.pending.fetch_add(submissions.len(), Ordering::Relaxed);
        let mut shares: Vec<Vec<Submission>> = Vec::new();
        if let [shard] = self.shards.as_slice() {
            shard.hand_over(submissions);
            return Ok(());
        }
        shares.resize_with(self.shards.len(), Vec::new);
        for submission in submissions {
            let home = home_shard(submission.address.ip(), self.shards.len());
            if let Some(share) = shares.get_mut(home) {
                share.push(submission);
            }
        }
        for (shard, share) in self.shards.iter().zip(shares) {
            shard.hand_over(share);
        }
        Ok(())
    }

    /// Attempts that are ready, at most `max`; waits up to `timeout` for the first one.
    pub fn take(&self, max: usize, timeout: Duration) -> Result<Vec<Attempt>, EngineGone> {
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

    fn check(&self) -> Result<(), EngineGone> {
        if self.closed.load(Ordering::Acquire) {
            return Err(EngineGone::Closed);
        }
        if self.outbox.broken.load(Ordering::Acquire) {
            return Err(EngineGone::Broken);
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
        locked(&self.inbox.submitted).append(&mut submissions);
        let _ = self.waker.wake();
    }
}

/// The shard that has all traffic of an address.
fn home_shard(address: IpAddr, shards: usize) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(address);
    (hash % shards.max(1) as u64) as usize
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, UdpSocket};

    use super::*;

    const LIMITS: Limits = Limits {
        rate_qps: 1e6,
        burst: 100,
        in_flight_per_address: 10,
        in_flight_total: 100,
        breaker_silent: 0,
        total_qps: 0.0,
    };

    fn submission(tag: i64, address: SocketAddr) -> Submission {
        Submission {
            tag,
            address,
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
    fn shards_share_the_addresses() {
        let homes: HashSet<usize> = (0..100u32)
            .map(|n| home_shard(Ipv4Addr::from(n).into(), 4))
            .collect();
        assert_eq!(homes.len(), 4);

        let servers: Vec<UdpSocket> = (1..=8)
            .map(|last| UdpSocket::bind((Ipv4Addr::new(127, 0, 1, last), 0)).unwrap())
            .collect();
        let addresses: Vec<SocketAddr> = servers
            .iter()
            .map(|server| server.local_addr().unwrap())
            .collect();
        let threads: Vec<_> = servers
            .into_iter()
            .map(|it| std::thread::spawn(move || echo(&it)))
            .collect();

        let engine = Engine::start_shards(&LIMITS, 2).unwrap();
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
        assert_eq!(engine.submit(Vec::new()), Err(EngineGone::Closed));
        assert_eq!(
            engine.take(1, Duration::ZERO).err(),
            Some(EngineGone::Closed)
        );

        let stop = UdpSocket::bind("127.0.0.1:0").unwrap();
        for address in &addresses {
            stop.send_to(&[], address).unwrap();
        }
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
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
