//! Chance.

use std::time::Duration;

/// Randomness: of the operating system in a real process, of the seed in a simulation.
pub trait Rng: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Between a half and the whole of `longest`, so that many waiting peers do not return at once.
pub fn jittered(rng: &dyn Rng, longest: Duration) -> Duration {
    let mut bytes = [0; 4];
    rng.fill(&mut bytes);
    let half = longest / 2;
    half + half.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}
