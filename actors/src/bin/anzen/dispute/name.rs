//! How a person names an operator.

use std::str::FromStr;

use alloy::primitives::{Address, B256};
use anzen_deploy::disputes::{DisputeError, Disputes};

use crate::task::TaskName;

/// An operator, by its account or its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperatorName {
    Account(Address),
    Id(B256),
}

impl FromStr for OperatorName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let account = text.parse().map(Self::Account);
        let name = account.or_else(|_| text.parse().map(Self::Id));
        name.map_err(
            |_| "neither an operator's account (0x and 40 hexadecimal digits) nor its id (64 of them)",
        )
    }
}

impl OperatorName {
    pub(super) async fn id(self, disputes: &Disputes) -> Result<B256, DisputeError> {
        match self {
            Self::Account(account) => disputes.id_of(account).await,
            Self::Id(id) => Ok(id),
        }
    }

    pub(super) async fn account(self, disputes: &Disputes) -> Result<Address, DisputeError> {
        match self {
            Self::Account(account) => Ok(account),
            Self::Id(id) => disputes.account_of(id).await,
        }
    }
}

/// The task's hash, or the fault's name, that a person means.
pub(super) async fn hash_of(name: TaskName, disputes: &Disputes) -> Result<B256, DisputeError> {
    match name {
        TaskName::Hash(hash) => Ok(hash),
        TaskName::Index(index) => disputes.task_hash_at(index).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_named_by_its_account_or_its_id() {
        let (account, id) = (Address::repeat_byte(7), B256::repeat_byte(7));
        assert_eq!(account.to_string().parse(), Ok(OperatorName::Account(account)));
        assert_eq!(id.to_string().parse(), Ok(OperatorName::Id(id)));
        for text in ["", "7", "0x12", "operator-1"] {
            assert!(text.parse::<OperatorName>().unwrap_err().contains("40 hexadecimal digits"), "{text}");
        }
    }
}
