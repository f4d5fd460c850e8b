//! Deliberately broken variants: what the simulation is for is to catch them.

use std::fmt;
use std::str::FromStr;

use super::store::{INTENTS, PROTECTION, SIGNATURES};

/// What is broken, in every process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The store says that a write is on disk before it is synced.
    AcknowledgesEarly,
    /// A process that starts does not read what it has signed.
    ForgetsProtection,
    /// A process that starts does not read which transactions are under way.
    ForgetsIntents,
    /// A process that starts does not read which signatures it acknowledged.
    ForgetsSignatures,
    /// The gateway lets an operator speak for another.
    LetsImpersonate,
    /// A process takes a disk that was put back to an earlier state for its own.
    IgnoresRestoration,
}

impl Sabotage {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::AcknowledgesEarly,
        Self::ForgetsProtection,
        Self::ForgetsIntents,
        Self::ForgetsSignatures,
        Self::LetsImpersonate,
        Self::IgnoresRestoration,
    ];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AcknowledgesEarly => "acknowledges-early",
            Self::ForgetsProtection => "forgets-protection",
            Self::ForgetsIntents => "forgets-intents",
            Self::ForgetsSignatures => "forgets-signatures",
            Self::LetsImpersonate => "lets-impersonate",
            Self::IgnoresRestoration => "ignores-restoration",
        }
    }

    /// The records that a starting process does not read.
    pub(super) fn forgets(self) -> Option<&'static str> {
        match self {
            Self::ForgetsProtection => Some(PROTECTION),
            Self::ForgetsIntents => Some(INTENTS),
            Self::ForgetsSignatures => Some(SIGNATURES),
            Self::AcknowledgesEarly | Self::LetsImpersonate | Self::IgnoresRestoration => None,
        }
    }
}

impl fmt::Display for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no sabotage of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no sabotage is called {0}; there are acknowledges-early, forgets-protection, forgets-intents, forgets-signatures, \
     lets-impersonate and ignores-restoration"
)]
pub struct UnknownSabotage(String);

impl FromStr for Sabotage {
    type Err = UnknownSabotage;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|one| one.as_str() == name).ok_or_else(|| UnknownSabotage(name.into()))
    }
}
