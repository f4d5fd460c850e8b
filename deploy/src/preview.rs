//! What transactions would do: nothing is sent.

use crate::{
    chain::{Account, ChainError, Request},
    operator::Amount,
};
use alloy::primitives::{Address, Bytes, U256};
use anzen_contracts::revert::describe_call;
use serde::{Serialize, Serializer};
use std::fmt;

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

impl TransactionPreview {
    /// A transaction of which nothing is known but what it is.
    pub fn new(request: &Request, depends_on_previous: bool) -> Self {
        let call = request.signature.map(|signature| describe_call(signature, &request.data));
        Self {
            what: request.what.clone(),
            to: request.to.unwrap_or_default(),
            call: call.unwrap_or_default(),
            data: request.data.clone(),
            gas: None,
            most_cost: None,
            revert: None,
            depends_on_previous,
        }
    }
}

/// Why a contract refuses, with what can be done about it.
pub fn explained(reason: &str, remedy: impl Fn(&str) -> Option<&'static str>) -> String {
    remedy(reason).map_or_else(|| reason.to_owned(), |remedy| format!("{reason}: {remedy}"))
}

impl Account {
    /// What a transaction would take, or why it would revert, with what `remedy` says about that. One that depends on another is
    /// not tried.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn preview(
        &self,
        request: &Request,
        depends_on_previous: bool,
        remedy: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<TransactionPreview, ChainError> {
        let mut preview = TransactionPreview::new(request, depends_on_previous);
        if depends_on_previous {
            return Ok(preview);
        }
        match self.price(request).await {
            Ok(price) => {
                preview.gas = Some(price.gas);
                preview.most_cost = Some(price.most_cost());
            }
            Err(error) => {
                let Some(reason) = error.revert_reason() else { return Err(error) };
                preview.revert = Some(explained(reason, remedy));
            }
        }
        Ok(preview)
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
