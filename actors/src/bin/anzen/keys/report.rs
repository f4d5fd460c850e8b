//! What is told of a key.

use std::{fmt, path::PathBuf};

use alloy::primitives::{Address, B256};
use anzen_actors::keys::{KeyKind, Owner};
use serde::Serialize;

use crate::output::Report;

/// A keystore, with what it says in the open.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    #[serde(rename = "type")]
    pub(super) kind: KeyKind,
    pub(super) file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operator_id: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<String>,
}

impl Described {
    pub(super) fn new(kind: KeyKind, file: PathBuf, owner: &Owner) -> Self {
        let (address, public_key) = match owner {
            Owner::Ecdsa(address) => (Some(*address), None),
            Owner::Bls(key) => (None, Some(key.to_string())),
            Owner::Unsaid => (None, None),
        };
        Self { kind, file, address, operator_id: owner.operator_id().map(|id| id.0), public_key }
    }

    /// What tells this key from others, in one line.
    pub(super) fn identity(&self) -> String {
        let ids = [
            self.address.map(|address| address.to_string()),
            self.operator_id.map(|id| id.to_string()),
            self.public_key.clone(),
        ];
        ids.into_iter().flatten().next().unwrap_or_else(|| "the keystore does not say".into())
    }
}

impl Report for Described {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{} key in {}", self.kind, self.file.display())?;
        if let Some(address) = self.address {
            writeln!(f, "  address      {address}")?;
        }
        if let Some(id) = self.operator_id {
            writeln!(f, "  operator id  {id}")?;
        }
        if let Some(key) = &self.public_key {
            writeln!(f, "  public key   {key}")?;
        }
        writeln!(f, "Keep a copy of the file and its password elsewhere: nobody can restore them.")
    }
}
