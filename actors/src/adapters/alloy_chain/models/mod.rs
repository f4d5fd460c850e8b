//! Models, and what they read.
//!
//! A model is asked for once: its name is its hash, so nothing that an endpoint says can be another one. What it reads is
//! asked of one endpoint after another, all of it in one batch: slots with proofs, which are verified against the block's hash,
//! so that an endpoint that lies about them is found out; everything else is believed where `chain.agree` endpoints say the same.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `questions` | what is asked of an endpoint, and what follows for a model |
//! | `rounds` | which round of a feed counts |
//! | `state` | the proofs |
//! | `ballot` | how many say the same |

mod ballot;
mod kept;
mod questions;
mod rounds;
pub(super) mod state;

use std::sync::Arc;

use alloy::primitives::B256;
use anzen_messages::model::{Model, Reading, Term};
use async_trait::async_trait;
use futures::future::join_all;

use self::ballot::Ballot;
pub(super) use self::kept::Kept;
use self::questions::{Answers, AskError, Questions};
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
        let questions = Questions::of(models.iter().copied());
        let mut ballots: Vec<Ballot<Terms>> = models.iter().map(|_| Ballot::new(self.agree)).collect();
        let order = self.rpc.order();
        // As many at once as have to agree; the others only where those do not.
        let (first, others) = order.split_at(self.agree.clamp(1, order.len().max(1)).min(order.len()));
        let ask = |endpoint: usize| self.ask(&questions, endpoint, at);
        let mut answers = join_all(first.iter().map(|endpoint| ask(*endpoint))).await;
        let mut asked = first.to_vec();
        let mut others = others.iter();
        loop {
            for (endpoint, answers) in asked.drain(..).zip(answers.drain(..)) {
                for (model, ballot) in models.iter().zip(&mut ballots) {
                    ballot
                        .cast(endpoint, answers.as_ref().map_err(Clone::clone).and_then(|a| a.terms(model)));
                }
            }
            if ballots.iter().all(Ballot::is_decided) {
                break;
            }
            let Some(next) = others.next() else { break };
            asked.push(*next);
            answers.push(ask(*next).await);
        }
        ballots.into_iter().map(|ballot| self.count(ballot, at)).collect()
    }

    async fn ask(&self, questions: &Questions, endpoint: usize, at: B256) -> Result<Answers, ChainError> {
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

    fn count(&self, ballot: Ballot<Terms>, at: B256) -> Result<Terms, ChainError> {
        for endpoint in ballot.at_odds() {
            let endpoint = self.rpc.name_of(endpoint);
            self.metrics.disagreed(&endpoint);
            tracing::error!(endpoint, block = %at, "endpoints contradict each other about what a model reads; find out who lies");
        }
        ballot.result()
    }
}
