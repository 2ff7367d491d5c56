//! Who may be asked now: the queues of all addresses and every limit on what leaves.
//!
//! Pure: it sends nothing, and the caller brings the time. What waits for a time is handed out in `alarms`; the caller
//! gives it back with `wake` then.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use slab::Slab;

use super::limiter::{Breaker, Gcra, Pace};
use super::{Limits, Transport};

/// Addresses remembered before the first look for some to forget.
const PEERS_BEFORE_SWEEP: usize = 65_536;
/// No turn is counted on to be shorter.
const SLEEP: Duration = Duration::from_millis(10);

/// An address that is asked, with what limits the asking.
pub struct Peer {
    pub address: IpAddr,
    network: usize,
    queue: VecDeque<(usize, Transport)>,
    pub in_flight: Vec<usize>,
    /// Queries that are queued, in flight, or rest before their next attempt.
    unfinished: usize,
    gate: Gcra,
    pace: Pace,
    /// By transport: a server may be silent over UDP and well over TCP.
    breakers: [Breaker; Transport::COUNT],
    /// In the ready queue, in the line of its network, or waiting for an alarm.
    scheduled: bool,
}

impl Peer {
    /// True if nothing is under way and the past has no influence on the future.
    fn is_forgettable(&self, now_ns: u64) -> bool {
        let idle = self.unfinished == 0 && !self.scheduled && self.gate.is_fresh(now_ns);
        idle && self.pace.is_fresh() && self.breakers.iter().all(Breaker::is_fresh)
    }
}

/// An IPv4 /24 or IPv6 /48, which share machines and links.
struct Network {
    prefix: IpAddr,
    /// Peers that are known.
    members: usize,
    gate: Gcra,
    in_flight: u32,
    /// Peers that could send but for this network's limits.
    waiting: VecDeque<usize>,
    /// An alarm is set.
    alarmed: bool,
}

/// What rests until a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    Peer(usize),
    Network(usize),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this query now and say so with `take_off`; or say `put_back`.
    Send { peer: usize, flight: usize },
    /// The breaker of its address is open: end this query.
    Refuse { flight: usize },
}

/// What an attempt told about the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something came back.
    Alive,
    /// Nothing came back in time.
    Lost,
    /// The network says that it cannot be reached.
    Unreachable,
    Nothing,
}

/// How an attempt ended.
pub struct Landing {
    pub transport: Transport,
    pub told: Told,
    pub sent_ns: u64,
    /// Its query has ended too.
    pub finished: bool,
}

pub struct Governor {
    limits: Limits,
    total_gate: Option<Gcra>,
    in_flight: u32,
    peers: Slab<Peer>,
    peer_keys: HashMap<IpAddr, usize>,
    networks: Slab<Network>,
    network_keys: HashMap<IpAddr, usize>,
    sweep_at: usize,
    ready: VecDeque<usize>,
    /// Times with what rests until then, since this was last emptied.
    pub alarms: Vec<(u64, Alarm)>,
}

impl Governor {
    /// `turn` is how seldom it may be asked what is next.
    pub fn new(limits: Limits, turn: Duration) -> Self {
        // What is due in that time, back to back: neither turns nor the resolution of a sleep must lower the rate.
        let gap_s = turn.max(SLEEP).as_secs_f64();
        let total_burst = (limits.total_qps * gap_s).clamp(1.0, 1e6) as u32;
        Self {
            total_gate: (limits.total_qps > 0.0).then(|| Gcra::new(limits.total_qps, total_burst)),
            limits,
            in_flight: 0,
            peers: Slab::new(),
            peer_keys: HashMap::new(),
            networks: Slab::new(),
            network_keys: HashMap::new(),
            sweep_at: PEERS_BEFORE_SWEEP,
            ready: VecDeque::new(),
            alarms: Vec::new(),
        }
    }

    /// Queue a new query; returns the key of its peer.
    pub fn add(
        &mut self,
        address: IpAddr,
        flight: usize,
        transport: Transport,
        now_ns: u64,
    ) -> usize {
        let key = self.peer(address, now_ns);
        if let Some(peer) = self.peers.get_mut(key) {
            peer.unfinished += 1;
            peer.queue.push_back((flight, transport));
        }
        self.schedule(key);
        key
    }

    /// Queue the next attempt of a query, before what has not been tried yet.
    pub fn queue_first(&mut self, key: usize, flight: usize, transport: Transport) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.queue.push_front((flight, transport));
        }
        self.schedule(key);
    }

    /// What may be done now; None if all has to wait for a time, for an answer or for something to be queued.
    pub fn next(&mut self, now_ns: u64) -> Option<Next> {
        while self.opens_ns(now_ns) <= now_ns && !self.is_full() {
            let key = self.ready.pop_front()?;
            let next = self.consider(key, now_ns);
            if let Some(network) = self.peers.get(key).map(|peer| peer.network) {
                if !matches!(next, Some(Next::Send { .. })) {
                    self.let_in(network, now_ns);
                }
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }

    fn consider(&mut self, key: usize, now_ns: u64) -> Option<Next> {
        let peer = self.peers.get_mut(key)?;
        peer.scheduled = false;
        let &(flight, transport) = peer.queue.front()?;
        if peer.breakers.get(transport as usize)?.is_open(now_ns) {
            peer.queue.pop_front();
            peer.unfinished -= 1;
            self.schedule(key);
            return Some(Next::Refuse { flight });
        }
        if peer.in_flight.len() >= peer.pace.share(self.limits.in_flight_per_address) as usize {
            // The end of an attempt schedules it again.
            return None;
        }
        let allowed_ns = peer.gate.earliest(now_ns);
        if allowed_ns > now_ns {
            self.rest(key, allowed_ns);
            return None;
        }
        let network = self.networks.get_mut(peer.network)?;
        if network.in_flight >= self.limits.in_flight_per_prefix
            || network.gate.earliest(now_ns) > now_ns
        {
            peer.scheduled = true;
            network.waiting.push_back(key);
            return None;
        }
        peer.queue.pop_front();
        Some(Next::Send { peer: key, flight })
    }

    /// Let a peer that waits for its network try again, or see to it that it will.
    fn let_in(&mut self, key: usize, now_ns: u64) {
        let Some(network) = self.networks.get_mut(key) else {
            return;
        };
        if network.waiting.is_empty() || network.in_flight >= self.limits.in_flight_per_prefix {
            // The end of an attempt comes here again.
            return;
        }
        let allowed_ns = network.gate.earliest(now_ns);
        if allowed_ns > now_ns {
            if !network.alarmed {
                network.alarmed = true;
                self.alarms.push((allowed_ns, Alarm::Network(key)));
            }
        } else if let Some(peer) = network.waiting.pop_front() {
            self.wake_peer(peer);
        }
    }

    /// What rested until now may be tried again.
    pub fn wake(&mut self, alarm: Alarm, now_ns: u64) {
        match alarm {
            Alarm::Peer(key) => self.wake_peer(key),
            Alarm::Network(key) => {
                if let Some(network) = self.networks.get_mut(key) {
                    network.alarmed = false;
                }
                self.let_in(key, now_ns);
            }
        }
    }

    fn wake_peer(&mut self, key: usize) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.scheduled = false;
        }
        self.schedule(key);
    }

    fn rest(&mut self, key: usize, until_ns: u64) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.scheduled = true;
            self.alarms.push((until_ns, Alarm::Peer(key)));
        }
    }

    /// Let a peer with something to send have its turn.
    pub fn schedule(&mut self, key: usize) {
        if let Some(peer) = self.peers.get_mut(key) {
            if !peer.scheduled && !peer.queue.is_empty() {
                peer.scheduled = true;
                self.ready.push_back(key);
            }
        }
    }

    /// A query that `next` gave could not be sent: it is the next one again, at the given time, or with None when an
    /// attempt at that address ends.
    pub fn put_back(
        &mut self,
        key: usize,
        flight: usize,
        transport: Transport,
        until_ns: Option<u64>,
        now_ns: u64,
    ) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        peer.queue.push_front((flight, transport));
        let network = peer.network;
        if let Some(until_ns) = until_ns {
            self.rest(key, until_ns);
        }
        self.let_in(network, now_ns);
    }

    /// An attempt has left at `now_ns`.
    pub fn take_off(&mut self, key: usize, flight: usize, now_ns: u64) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        peer.in_flight.push(flight);
        peer.gate.pass_at(now_ns, peer.pace.level());
        let network_key = peer.network;
        if let Some(network) = self.networks.get_mut(network_key) {
            network.in_flight += 1;
            network.gate.pass(now_ns);
        }
        self.in_flight += 1;
        if let Some(gate) = &mut self.total_gate {
            gate.pass(now_ns);
        }
        self.schedule(key);
        self.let_in(network_key, now_ns);
    }

    /// An attempt has ended.
    pub fn land(&mut self, key: usize, flight: usize, landing: &Landing, now_ns: u64) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if let Some(at) = peer.in_flight.iter().position(|other| *other == flight) {
            peer.in_flight.swap_remove(at);
        }
        peer.unfinished -= usize::from(landing.finished);
        let breaker = peer.breakers.get_mut(landing.transport as usize);
        match (landing.told, breaker) {
            (Told::Alive, Some(breaker)) => {
                breaker.sound();
                peer.pace.gain();
            }
            (Told::Lost, Some(breaker)) => {
                breaker.silence(self.limits.breaker_silent, now_ns);
                peer.pace.loss(landing.sent_ns, now_ns);
            }
            (Told::Unreachable, Some(breaker)) => {
                breaker.silence(self.limits.breaker_silent, now_ns);
            }
            _ => {}
        }
        let network_key = peer.network;
        if let Some(network) = self.networks.get_mut(network_key) {
            network.in_flight -= 1;
        }
        self.in_flight -= 1;
        self.schedule(key);
        self.let_in(network_key, now_ns);
    }

    /// True if no more may be in flight.
    pub fn is_full(&self) -> bool {
        self.in_flight >= self.limits.in_flight_total
    }

    /// When the total rate next lets something pass.
    fn opens_ns(&self, now_ns: u64) -> u64 {
        self.total_gate
            .as_ref()
            .map_or(now_ns, |gate| gate.earliest(now_ns))
    }

    /// When there may be something to send that no alarm announces: what waits only for the total rate.
    pub fn next_ns(&self, now_ns: u64) -> Option<u64> {
        (!self.ready.is_empty() && !self.is_full()).then(|| self.opens_ns(now_ns))
    }

    /// The attempts under way to an address.
    pub fn in_flight(&self, address: &IpAddr) -> &[usize] {
        self.peer_keys
            .get(address)
            .and_then(|key| self.peers.get(*key))
            .map_or(&[], |peer| &peer.in_flight)
    }

    fn peer(&mut self, address: IpAddr, now_ns: u64) -> usize {
        if let Some(key) = self.peer_keys.get(&address) {
            return *key;
        }
        if self.peers.len() >= self.sweep_at {
            self.forget_idle(now_ns);
        }
        let prefix = network_of(address);
        let limits = &self.limits;
        let network = *self.network_keys.entry(prefix).or_insert_with(|| {
            self.networks.insert(Network {
                prefix,
                members: 0,
                gate: Gcra::new(limits.prefix_rate_qps, limits.prefix_burst),
                in_flight: 0,
                waiting: VecDeque::new(),
                alarmed: false,
            })
        });
        if let Some(network) = self.networks.get_mut(network) {
            network.members += 1;
        }
        let key = self.peers.insert(Peer {
            address,
            network,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            unfinished: 0,
            gate: Gcra::new(limits.rate_qps, limits.burst),
            pace: Pace::new(),
            breakers: Default::default(),
            scheduled: false,
        });
        self.peer_keys.insert(address, key);
        key
    }

    /// Memory follows the work at hand, not the number of addresses ever asked.
    fn forget_idle(&mut self, now_ns: u64) {
        let (keys, networks) = (&mut self.peer_keys, &mut self.networks);
        self.peers.retain(|_, peer| {
            let forget = peer.is_forgettable(now_ns);
            if forget {
                keys.remove(&peer.address);
                if let Some(network) = networks.get_mut(peer.network) {
                    network.members -= 1;
                }
            }
            !forget
        });
        let keys = &mut self.network_keys;
        networks.retain(|_, network| {
            let forget = network.members == 0 && !network.alarmed && network.gate.is_fresh(now_ns);
            if forget {
                keys.remove(&network.prefix);
            }
            !forget
        });
        self.sweep_at = (self.peers.len() * 2).max(PEERS_BEFORE_SWEEP);
    }
}

/// The first address of the network that an address is limited with: IPv4 /24, IPv6 /48.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & !0xff).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 80 << 80).into(),
    }
}

#[cfg(test)]
#[path = "governor_tests.rs"]
mod tests;
