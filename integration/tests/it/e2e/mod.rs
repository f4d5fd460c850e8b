//! What the end-to-end tests share. They run the real program, and look at it from outside: its output, the chain, the
//! wire, its metrics.

pub(crate) mod chain;
pub(crate) mod collector;
pub(crate) mod command;
pub(crate) mod door;
pub(crate) mod network;
pub(crate) mod newcomer;
pub(crate) mod node;
pub(crate) mod process;
pub(crate) mod wire;
