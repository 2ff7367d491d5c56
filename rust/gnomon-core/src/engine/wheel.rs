//! A hashed timing wheel: insert and expire in constant time, however many timers there are.
//!
//! Timers are never removed: an owner that no longer cares recognises its own timer as stale when it fires.

const SLOTS: u64 = 4096;
const TICK_NS: u64 = 1_000_000;

/// Items that fall due at a time, given in nanoseconds of a clock that the caller reads.
pub struct Wheel<T> {
    slots: Vec<Vec<(u64, T)>>,
    /// The first tick that has not been expired yet.
    tick: u64,
    /// Nothing falls due before this tick.
    next: u64,
    len: usize,
}

impl<T> Wheel<T> {
    pub fn new() -> Self {
        let slots = (0..SLOTS).map(|_| Vec::new()).collect();
        Self {
            slots,
            tick: 0,
            next: 0,
            len: 0,
        }
    }

    /// Let `item` fall due at the first tick that is not before `at_ns`.
    pub fn insert(&mut self, at_ns: u64, item: T) {
        let tick = at_ns.div_ceil(TICK_NS).max(self.tick);
        self.next = if self.len == 0 {
            tick
        } else {
            self.next.min(tick)
        };
        if let Some(slot) = self.slots.get_mut((tick % SLOTS) as usize) {
            slot.push((tick, item));
            self.len += 1;
        }
    }

    /// Move everything that is due at `now_ns` to `due`.
    pub fn expire(&mut self, now_ns: u64, due: &mut Vec<T>) {
        let now = now_ns / TICK_NS;
        if now < self.tick {
            return;
        }
        if self.len > 0 && self.next <= now {
            let first = self.next.max(self.tick);
            for tick in first..=now.min(first + SLOTS - 1) {
                self.expire_slot(tick, now, due);
            }
            // A slot may also hold items of a later turn, which only makes this bound low.
            let busy = |tick: &u64| {
                let slot = self.slots.get((*tick % SLOTS) as usize);
                slot.is_some_and(|slot| !slot.is_empty())
            };
            self.next = (now + 1..now + 1 + SLOTS).find(busy).unwrap_or(now + 1);
        }
        self.tick = now + 1;
    }

    fn expire_slot(&mut self, tick: u64, now: u64, due: &mut Vec<T>) {
        let Some(slot) = self.slots.get_mut((tick % SLOTS) as usize) else {
            return;
        };
        let mut at = 0;
        while let Some((due_tick, _)) = slot.get(at) {
            if *due_tick <= now {
                due.push(slot.swap_remove(at).1);
                self.len -= 1;
            } else {
                at += 1;
            }
        }
    }

    /// A time before which nothing falls due; None if the wheel is empty.
    pub fn next_ns(&self) -> Option<u64> {
        (self.len > 0).then_some(self.next * TICK_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entropy::XorShift;

    #[test]
    fn fires_like_a_sorted_list() {
        let mut random = XorShift::new(7);
        let mut wheel = Wheel::new();
        let mut model: Vec<(u64, u64)> = Vec::new();
        let (mut now, mut id) = (0u64, 0u64);
        for _ in 0..20_000 {
            if random.below(3) < 2 {
                // Up to 20 s ahead: several turns of the wheel.
                let at = now + random.below(20_000) * TICK_NS;
                wheel.insert(at, id);
                model.push((at, id));
                id += 1;
            } else {
                let most = if random.below(50) == 0 { 30_000 } else { 40 };
                now += random.below(most) * TICK_NS;
                if let Some(next) = wheel.next_ns() {
                    assert!(model.iter().all(|(at, _)| at.max(&next) >= &next));
                }
                let mut due = Vec::new();
                wheel.expire(now, &mut due);
                due.sort_unstable();
                let mut expected: Vec<u64> = model
                    .iter()
                    .filter(|(at, _)| *at <= now)
                    .map(|(_, id)| *id)
                    .collect();
                expected.sort_unstable();
                model.retain(|(at, _)| *at > now);
                assert_eq!(due, expected);
            }
        }
        assert!(id > 1000);
    }

    #[test]
    fn never_fires_early() {
        let mut wheel = Wheel::new();
        wheel.insert(TICK_NS + 1, ());
        let mut due = Vec::new();
        wheel.expire(TICK_NS + 1, &mut due);
        assert!(due.is_empty());
        assert_eq!(wheel.next_ns(), Some(2 * TICK_NS));
        wheel.expire(2 * TICK_NS, &mut due);
        assert_eq!(due.len(), 1);
        assert_eq!(wheel.next_ns(), None);
    }
}
