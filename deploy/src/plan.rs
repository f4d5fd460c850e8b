//! What a deployment would do, found out by going through it without sending anything.
//!
//! What is to be created gets the address that it would have; a view of it is answered by what it is going to say, as far
//! as that matters for the steps that follow.

use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes};
use serde::Serialize;

/// The gas of a creation beside its code: the transaction, and what a constructor does.
const GAS_OF_CREATION: u64 = 53_000 + 60_000;
/// Gas a byte of code that stays on chain.
const GAS_OF_CODE: u64 = 200;
/// Gas a byte of data that is sent; a zero takes a quarter.
const GAS_OF_DATA: u64 = 16;
/// What a step's call takes, about: most set a few slots, and one does all of governance's setting up.
const GAS_OF_CALL: u64 = 190_000;

/// The steps of a deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What the journal and the chain show to be done, in order.
    pub done: Vec<String>,
    /// What is to be done, in order.
    pub to_do: Vec<String>,
    /// About how much gas that takes.
    pub gas: u64,
}

/// A plan that is being made.
#[derive(Debug)]
pub(crate) struct Planning {
    plan: Plan,
    deployer: Address,
    nonce: u64,
    /// Where contracts are going to be.
    planned: BTreeSet<Address>,
}

impl Planning {
    /// A plan of what `deployer` would send from `nonce` on.
    pub(crate) fn new(deployer: Address, nonce: u64) -> Self {
        Self { plan: Plan::default(), deployer, nonce, planned: BTreeSet::new() }
    }

    /// Whether the contract is yet to be created. The zero address stands for one that such a contract will name.
    pub(crate) fn is_planned(&self, contract: Address) -> bool {
        contract.is_zero() || self.planned.contains(&contract)
    }

    /// Whether a step is yet to come.
    pub(crate) fn is_anything_to_do(&self) -> bool {
        !self.plan.to_do.is_empty()
    }

    pub(crate) fn done(&mut self, step: &str) {
        self.plan.done.push(step.to_owned());
    }

    /// The contract will be created; returns where.
    pub(crate) fn create(&mut self, step: &str, code: &Bytes) -> Address {
        let address = self.deployer.create(self.nonce);
        self.planned.insert(address);
        self.send(step, gas_of_creation(code));
        address
    }

    /// The call will be made.
    pub(crate) fn call(&mut self, step: &str) {
        self.send(step, GAS_OF_CALL);
    }

    fn send(&mut self, step: &str, gas: u64) {
        self.nonce += 1;
        self.plan.to_do.push(step.to_owned());
        self.plan.gas += gas;
    }

    pub(crate) fn finish(self) -> Plan {
        self.plan
    }
}

fn gas_of_creation(code: &Bytes) -> u64 {
    let bytes = u64::try_from(code.len()).unwrap_or(u64::MAX);
    let zeros = u64::try_from(code.iter().filter(|byte| **byte == 0).count()).unwrap_or(u64::MAX);
    let data = (bytes - zeros).saturating_mul(GAS_OF_DATA) + zeros.saturating_mul(GAS_OF_DATA / 4);
    GAS_OF_CREATION.saturating_add(bytes.saturating_mul(GAS_OF_CODE)).saturating_add(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_has_the_address_that_its_nonce_gives() {
        let deployer = Address::repeat_byte(1);
        let mut planning = Planning::new(deployer, 7);
        planning.done("a");
        planning.call("b");
        let address = planning.create("c", &Bytes::from_static(&[0, 1]));
        assert_eq!(address, deployer.create(8));
        assert!(planning.is_planned(address) && !planning.is_planned(deployer));
        let plan = planning.finish();
        assert_eq!((plan.done, plan.to_do), (vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(plan.gas, GAS_OF_CALL + GAS_OF_CREATION + 2 * GAS_OF_CODE + 20);
    }
}
