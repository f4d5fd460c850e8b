//! EigenLayer's contracts, declared by hand as far as Anzen calls them or reads their events.
//!
//! The bytecode is not here: `anzen-deploy` extracts it (see deploy/eigenlayer/Cargo.toml), and its tests compare these
//! declarations with the ABI that comes with it.

mod core;
mod errors;
mod middleware;

pub use core::*;
pub(crate) use errors::ERRORS;
pub use middleware::*;
