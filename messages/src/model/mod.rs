//! How the answer is computed.
//!
//! A [`Model`] is a list of [`Term`]s, each of an amount and a price that come from a [`Source`]. Who evaluates it
//! reads the sources at the reference block, which makes terms of [`Reading`]s of them, and calls [`evaluate()`]: a pure function
//! in integers, the same as the contracts' `ModelMath` on every input (contracts/test/vectors/models.json).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `term` | a term, of sources or of readings |
//! | `source` | where a value comes from |
//! | `definition` | a whole model within its bounds, its hash |
//! | `abi` | the encoding that the hash is of |
//! | `reading` | what a source held, and why it may have held nothing |
//! | `evaluate` | the arithmetic |

mod abi;
mod definition;
mod evaluate;
mod reading;
mod source;
#[cfg(test)]
mod strategies;
mod term;
#[cfg(test)]
mod vectors;

pub use definition::{Model, ModelError};
pub use evaluate::{cost_and_profit, evaluate, value_of};
pub use reading::{NoAnswer, Reading, field_of, reading_of_feed};
pub use source::{Guard, Source, SourceKind};
pub use term::{Side, Term};
