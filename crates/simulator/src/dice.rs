//! Random numbers that are the same on every machine for one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A source of random numbers. Two with the same seed and stream give the same numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The numbers of one stream of a seed; streams of one seed are independent.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from `low` to `high`, both included; `low` when the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = u128::from(high.saturating_sub(low)) + 1;
        // Multiply and shift: the bias is below 2^-32 for every span used here.
        let scaled = (u128::from(self.any()) * span) >> 64;
        low + u64::try_from(scaled).unwrap_or(0)
    }

    /// Whether something with this chance in percent happens.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }

    /// The same as [`Self::between`] for the small quantities of physics.
    pub fn between_u32(&mut self, low: u32, high: u32) -> u32 {
        u32::try_from(self.between(u64::from(low), u64::from(high))).unwrap_or(high)
    }
}

/// Streams of the seed, so that no two parts of a building share numbers.
pub(crate) mod stream {
    /// Cars: how they react.
    pub(crate) const CARS: u64 = 1;
    /// Lift trips; the slot number is added.
    pub(crate) const LIFT: u64 = 1 << 40;
    /// Clouds; the slot number is added.
    pub(crate) const CLOUDS: u64 = 2 << 40;
    /// Noise of the houses; the minute is added.
    pub(crate) const HOUSES: u64 = 3 << 40;
    /// Visits; the day is added.
    pub(crate) const VISITS: u64 = 4 << 40;
    /// Links: waiting times between attempts.
    pub(crate) const LINKS: u64 = 5 << 40;
}
