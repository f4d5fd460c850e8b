//! What steps would send: nothing is sent.

use super::{Amount, OperatorError, OperatorSetup, Plan, Step, Wait, hint};
use crate::chain::Request;
use alloy::primitives::{Address, Bytes, U256};
use anzen_contracts::revert::describe_call;
use serde::{Serialize, Serializer};
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

/// A transaction that would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionPreview {
    /// What it is for.
    pub what: String,
    /// The contract.
    pub to: Address,
    /// The function with its arguments, by name.
    pub call: String,
    /// The call as it would be sent.
    pub data: Bytes,
    /// What it would take; nothing where that cannot be known yet.
    pub gas: Option<u64>,
    /// The most that it would cost, in wei.
    #[serde(serialize_with = "optional_decimal")]
    pub most_cost: Option<U256>,
    /// Why it would revert, by name; nothing where it would not, or where that cannot be known yet.
    pub revert: Option<String>,
    /// True where it can be tried only once the one before is in a block.
    pub depends_on_previous: bool,
}

fn optional_decimal<S: Serializer>(number: &Option<U256>, serializer: S) -> Result<S::Ok, S::Error> {
    number.map(|number| number.to_string()).serialize(serializer)
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
                    transactions.push(self.try_out(request, place > 0).await?);
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

    async fn try_out(
        &self,
        request: &Request,
        depends_on_previous: bool,
    ) -> Result<TransactionPreview, OperatorError> {
        let mut preview = TransactionPreview {
            what: request.what.clone(),
            to: request.to.unwrap_or_default(),
            call: request
                .signature
                .map_or_else(String::new, |signature| describe_call(signature, &request.data)),
            data: request.data.clone(),
            gas: None,
            most_cost: None,
            revert: None,
            depends_on_previous,
        };
        if depends_on_previous {
            return Ok(preview);
        }
        match self.account.price(request).await {
            Ok(price) => {
                preview.gas = Some(price.gas);
                preview.most_cost = Some(price.most_cost());
            }
            Err(error) => match error.revert_reason() {
                Some(reason) => {
                    let remedy = hint::remedy(reason).map(|remedy| format!(": {remedy}"));
                    preview.revert = Some(format!("{reason}{}", remedy.unwrap_or_default()));
                }
                None => return Err(error.into()),
            },
        }
        Ok(preview)
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

impl fmt::Display for TransactionPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.what)?;
        writeln!(f, "    to    {}", self.to)?;
        writeln!(f, "    call  {}", self.call)?;
        match (self.gas, self.most_cost, &self.revert) {
            (_, _, Some(revert)) => write!(f, "    would revert: {revert}"),
            (Some(gas), Some(cost), None) => {
                write!(f, "    gas   {gas}, at most {}; would succeed", Amount::ether(cost))
            }
            _ => write!(f, "    gas   not known before the transaction above is in a block"),
        }
    }
}
