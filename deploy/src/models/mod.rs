//! Models of safety factors: in files, on chain, and whether what they read is there.

mod check;
mod file;
mod kept;

pub(crate) use check::present_phase;
pub use check::{Finding, Part, check_kept, check_sources};
pub use file::{ModelFileError, load};
pub use kept::{exists, get};
