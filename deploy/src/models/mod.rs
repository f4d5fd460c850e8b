//! Models of safety factors: in files, on chain, whether what they read is there, and where it can be proved.

mod check;
mod file;
mod kept;
mod trace;

pub(crate) use check::present_phase;
pub use check::{Finding, Part, check_kept, check_sources};
pub use file::{ModelFileError, load};
pub use kept::{exists, get};
pub use trace::{Trace, TraceError, trace};
