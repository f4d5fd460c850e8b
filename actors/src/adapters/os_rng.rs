//! Randomness of the operating system.

use crate::ports::Rng;

/// The operating system gives no randomness, so nothing that must be unpredictable can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no randomness (getrandom); the process must not run without it")]
pub struct NoRandomness;

/// Randomness of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct OsRng(());

impl OsRng {
    /// Asks for some, so that a machine that has none is noticed at startup.
    ///
    /// # Errors
    /// [`NoRandomness`] where there is none: end the process.
    pub fn new() -> Result<Self, NoRandomness> {
        getrandom::fill(&mut [0; 32]).map_err(|_| NoRandomness)?;
        Ok(Self(()))
    }
}

impl Rng for OsRng {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // It worked when the process started. Going on with predictable bytes would be worse than a restart.
            tracing::error!(%error, "the operating system gives no randomness any more; ending the process");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let rng = OsRng::new().unwrap();
        let (mut a, mut b) = ([0; 32], [0; 32]);
        rng.fill(&mut a);
        rng.fill(&mut b);
        assert_ne!(a, b);
    }
}
