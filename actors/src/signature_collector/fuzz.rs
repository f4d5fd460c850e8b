//! What operators, the chain and the disk may bring, for `just fuzz`.

mod disk;
mod operators;
mod run;

pub(crate) use disk::records;
pub(crate) use run::collector;
