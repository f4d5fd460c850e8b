//! Anzen as a whole. One binary, because each one costs a link.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod sim;
