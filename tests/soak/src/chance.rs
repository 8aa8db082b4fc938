//! Chance that a seed repeats. Knows nothing of what it is for.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::time::Duration;

/// Numbers that nobody would guess and a seed gives again (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// `stream` tells those apart that share a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Self(seed ^ stream.wrapping_mul(0xA076_1D64_78BD_642F));
        chance.next();
        chance
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of so many.
    pub(crate) fn below(&mut self, many: u64) -> u64 {
        self.next() % many.max(1)
    }

    pub(crate) fn millis(&mut self, range: Range<u64>) -> Duration {
        let wide = range.end.saturating_sub(range.start);
        Duration::from_millis(range.start + self.below(wide))
    }
}

/// One that nobody has asked for.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0u8) % 1_000_000
}
