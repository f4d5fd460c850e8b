//! Models, and what they read.
//!
//! A model is asked for once: its name is its hash, so nothing that an endpoint says can be another one. What it reads is
//! asked of one endpoint after another, all of it in one batch: slots with proofs, which are verified against the block's hash,
//! so that an endpoint that lies about them is found out; everything else is believed where `chain.agree` endpoints say the same.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `questions` | what is asked of an endpoint |
//! | `answers` | what it says, and what follows for a model |
//! | `witness` | the same for a contract, which believes nothing |
//! | `rounds` | which round of a feed counts |
//! | `state` | the proofs |
//! | `ballot` | how many say the same |

mod answers;
mod ballot;
mod kept;
mod questions;
mod rounds;
pub(super) mod state;
mod witness;

use std::sync::Arc;

use alloy::primitives::B256;
use anzen_messages::model::{Model, Reading, Term};
use async_trait::async_trait;
use futures::future::join_all;

use self::answers::Answers;
use self::ballot::Ballot;
pub(super) use self::kept::Kept;
use self::questions::AskError;
pub(super) use self::questions::Questions;
use super::AlloyChain;
use crate::ports::{ChainError, ModelInputs};

/// A model's terms with what their sources held.
type Terms = Vec<Term<Reading>>;

#[async_trait]
impl ModelInputs for AlloyChain {
    async fn terms_of(&self, models: &[B256], at: B256) -> Vec<Result<Terms, ChainError>> {
        let models = join_all(models.iter().map(|hash| self.model(*hash, at))).await;
        let known: Vec<&Model> = models.iter().flatten().map(Arc::as_ref).collect();
        let mut terms = self.read_models(&known, at).await.into_iter();
        let missing = || Err(ChainError::Nonsense("it was not asked".into()));
        models
            .iter()
            .map(|model| match model {
                Ok(_) => terms.next().unwrap_or_else(missing),
                Err(error) => Err(error.clone()),
            })
            .collect()
    }
}

impl AlloyChain {
    /// What these models read in the state after the block with this hash.
    pub async fn read_models(&self, models: &[&Model], at: B256) -> Vec<Result<Terms, ChainError>> {
        let questions = &Questions::of(models.iter().copied());
        let vote = |endpoint| async move {
            let answers = self.ask(questions, endpoint, at).await;
            let terms = |model: &&Model| answers.as_ref().map_err(Clone::clone).and_then(|a| a.terms(model));
            models.iter().map(terms).collect()
        };
        self.agreed(models.len(), at, vote).await
    }

    /// What enough endpoints say the same of, for each of `count` things about the block with this hash. `vote` is what one says,
    /// a vote for each thing.
    pub(super) async fn agreed<T: PartialEq, F: Future<Output = Vec<Result<T, ChainError>>>>(
        &self,
        count: usize,
        at: B256,
        vote: impl Fn(usize) -> F,
    ) -> Vec<Result<T, ChainError>> {
        let mut ballots: Vec<Ballot<T>> = (0..count).map(|_| Ballot::new(self.agree)).collect();
        let order = self.rpc.order();
        // As many at once as have to agree; the others only where those do not.
        let (first, others) = order.split_at(self.agree.clamp(1, order.len().max(1)).min(order.len()));
        let mut votes = join_all(first.iter().map(|endpoint| vote(*endpoint))).await;
        let mut asked = first.to_vec();
        let mut others = others.iter();
        loop {
            for (endpoint, votes) in asked.drain(..).zip(votes.drain(..)) {
                ballots.iter_mut().zip(votes).for_each(|(ballot, vote)| ballot.cast(endpoint, vote));
            }
            if ballots.iter().all(Ballot::is_decided) {
                break;
            }
            let Some(next) = others.next() else { break };
            asked.push(*next);
            votes.push(vote(*next).await);
        }
        ballots.into_iter().map(|ballot| self.count(ballot, at)).collect()
    }

    /// What an endpoint says of the block with this hash.
    pub(super) async fn ask(
        &self,
        questions: &Questions,
        endpoint: usize,
        at: B256,
    ) -> Result<Answers, ChainError> {
        questions.ask(&self.rpc, endpoint, at).await.map_err(|error| match error {
            AskError::Chain(error) => error,
            AskError::Unproven(what) => {
                let endpoint = self.rpc.name_of(endpoint);
                self.metrics.unproven(&endpoint);
                tracing::error!(endpoint, block = %at, error = %what, "an endpoint's proof does not hold; it lies, or is faulty");
                ChainError::Unproven { endpoint, what: what.to_string() }
            }
        })
    }

    fn count<T: PartialEq>(&self, ballot: Ballot<T>, at: B256) -> Result<T, ChainError> {
        for endpoint in ballot.at_odds() {
            let endpoint = self.rpc.name_of(endpoint);
            self.metrics.disagreed(&endpoint);
            tracing::error!(endpoint, block = %at, "endpoints contradict each other about what a model reads; find out who lies");
        }
        ballot.result()
    }
}
