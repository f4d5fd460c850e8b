//! What can happen next.

use proptest::prelude::*;

use super::REQUESTS;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Ask(u8),
    /// The chain answers a question, from a state this many blocks ago.
    Answer(usize, usize),
    /// A question goes unanswered; what was to be broadcast may have arrived.
    Lose(usize, bool),
    /// The same, and it is wrong: so many nonces more are used, or all that is asked for is mined.
    Mislead(usize, u64),
    Write,
    Tell,
    Mine,
    Fork(usize),
    OtherSender,
    /// The nodes forget a transaction.
    Drop,
    Price(u128),
    /// From now on what is mined reverts, or does not.
    Reverting(bool),
    /// So much is left of what the sender has.
    Drain(u64),
    Fund,
    /// Another sender on the key has a transaction wait.
    OtherWaits,
    Crash,
}

pub(super) fn step(deepest: usize) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..REQUESTS).prop_map(Step::Ask),
        16 => (0..8usize, 0..=deepest).prop_map(|(which, ago)| Step::Answer(which, ago)),
        1 => (0..8usize, any::<bool>()).prop_map(|(which, arrives)| Step::Lose(which, arrives)),
        1 => (0..8usize, 1..=16u64).prop_map(|(which, more)| Step::Mislead(which, more)),
        8 => Just(Step::Write),
        6 => Just(Step::Tell),
        6 => Just(Step::Mine),
        1 => (1..=deepest).prop_map(Step::Fork),
        1 => Just(Step::OtherSender),
        1 => Just(Step::Drop),
        1 => (1..300u128).prop_map(Step::Price),
        1 => any::<bool>().prop_map(Step::Reverting),
        1 => (0..40_000u64).prop_map(Step::Drain),
        1 => Just(Step::Fund),
        1 => Just(Step::OtherWaits),
        1 => Just(Step::Crash),
    ]
}
