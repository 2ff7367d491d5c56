//! Every limit, proved on a simulated network: random addresses, arrivals, answers, losses and clocks.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::entropy::XorShift;
use super::*;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(IpAddr),
    End {
        peer: usize,
        flight: usize,
        sent_ns: u64,
        answered: bool,
    },
    Wake(bool, usize),
}

/// What was sent: when, until when it was in flight, and to whom.
struct Sent {
    at_ns: u64,
    end_ns: u64,
    address: IpAddr,
}

struct Simulation {
    governor: Governor,
    random: XorShift,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    number: u64,
    sent: Vec<Sent>,
    refused: usize,
    /// Of 100 attempts.
    lost: u64,
    flights: usize,
}

impl Simulation {
    fn new(limits: Limits, turn: Duration, seed: u64, lost: u64) -> Self {
        Self {
            governor: Governor::new(limits, turn),
            random: XorShift::new(seed),
            events: BinaryHeap::new(),
            number: 0,
            sent: Vec::new(),
            refused: 0,
            lost,
            flights: 0,
        }
    }

    fn at(&mut self, time_ns: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((time_ns, self.number, event)));
    }

    /// Do everything that may be done at this moment.
    fn send(&mut self, now_ns: u64) {
        loop {
            match self.governor.next(now_ns) {
                None => break,
                Some(Next::Refuse { .. }) => self.refused += 1,
                Some(Next::Send { peer, flight }) => {
                    if self.random.below(20) == 0 {
                        // The host is out of something.
                        let later = now_ns + 10_000_000;
                        self.governor
                            .put_back(peer, flight, Transport::Udp, Some(later), now_ns);
                        continue;
                    }
                    let address = self.governor.peers.get(peer).unwrap().address;
                    let answered = self.random.below(100) >= self.lost;
                    let took = if answered {
                        1 + self.random.below(300_000_000)
                    } else {
                        2_000_000_000
                    };
                    self.governor.take_off(peer, flight, now_ns);
                    self.sent.push(Sent {
                        at_ns: now_ns,
                        end_ns: now_ns + took,
                        address,
                    });
                    self.at(
                        now_ns + took,
                        Event::End {
                            peer,
                            flight,
                            sent_ns: now_ns,
                            answered,
                        },
                    );
                }
            }
        }
        for (time_ns, alarm) in std::mem::take(&mut self.governor.alarms) {
            let (is_peer, key) = match alarm {
                Alarm::Peer(key) => (true, key),
                Alarm::Network(key) => (false, key),
            };
            // Timers fire late, never early.
            let late = self.random.below(3_000_000);
            self.at(time_ns + late, Event::Wake(is_peer, key));
        }
    }

    fn run(&mut self) {
        let mut now_ns = 0;
        loop {
            self.send(now_ns);
            let opens_ns = self.governor.next_ns(now_ns);
            let first = self.events.peek().map(|Reverse((time_ns, ..))| *time_ns);
            let Some(next) = first.into_iter().chain(opens_ns).min() else {
                return;
            };
            now_ns = now_ns.max(next);
            while self
                .events
                .peek()
                .is_some_and(|Reverse((time_ns, ..))| *time_ns <= now_ns)
            {
                let Some(Reverse((_, _, event))) = self.events.pop() else {
                    return;
                };
                match event {
                    Event::Arrive(address) => {
                        self.flights += 1;
                        self.governor
                            .add(address, self.flights, Transport::Udp, now_ns);
                    }
                    Event::End {
                        peer,
                        flight,
                        sent_ns,
                        answered,
                    } => {
                        let told = if answered { Told::Alive } else { Told::Lost };
                        let again = !answered && self.random.below(2) == 0;
                        let landing = Landing {
                            transport: Transport::Udp,
                            told,
                            sent_ns,
                            finished: !again,
                        };
                        self.governor.land(peer, flight, &landing, now_ns);
                        if again {
                            self.governor.queue_first(peer, flight, Transport::Udp);
                        }
                    }
                    Event::Wake(true, key) => self.governor.wake(Alarm::Peer(key), now_ns),
                    Event::Wake(false, key) => self.governor.wake(Alarm::Network(key), now_ns),
                }
            }
        }
    }
}

/// In every window at most burst + window x rate leave, and at no time are more than `cap` in flight.
fn assert_within(sent: &[&Sent], rate: f64, burst: u32, cap: u32, what: &str) {
    for (i, first) in sent.iter().enumerate() {
        for (count, last) in (1u32..).zip(&sent[i..]) {
            let allowed = f64::from(burst) + (last.at_ns - first.at_ns) as f64 / 1e9 * rate;
            assert!(
                f64::from(count) <= allowed + 1e-6,
                "rate of {what}: {count} at once"
            );
        }
        let with = sent[..i]
            .iter()
            .filter(|other| other.end_ns > first.at_ns)
            .count() as u32
            + 1;
        assert!(with <= cap, "in flight to {what}: {with}");
    }
}

#[test]
fn no_schedule_exceeds_any_limit() {
    for seed in 0..40 {
        let mut random = XorShift::new(1000 + seed);
        let mut pick = |choices: &[u64]| choices[random.below(choices.len() as u64) as usize];
        let limits = Limits {
            rate_qps: pick(&[1, 10, 50, 2000]) as f64,
            burst: pick(&[1, 4, 20]) as u32,
            in_flight_per_address: pick(&[1, 2, 8]) as u32,
            prefix_rate_qps: pick(&[2, 20, 100, 5000]) as f64,
            prefix_burst: pick(&[1, 8, 40]) as u32,
            in_flight_per_prefix: pick(&[1, 3, 16]) as u32,
            in_flight_total: pick(&[1, 5, 40]) as u32,
            breaker_silent: pick(&[0, 3, 6]) as u32,
            total_qps: pick(&[0, 30, 400]) as f64,
        };
        let networks = pick(&[1, 3, 20]);
        let turn_ms = pick(&[0, 10, 40]);
        let turn = Duration::from_millis(turn_ms);
        let lost = pick(&[0, 10, 60, 100]);
        let mut simulation = Simulation::new(limits.clone(), turn, seed, lost);
        let queries = 400;
        for _ in 0..queries {
            let (net, host) = (random.below(networks) as u8, random.below(4) as u8);
            let address = if random.below(3) == 0 {
                IpAddr::from([0x2001, 0xdb8, net.into(), host.into(), 0, 0, 0, 1])
            } else {
                IpAddr::from([192, 0, net, host])
            };
            let when = random.below(5_000_000_000);
            simulation.at(when, Event::Arrive(address));
        }
        simulation.run();

        let mut sent: Vec<&Sent> = simulation.sent.iter().collect();
        sent.sort_by_key(|one| one.at_ns);
        assert!(
            simulation.sent.len() + simulation.refused >= queries,
            "something was never sent"
        );
        let total = limits.total_qps;
        let burst = if total == 0.0 {
            u32::MAX
        } else {
            (total * turn_ms.max(10) as f64 / 1000.0).max(1.0) as u32
        };
        assert_within(&sent, total, burst, limits.in_flight_total, "all");
        let mut groups: HashMap<IpAddr, Vec<&Sent>> = HashMap::new();
        let mut prefixes: HashMap<IpAddr, Vec<&Sent>> = HashMap::new();
        for one in sent {
            groups.entry(one.address).or_default().push(one);
            prefixes
                .entry(network_of(one.address))
                .or_default()
                .push(one);
        }
        for (address, of) in groups {
            let (rate, burst, cap) = (limits.rate_qps, limits.burst, limits.in_flight_per_address);
            assert_within(&of, rate, burst, cap, &address.to_string());
        }
        for (prefix, of) in prefixes {
            let (rate, burst, cap) = (
                limits.prefix_rate_qps,
                limits.prefix_burst,
                limits.in_flight_per_prefix,
            );
            assert_within(&of, rate, burst, cap, &format!("network {prefix}"));
        }
        // Nothing is left behind: no count, no queue, no line.
        assert_eq!(simulation.governor.in_flight, 0);
        assert!(simulation
            .governor
            .networks
            .iter()
            .all(|(_, it)| it.in_flight == 0 && it.waiting.is_empty()));
        assert!(simulation
            .governor
            .peers
            .iter()
            .all(|(_, it)| it.queue.is_empty() && it.unfinished == 0));
    }
}

#[test]
fn addresses_without_influence_are_forgotten() {
    let mut governor = Governor::new(
        Limits {
            rate_qps: 10.0,
            burst: 4,
            in_flight_per_address: 4,
            prefix_rate_qps: 40.0,
            prefix_burst: 16,
            in_flight_per_prefix: 16,
            in_flight_total: 100,
            breaker_silent: 6,
            total_qps: 0.0,
        },
        Duration::ZERO,
    );
    let address = |n: usize| IpAddr::from(Ipv4Addr::from(n as u32 * 256));
    for n in 0..PEERS_BEFORE_SWEEP {
        let key = governor.peer(address(n), 0);
        let peer = governor.peers.get_mut(key).unwrap();
        match n {
            1 => peer.unfinished = 1,
            2 => peer.scheduled = true,
            3 => peer.breakers.last_mut().unwrap().silence(6, 0),
            4 => (0..40).for_each(|_| peer.gate.pass(1_000_000_000)),
            5 => peer.pace.loss(0, 0),
            _ => {}
        }
    }
    governor.peer(address(PEERS_BEFORE_SWEEP), 0);
    let mut left: Vec<IpAddr> = governor
        .peers
        .iter()
        .map(|(_, peer)| peer.address)
        .collect();
    left.sort();
    assert_eq!(left, [1, 2, 3, 4, 5, PEERS_BEFORE_SWEEP].map(address));
    assert_eq!(
        (
            governor.peer_keys.len(),
            governor.networks.len(),
            governor.network_keys.len()
        ),
        (6, 6, 6)
    );
}
