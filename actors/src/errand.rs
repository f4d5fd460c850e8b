//! One thing at a time that a transaction does, tried again by blocks: a protocol's next task, a quorum's next refresh.
//!
//! An attempt is prepared by asking the chain, then sent. What became of a request may stay unknown (TxSender is in another
//! process, and the link broke): then the same request is sent again, which sends no second transaction. What failed for
//! good is prepared anew after a pause, under another id, because TxSender gives the same answer to the same id.

use anzen_messages::transaction::{Mined, TxRefusal};

use crate::bus::DeliveryError;
use crate::retry::doubled;

/// Names an attempt in what comes back to it. What comes back to an attempt that is not the current one is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It took effect.
    Done(Mined),
    /// It is in a block and reverted: the chain changed after the preflight.
    Reverted(Mined),
    /// It was not sent, and will not be.
    Refused(TxRefusal),
    /// Nobody knows; the same request may be sent again.
    Unknown(String),
}

impl From<Result<Result<Mined, TxRefusal>, DeliveryError>> for Sent {
    fn from(reply: Result<Result<Mined, TxRefusal>, DeliveryError>) -> Self {
        match reply {
            Ok(Ok(mined)) if mined.succeeded => Self::Done(mined),
            Ok(Ok(mined)) => Self::Reverted(mined),
            Ok(Err(TxRefusal::Unavailable { error })) => Self::Unknown(error),
            Ok(Err(refusal)) => Self::Refused(refusal),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<R> {
    /// Prepare an attempt.
    Prepare(Ticket),
    /// Send this again: it is not known what became of it.
    Send(Ticket, R),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase<R> {
    Idle,
    Preparing,
    Sending { request: R, not_after: u64 },
    Unsure { request: R, not_after: u64 },
}

/// How far an errand is. `R` is what is sent.
#[derive(Debug)]
pub struct Errand<R> {
    phase: Phase<R>,
    number: u64,
    failures: u32,
    not_before: u64,
    longest_pause: u64,
}

impl<R: Clone> Errand<R> {
    /// Nothing to do yet. Between attempts lie at most `longest_pause` blocks.
    pub fn new(longest_pause: u64) -> Self {
        Self { phase: Phase::Idle, number: 0, failures: 0, not_before: 0, longest_pause }
    }

    /// What to do at block `head`; `wanted` says whether a new attempt is.
    pub fn next(&mut self, head: u64, wanted: bool) -> Option<Next<R>> {
        if head < self.not_before {
            return None;
        }
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Unsure { request, not_after } if head <= not_after => {
                self.phase = Phase::Sending { request: request.clone(), not_after };
                Some(Next::Send(self.renew(), request))
            }
            Phase::Idle | Phase::Unsure { .. } if wanted => {
                self.phase = Phase::Preparing;
                Some(Next::Prepare(self.renew()))
            }
            Phase::Unsure { .. } => None,
            busy_or_idle => {
                self.phase = busy_or_idle;
                None
            }
        }
    }

    /// True where an answer to this attempt still matters.
    pub fn is_current(&self, ticket: Ticket) -> bool {
        let busy = matches!(self.phase, Phase::Preparing | Phase::Sending { .. });
        busy && ticket.0 == self.number
    }

    /// The attempt is prepared and is being sent; it is sent again up to block `not_after`.
    pub fn sending(&mut self, request: R, not_after: u64) {
        self.phase = Phase::Sending { request, not_after };
    }

    /// The block for the attempt's id: the one in which it became due, so that a restarted process asks under the same id;
    /// after a failure the newest, because another id is needed.
    pub fn id_block(&self, due: u64, head: u64) -> u64 {
        if self.failures == 0 { due } else { head }
    }

    /// The attempt has failed. Returns the block from which on there is another.
    pub fn failed(&mut self, head: u64) -> u64 {
        self.phase = Phase::Idle;
        self.pause(head)
    }

    /// A request has come to an end. Returns the block from which on there is another attempt, should it still be wanted.
    pub fn sent(&mut self, head: u64, outcome: &Sent) -> u64 {
        self.phase = match (outcome, std::mem::replace(&mut self.phase, Phase::Idle)) {
            (Sent::Unknown(_), Phase::Sending { request, not_after }) => Phase::Unsure { request, not_after },
            _ => Phase::Idle,
        };
        match outcome {
            // Its events are in that block. If they never come, a reorg has undone it.
            Sent::Done(mined) => self.pause(head.max(mined.block)),
            _ => self.pause(head),
        }
    }

    /// The attempts before were no failures after all: pauses begin anew.
    pub fn progress(&mut self) {
        self.failures = 0;
    }

    /// There is nothing to do before block `block`.
    pub fn rest(&mut self, block: u64) {
        self.phase = Phase::Idle;
        self.not_before = block;
    }

    /// Shortens a pause, so that there is another attempt at block `block` at the latest. Returns when there is.
    pub fn no_later_than(&mut self, block: u64) -> u64 {
        self.not_before = self.not_before.min(block);
        self.not_before
    }

    /// What the errand was for has happened, whoever did it.
    pub fn settled(&mut self) {
        self.drop_attempt();
        self.failures = 0;
        self.not_before = 0;
    }

    /// Forgets what is under way; what comes back to it is ignored.
    pub fn drop_attempt(&mut self) {
        self.phase = Phase::Idle;
        self.renew();
    }

    fn pause(&mut self, from: u64) -> u64 {
        self.failures = self.failures.saturating_add(1);
        self.not_before = from.saturating_add(doubled(1, self.failures, self.longest_pause));
        self.not_before
    }

    fn renew(&mut self) -> Ticket {
        self.number += 1;
        Ticket(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use proptest::prelude::*;

    fn prepared(errand: &mut Errand<&'static str>, head: u64) -> Ticket {
        match errand.next(head, true) {
            Some(Next::Prepare(ticket)) => ticket,
            other => panic!("nothing to prepare at {head}: {other:?}"),
        }
    }

    fn done(block: u64) -> Sent {
        Sent::Done(Mined { hash: B256::ZERO, block, gas_used: 1, succeeded: true })
    }

    #[test]
    fn one_attempt_at_a_time() {
        let mut errand = Errand::new(8);
        assert_eq!(errand.next(1, false), None);
        let ticket = prepared(&mut errand, 1);
        assert_eq!(errand.next(2, true), None);
        errand.sending("it", 10);
        assert_eq!(errand.next(3, true), None);
        assert!(errand.is_current(ticket));
    }

    #[test]
    fn pauses_after_failures_double() {
        let mut errand = Errand::new(4);
        let mut head = 1;
        for pause in [1, 2, 4, 4] {
            prepared(&mut errand, head);
            assert_eq!(errand.failed(head), head + pause);
            assert_eq!(errand.next(head + pause - 1, true), None);
            head += pause;
        }
    }

    #[test]
    fn what_is_unknown_is_sent_again_as_it_was() {
        let mut errand = Errand::new(8);
        let first = prepared(&mut errand, 1);
        errand.sending("it", 10);
        errand.sent(1, &Sent::Unknown("the link broke".into()));
        let Some(Next::Send(second, "it")) = errand.next(2, false) else { panic!("not sent again") };
        assert!(errand.is_current(second) && !errand.is_current(first));
        errand.sent(9, &Sent::Unknown("the link broke".into()));
        assert_eq!(errand.next(11, false), None, "its time is over");
        assert!(matches!(errand.next(11, true), Some(Next::Prepare(_))));
    }

    #[test]
    fn another_attempt_has_another_id() {
        let mut errand = Errand::new(8);
        prepared(&mut errand, 7);
        assert_eq!(errand.id_block(5, 7), 5);
        errand.sending("it", 10);
        errand.sent(7, &Sent::Refused(TxRefusal::Expired));
        assert_eq!(errand.id_block(5, 8), 8);
        errand.settled();
        assert_eq!(errand.id_block(5, 9), 5);
    }

    #[test]
    fn what_was_done_and_undone_is_tried_again_later() {
        let mut errand = Errand::new(8);
        prepared(&mut errand, 1);
        errand.sending("it", 10);
        assert_eq!(errand.sent(1, &done(3)), 4);
        assert_eq!(errand.next(3, true), None, "its events have not come yet");
        assert!(errand.next(4, true).is_some());
    }

    #[test]
    fn an_answer_to_an_attempt_that_was_settled_is_ignored() {
        let mut errand = Errand::new(8);
        let ticket = prepared(&mut errand, 1);
        errand.settled();
        assert!(!errand.is_current(ticket));
        let next = prepared(&mut errand, 1);
        assert!(!errand.is_current(ticket) && errand.is_current(next));
    }

    fn outcome() -> impl Strategy<Value = Sent> {
        let reverted = Mined { hash: B256::ZERO, block: 0, gas_used: 1, succeeded: false };
        prop_oneof![
            (0..300u64).prop_map(done),
            Just(Sent::Reverted(reverted)),
            Just(Sent::Refused(TxRefusal::Expired)),
            Just(Sent::Unknown("the link broke".into())),
        ]
    }

    proptest! {
        #[test]
        fn whatever_comes_back_there_is_one_attempt_at_a_time_and_always_another(
            steps in proptest::collection::vec((0..3u64, proptest::option::of(outcome()), any::<bool>()), 1..60)
        ) {
            let (mut errand, mut head, mut busy) = (Errand::new(8), 1, None);
            for (blocks, outcome, preparing_fails) in steps {
                head += blocks;
                if let Some(next) = errand.next(head, true) {
                    prop_assert_eq!(busy, None, "two attempts at a time");
                    let (Next::Prepare(ticket) | Next::Send(ticket, ())) = next;
                    busy = Some(ticket);
                    if preparing_fails && matches!(next, Next::Prepare(_)) {
                        errand.failed(head);
                        busy = None;
                    } else {
                        errand.sending((), head + 5);
                    }
                }
                if let (Some(ticket), Some(outcome)) = (busy, outcome) {
                    prop_assert!(errand.is_current(ticket));
                    // A block that the sender knows may be ahead of this one, but not far.
                    let outcome = match outcome {
                        Sent::Done(mined) => done(mined.block.min(head + 2)),
                        other => other,
                    };
                    prop_assert!(errand.sent(head, &outcome) <= head + 2 + 8);
                    busy = None;
                }
            }
            prop_assert!(busy.is_some() || errand.next(head + 11, true).is_some(), "forgotten");
        }
    }
}
