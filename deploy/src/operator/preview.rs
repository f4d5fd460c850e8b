//! What steps would send: nothing is sent.

use super::{OperatorError, OperatorSetup, Plan, Step, Wait, hint};
use crate::preview::TransactionPreview;
use serde::Serialize;
use std::fmt;

/// What a step would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The step.
    pub step: Step,
    /// How it stands.
    #[serde(flatten)]
    pub state: State,
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "state")]
pub enum State {
    /// It has been done.
    Done {
        /// What has been, in a sentence.
        text: String,
    },
    /// Blocks have to come first.
    Waits {
        /// For what, until when.
        #[serde(flatten)]
        wait: Wait,
    },
    /// Other steps have to be taken first.
    After {
        /// Which.
        steps: Vec<Step>,
        /// What will be done, where that can be told already.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// It cannot be taken as things are.
    Fails {
        /// Why, and what to do.
        error: String,
    },
    /// Transactions would be sent.
    Sends {
        /// Which, in order.
        transactions: Vec<TransactionPreview>,
    },
}

impl OperatorSetup {
    /// What steps would do now, in order. A step whose precondition is another that has not been taken says so.
    pub async fn preview(&self, steps: &[Step]) -> Result<Vec<Preview>, OperatorError> {
        let mut previews: Vec<Preview> = Vec::with_capacity(steps.len());
        for &step in steps {
            let open = |other: &&Step| {
                previews.iter().any(|one| one.step == **other && !matches!(one.state, State::Done { .. }))
            };
            let first: Vec<Step> = step.requires().iter().filter(open).copied().collect();
            let state = if first.is_empty() {
                self.look_at(self.plan(step).await).await?
            } else {
                self.look_ahead(step, first).await?
            };
            previews.push(Preview { step, state });
        }
        Ok(previews)
    }

    /// What a plan would do.
    pub async fn look_at(&self, plan: Result<Plan, OperatorError>) -> Result<State, OperatorError> {
        Ok(match plan {
            Ok(Plan::Nothing(text)) => State::Done { text },
            Ok(Plan::Wait(wait)) => State::Waits { wait },
            Ok(Plan::Send { requests, .. }) => {
                let mut transactions = Vec::with_capacity(requests.len());
                for (place, request) in requests.iter().enumerate() {
                    transactions.push(self.account.preview(request, place > 0, hint::remedy).await?);
                }
                State::Sends { transactions }
            }
            Err(error) => failed(error)?,
        })
    }

    /// What a step will do after others.
    async fn look_ahead(&self, step: Step, steps: Vec<Step>) -> Result<State, OperatorError> {
        if step != Step::QueueWithdrawal {
            return Ok(State::After { steps, text: None });
        }
        match self.withdrawal_outlook().await {
            Ok(text) => Ok(State::After { steps, text: Some(text) }),
            Err(error) => failed(error),
        }
    }
}

/// The node's failures are the command's; the others are what a preview is for.
fn failed(error: OperatorError) -> Result<State, OperatorError> {
    if error.is_passing() { Err(error) } else { Ok(State::Fails { error: error.to_string() }) }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step.name();
        match &self.state {
            State::Done { text } => write!(f, "{step}: nothing to do: {text}"),
            State::Waits { wait } => write!(f, "{step}: waits: {wait}"),
            State::After { steps, text } => {
                let steps: Vec<&str> = steps.iter().map(|step| step.name()).collect();
                write!(f, "{step}: after {}", steps.join(", "))?;
                text.iter().try_for_each(|text| write!(f, ": {text}"))
            }
            State::Fails { error } => write!(f, "{step}: would fail: {error}"),
            State::Sends { transactions } => {
                write!(f, "{step}: sends")?;
                transactions.iter().try_for_each(|one| write!(f, "\n{one}"))
            }
        }
    }
}
