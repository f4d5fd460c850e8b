//! Which round of a feed was the latest at a block.
//!
//! It is the one that `contracts/sol/libraries/FeedRounds.sol` proves afterwards: of the model's phase, the last whose time is
//! not after the block's. After the block itself that is the feed's latest.

use alloy::primitives::aliases::U80;
use alloy::primitives::{Address, B256, I256, U256};
use alloy::sol;
use anzen_contracts::AggregatorV3Interface::{getRoundDataCall, latestRoundDataCall, latestRoundDataReturn};
use anzen_messages::model::{NoAnswer, Reading, reading_of_feed};

use super::super::failure::Failure;
use super::super::rpc::{At, Rpc, View};
use crate::ports::ChainError;

sol! {
    /// The part of a Chainlink proxy that says what it is a proxy of, by phase.
    interface Phases {
        function phaseAggregators(uint16 phaseId) external view returns (address);
    }
}

/// A feed of a model: the contract, and the phase whose rounds count; 0 of an aggregator.
pub(super) type Feed = (Address, u16);

/// The latest round of a feed at a block; nothing where there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Latest(pub(super) Option<Round>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Round {
    /// Within its phase, from 1.
    pub(super) number: u64,
    pub(super) answer: I256,
    /// How long before the block it was given, in seconds.
    pub(super) age: u64,
}

impl Latest {
    /// The round's number within its phase; 0 where there was none.
    pub(super) fn number(self) -> u64 {
        self.0.map_or(0, |round| round.number)
    }

    /// What it is to a model that takes answers of this age.
    pub(super) fn reading(self, max_age: u32) -> Reading {
        let round = self.0.ok_or(NoAnswer::NoRound)?;
        reading_of_feed(round.answer, round.age, max_age)
    }
}

/// What a feed says of its latest round.
enum Said {
    Round(Round),
    /// That there is none: to be believed if there is no first one either.
    Nothing,
    /// It is in another phase by now.
    OtherPhase,
}

fn round_id(phase: u16, number: u64) -> U80 {
    U80::from((u128::from(phase) << 64) | u128::from(number))
}

/// The phase and the number of a round.
fn phase_and_number(round: U80) -> (u64, u64) {
    let round: u128 = round.to();
    // 80 bits: the upper ones are 16.
    (u64::try_from(round >> 64).unwrap_or(u64::MAX), u64::try_from(round & u128::from(u64::MAX)).unwrap_or(0))
}

/// What `feed` means by its answer about its latest round, at `time`.
fn judge(
    (feed, phase): Feed,
    time: u64,
    answer: Result<latestRoundDataReturn, Failure>,
) -> Result<Said, ChainError> {
    let round = match answer {
        Ok(round) => round,
        Err(Failure::Reverts(_) | Failure::Fails(_)) => return Ok(Said::Nothing),
        Err(failure) => return Err(failure.into()),
    };
    let (of_phase, number) = phase_and_number(round.roundId);
    if number == 0 || round.updatedAt.is_zero() {
        return Ok(Said::Nothing);
    }
    if of_phase != u64::from(phase) {
        if phase == 0 {
            let what =
                format!("the feed {feed} is a proxy in phase {of_phase}, and the model names no phase");
            return Err(ChainError::Nonsense(what));
        }
        return Ok(Said::OtherPhase);
    }
    let age = age(feed, time, round.updatedAt)?;
    Ok(Said::Round(Round { number, answer: round.answer, age }))
}

fn age(feed: Address, time: u64, updated_at: U256) -> Result<u64, ChainError> {
    let age = u64::try_from(updated_at).ok().and_then(|updated_at| time.checked_sub(updated_at));
    age.ok_or_else(|| {
        let what = format!("the feed {feed} dates a round at {updated_at}, after the block's {time}");
        ChainError::Nonsense(what)
    })
}

/// Settles what the first batch has left open. Of an ordinary feed that is nothing, and nothing is asked.
pub(super) async fn settle(
    rpc: &Rpc,
    endpoint: usize,
    at: B256,
    time: u64,
    asked: Vec<(Feed, View<latestRoundDataCall>)>,
) -> Vec<(Feed, Result<Latest, ChainError>)> {
    let mut settled = Vec::with_capacity(asked.len());
    for (feed, view) in asked {
        let found = match judge(feed, time, view.get().await) {
            Ok(Said::Round(round)) => Ok(Latest(Some(round))),
            Ok(Said::Nothing) => has_no_round(rpc, endpoint, at, time, feed).await,
            Ok(Said::OtherPhase) => of_earlier_phase(rpc, endpoint, at, time, feed).await,
            Err(error) => Err(error),
        };
        settled.push((feed, found));
    }
    settled
}

/// Makes sure that there was no round in the phase, not even the first.
async fn has_no_round(
    rpc: &Rpc,
    endpoint: usize,
    at: B256,
    time: u64,
    (feed, phase): Feed,
) -> Result<Latest, ChainError> {
    let call = getRoundDataCall { roundId_: round_id(phase, 1) };
    match rpc.view_of(endpoint, feed, &call, At::Block(at)).await {
        Ok(first) if !first.updatedAt.is_zero() && first.updatedAt <= U256::from(time) => {
            let what = format!("the feed {feed} has rounds, and says nothing of the latest");
            Err(ChainError::Nonsense(what))
        }
        Ok(_) | Err(Failure::Reverts(_) | Failure::Fails(_)) => Ok(Latest(None)),
        Err(failure) => Err(failure.into()),
    }
}

/// The last round of a phase that the proxy has left, or not entered yet.
async fn of_earlier_phase(
    rpc: &Rpc,
    endpoint: usize,
    at: B256,
    time: u64,
    (feed, phase): Feed,
) -> Result<Latest, ChainError> {
    let call = Phases::phaseAggregatorsCall { phaseId: phase };
    let aggregator = rpc.view_of(endpoint, feed, &call, At::Block(at)).await?;
    if aggregator.is_zero() {
        return Ok(Latest(None));
    }
    let latest = rpc.view_of(endpoint, aggregator, &latestRoundDataCall {}, At::Block(at)).await;
    match judge((aggregator, 0), time, latest)? {
        Said::Round(round) => Ok(Latest(Some(round))),
        Said::Nothing | Said::OtherPhase => Ok(Latest(None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEED: Address = Address::repeat_byte(7);

    fn answered(phase: u16, number: u64, updated_at: u64) -> Result<latestRoundDataReturn, Failure> {
        Ok(latestRoundDataReturn {
            roundId: round_id(phase, number),
            answer: I256::ONE,
            startedAt: U256::from(updated_at),
            updatedAt: U256::from(updated_at),
            answeredInRound: round_id(phase, number),
        })
    }

    fn said(phase: u16, answer: Result<latestRoundDataReturn, Failure>) -> Result<&'static str, ChainError> {
        Ok(match judge((FEED, phase), 1_000, answer)? {
            Said::Round(_) => "a round",
            Said::Nothing => "nothing",
            Said::OtherPhase => "another phase",
        })
    }

    #[test]
    fn a_round_of_the_models_phase_counts() {
        assert_eq!(said(0, answered(0, 5, 900)), Ok("a round"));
        assert_eq!(said(6, answered(6, 5, 1_000)), Ok("a round"));
        assert_eq!(said(6, answered(7, 5, 900)), Ok("another phase"));
        assert!(said(0, answered(7, 5, 900)).unwrap_err().to_string().contains("names no phase"));
    }

    #[test]
    fn a_round_that_was_never_written_is_none() {
        assert_eq!(said(0, answered(0, 5, 0)), Ok("nothing"));
        assert_eq!(said(6, answered(6, 0, 900)), Ok("nothing"));
        assert_eq!(said(0, Err(Failure::Reverts(Default::default()))), Ok("nothing"));
        assert!(said(0, Err(Failure::Timeout)).is_err(), "that is not the feed's word");
    }

    #[test]
    fn a_round_of_the_future_is_no_answer_at_all() {
        assert!(said(0, answered(0, 5, 1_001)).unwrap_err().to_string().contains("after the block's"));
        let mut far = answered(0, 5, 1).unwrap();
        far.updatedAt = U256::MAX;
        assert!(said(0, Ok(far)).is_err());
    }

    #[test]
    fn what_there_is_none_of_and_what_is_old_have_their_outcomes() {
        assert_eq!((Latest(None).reading(60), Latest(None).number()), (Err(NoAnswer::NoRound), 0));
        let old = Latest(Some(Round { number: 3, answer: I256::ONE, age: 61 }));
        assert_eq!((old.reading(60), old.reading(61)), (Err(NoAnswer::StaleFeed), Ok(U256::from(1))));
    }
}
