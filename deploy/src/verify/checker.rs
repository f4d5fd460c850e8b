//! Collects checks.

use super::report::{Check, Finding, Report};
use crate::{
    addresses::Addresses,
    chain::{self, ChainError},
};
use alloy::{primitives::Address, providers::DynProvider, sol_types::SolCall};
use std::fmt::Debug;

/// Collects checks of one deployment.
pub(super) struct Checker<'a> {
    pub(super) provider: &'a DynProvider,
    pub(super) at: &'a Addresses,
    pub(super) report: Report,
}

impl<'a> Checker<'a> {
    pub(super) fn new(provider: &'a DynProvider, at: &'a Addresses) -> Self {
        Self { provider, at, report: Report::default() }
    }

    pub(super) fn ok(&mut self, name: impl Into<String>, seen: impl Into<String>) {
        self.report.checks.push(Check { name: name.into(), finding: Finding::Ok(seen.into()) });
    }

    pub(super) fn fail(&mut self, name: impl Into<String>, what: impl Into<String>, todo: impl Into<String>) {
        let finding = Finding::Failed { what: what.into(), todo: todo.into() };
        self.report.checks.push(Check { name: name.into(), finding });
    }

    /// Checks that `holds`, with what was seen.
    pub(super) fn require(&mut self, name: &str, holds: bool, seen: impl Into<String>, todo: &str) {
        if holds { self.ok(name, seen) } else { self.fail(name, seen, todo) }
    }

    /// Checks that two values are equal, and returns whether they are.
    pub(super) fn compare<T: PartialEq + Debug>(
        &mut self,
        name: &str,
        actual: &T,
        expected: &T,
        todo: &str,
    ) -> bool {
        let equal = actual == expected;
        if equal {
            self.ok(name, format!("{actual:?}"));
        } else {
            self.fail(name, format!("is {actual:?}, should be {expected:?}"), todo);
        }
        equal
    }

    /// Reads a view; one that reverts, or is not there, is a failed check.
    pub(super) async fn read<C: SolCall>(
        &mut self,
        name: &str,
        of: Address,
        view: C,
    ) -> Result<Option<C::Return>, ChainError> {
        match chain::read(self.provider, of, view).await {
            Ok(value) => Ok(Some(value)),
            Err(error @ ChainError::Rpc { .. }) => Err(error),
            Err(error) => {
                self.fail(name, error.to_string(), "check that the file of addresses is of this deployment");
                Ok(None)
            }
        }
    }

    /// Checks what a view returns.
    pub(super) async fn view<C: SolCall<Return: PartialEq + Debug>>(
        &mut self,
        name: &str,
        of: Address,
        view: C,
        expected: C::Return,
        todo: &str,
    ) -> Result<(), ChainError> {
        if let Some(actual) = self.read(name, of, view).await? {
            self.compare(name, &actual, &expected, todo);
        }
        Ok(())
    }
}
