//! What became of each task, read from the chain itself: one line a task.

mod chain;
mod line;
mod open;

pub(super) use chain::{News, Watch};
pub(super) use open::{Answer, Missed};
