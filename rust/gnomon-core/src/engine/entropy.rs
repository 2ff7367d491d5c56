//! Unpredictable numbers from the operating system, fetched a block at a time.

use std::io;

/// Random octets for message IDs, socket choice and case mixing (RFC 5452 section 9.2).
pub struct Entropy {
    block: [u8; 1024],
    used: usize,
}

impl Entropy {
    /// Fails if the operating system has no random numbers to give.
    pub fn new() -> io::Result<Self> {
        let mut block = [0; 1024];
        getrandom::fill(&mut block).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { block, used: 0 })
    }

    pub fn u8(&mut self) -> u8 {
        if self.used == self.block.len() {
            // It worked at the start, so a failure is a broken machine: stop rather than send guessable IDs.
            assert!(
                getrandom::fill(&mut self.block).is_ok(),
                "the operating system gives no random numbers"
            );
            self.used = 0;
        }
        let octet = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        octet
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    /// A number under `bound`; the bias is below one in a hundred for the small bounds used here.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.u16()) % bound.max(1)
    }
}

/// A repeatable generator for property tests.
#[cfg(test)]
pub struct XorShift(u64);

#[cfg(test)]
impl XorShift {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}
