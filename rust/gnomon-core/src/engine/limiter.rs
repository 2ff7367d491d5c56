//! How fast, how many at once, and when to stop asking. Pure: the caller brings the time.

/// Generic cell rate algorithm: one "theoretical arrival time" instead of a bucket of tokens.
///
/// In any window of W seconds at most `burst` + W x rate events pass.
#[derive(Clone, Debug)]
pub struct Gcra {
    interval_ns: u64,
    tolerance_ns: u64,
    arrival_ns: u64,
}

impl Gcra {
    /// `rate` events per second on average, up to `burst` back to back.
    pub fn new(rate: f64, burst: u32) -> Self {
        let interval_ns = (1e9 / rate).ceil().max(1.0) as u64;
        Self {
            interval_ns,
            tolerance_ns: interval_ns.saturating_mul(u64::from(burst.max(1) - 1)),
            arrival_ns: 0,
        }
    }

    /// The first time, not before `now_ns`, at which an event may pass.
    pub fn earliest(&self, now_ns: u64) -> u64 {
        self.arrival_ns
            .saturating_sub(self.tolerance_ns)
            .max(now_ns)
    }

    /// Count an event that passes at `now_ns`; the caller has asked `earliest` before.
    pub fn pass(&mut self, now_ns: u64) {
        self.pass_at(now_ns, Pace::FULL);
    }

    /// As `pass`, but at `level` / `Pace::FULL` of the rate until the next event. Never faster than the rate.
    pub fn pass_at(&mut self, now_ns: u64, level: u32) {
        let interval_ns = self.interval_ns.saturating_mul(u64::from(Pace::FULL))
            / u64::from(level.clamp(1, Pace::FULL));
        self.arrival_ns = self.arrival_ns.max(now_ns).saturating_add(interval_ns);
    }

    /// True if nothing of the past limits the future any more.
    pub fn is_fresh(&self, now_ns: u64) -> bool {
        self.arrival_ns <= now_ns
    }
}

/// How much of its limits an address may use: halved after losses, won back slowly (additive increase,
/// multiplicative decrease, as in RFC 5681).
#[derive(Clone, Debug)]
pub struct Pace {
    level: u32,
    slowed_ns: u64,
}

impl Pace {
    pub const FULL: u32 = 64;
    const LEAST: u32 = 4;

    pub fn new() -> Self {
        Self {
            level: Self::FULL,
            slowed_ns: 0,
        }
    }

    /// An attempt sent at `sent_ns` was lost. What was under way together when that was noticed counts once.
    pub fn loss(&mut self, sent_ns: u64, now_ns: u64) {
        if sent_ns >= self.slowed_ns {
            self.level = (self.level / 2).max(Self::LEAST);
            self.slowed_ns = now_ns;
        }
    }

    /// An attempt was answered.
    pub fn gain(&mut self) {
        self.level = (self.level + 1).min(Self::FULL);
    }

    pub fn level(&self) -> u32 {
        self.level
    }

    /// The part of a cap that may be used, at least 1.
    pub fn share(&self, cap: u32) -> u32 {
        let part = u64::from(cap) * u64::from(self.level) / u64::from(Self::FULL);
        u32::try_from(part).unwrap_or(cap).max(1)
    }

    pub fn is_fresh(&self) -> bool {
        self.level == Self::FULL
    }
}

/// Stops asking an address that keeps silent; lets one attempt through again after a pause.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    silent: u32,
    open_until_ns: u64,
}

impl Breaker {
    /// How long an address is left alone once the breaker is open.
    pub const PAUSE_NS: u64 = 60_000_000_000;

    /// An attempt got no answer. `limit` attempts in a row open the breaker; 0 never does.
    pub fn silence(&mut self, limit: u32, now_ns: u64) {
        self.silent = self.silent.saturating_add(1);
        if limit > 0 && self.silent >= limit {
            self.open_until_ns = now_ns.saturating_add(Self::PAUSE_NS);
        }
    }

    /// Something came from the address.
    pub fn sound(&mut self) {
        *self = Self::default();
    }

    pub fn is_open(&self, now_ns: u64) -> bool {
        now_ns < self.open_until_ns
    }

    /// True if nothing of the past is remembered.
    pub fn is_fresh(&self) -> bool {
        self.silent == 0
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::engine::entropy::XorShift;

    /// Every window of a schedule holds at most burst + window x rate events.
    fn assert_polite(schedule: &[u64], rate: f64, burst: u32) {
        for (i, first) in schedule.iter().enumerate() {
            for (count, last) in (1u32..).zip(schedule.iter().skip(i)) {
                let allowed = f64::from(burst) + (last - first) as f64 / 1e9 * rate;
                assert!(
                    f64::from(count) <= allowed + 1e-6,
                    "{count} events in {} ns",
                    last - first
                );
            }
        }
    }

    #[test]
    fn no_schedule_exceeds_rate_and_burst() {
        for seed in 0..60 {
            let mut random = XorShift::new(seed + 1);
            let rate = [0.3, 1.0, 7.0, 10.0, 333.3, 2000.0, 1e6][random.below(7) as usize];
            let burst = 1 + random.below(20) as u32;
            let mut gate = Gcra::new(rate, burst);
            let (mut now, mut passed) = (random.below(1 << 40), Vec::new());
            while passed.len() < 300 {
                let at = gate.earliest(now);
                // Some callers come at the first moment, some later, some keep away for long.
                now = match random.below(10) {
                    0 => at + random.below((40e9 / rate) as u64),
                    1..=3 => at + random.below((2e9 / rate) as u64),
                    _ => at,
                };
                assert_eq!(gate.earliest(now), now);
                // However the level moves.
                gate.pass_at(now, 1 + random.below(u64::from(Pace::FULL)) as u32);
                passed.push(now);
            }
            assert_polite(&passed, rate, burst);
        }
    }

    #[test]
    fn a_burst_then_the_rate() {
        let mut gate = Gcra::new(10.0, 4);
        let mut now = 0;
        let times: Vec<u64> = (0..6)
            .map(|_| {
                now = gate.earliest(now);
                gate.pass(now);
                now / 1_000_000
            })
            .collect();
        assert_eq!(times, [0, 0, 0, 0, 100, 200]);
    }

    #[test]
    fn losses_halve_and_answers_win_back_slowly() {
        let mut pace = Pace::new();
        assert_eq!(pace.share(10), 10);
        // Three that were under way at once are one loss; one sent later is another.
        for sent in [1, 2, 3, 5] {
            pace.loss(sent, 5);
        }
        assert_eq!((pace.level(), pace.share(10)), (16, 2));
        (6..50).for_each(|now| pace.loss(now, now));
        assert_eq!((pace.level(), pace.share(1)), (Pace::LEAST, 1));
        (0..59).for_each(|_| pace.gain());
        assert!(!pace.is_fresh());
        (0..9).for_each(|_| pace.gain());
        assert!(pace.is_fresh());

        let mut gate = Gcra::new(10.0, 1);
        gate.pass_at(0, Pace::LEAST);
        assert_eq!(gate.earliest(0), 1_600_000_000);
    }

    #[test]
    fn the_breaker_opens_after_silence_in_a_row() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            breaker.silence(3, 5);
        }
        breaker.sound();
        for _ in 0..2 {
            breaker.silence(3, 5);
        }
        assert!(!breaker.is_open(5));
        breaker.silence(3, 5);
        assert!(breaker.is_open(5));
        assert!(!breaker.is_open(5 + Breaker::PAUSE_NS));
        breaker.silence(3, 6 + Breaker::PAUSE_NS);
        assert!(breaker.is_open(7 + Breaker::PAUSE_NS));
        let mut off = Breaker::default();
        (0..100).for_each(|_| off.silence(0, 0));
        assert!(!off.is_open(0));
    }
}
