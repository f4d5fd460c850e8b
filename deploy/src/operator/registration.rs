//! Registering with EigenLayer, with the delay after which allocations hold.

use super::{OperatorError, OperatorSetup, Plan, Wait, past::When};
use alloy::primitives::Address;
use anzen_contracts::eigenlayer::{AllocationManager, DelegationManager};

/// How an operator's allocation delay stands.
#[derive(Debug, PartialEq, Eq)]
enum Delay {
    Holds,
    /// It has been set, and holds from this block on.
    Pending {
        /// That block.
        until: u64,
        /// False where it may hold earlier.
        exact: bool,
    },
    Missing,
}

impl OperatorSetup {
    /// Registers with EigenLayer. Who registered before there were allocations gets an allocation delay.
    pub(super) async fn register(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        let delay = self.params.allocation_delay;
        if !self.operator.is_operator().await? {
            let call = DelegationManager::registerAsOperatorCall {
                initDelegationApprover: Address::ZERO,
                allocationDelay: delay,
                metadataURI: self.params.metadata_uri.clone(),
            };
            let to = self.operator.addresses.delegation_manager;
            let requests = vec![self.request("registering as an operator", to, &call)];
            return Ok(Plan::Send {
                requests,
                done: format!("{operator} has become an operator of EigenLayer's"),
            });
        }
        if self.delay().await? != Delay::Missing {
            return Ok(Plan::Nothing(format!("{operator} is an operator of EigenLayer's")));
        }
        let call = AllocationManager::setAllocationDelayCall { operator, delay };
        let to = self.operator.addresses.allocation_manager;
        let requests = vec![self.request("setting the allocation delay", to, &call)];
        Ok(Plan::Send { requests, done: format!("{operator} has set its allocation delay: {delay} blocks") })
    }

    /// Waits until EigenLayer lets the operator allocate: its allocation delay holds only after a while (17.5 days on
    /// mainnet).
    pub(super) async fn await_allocation_delay(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        if !self.operator.is_operator().await? {
            return Err(OperatorError::NotOperator(operator));
        }
        match self.delay().await? {
            Delay::Holds => Ok(Plan::Nothing(format!("{operator} may allocate"))),
            Delay::Missing => Err(OperatorError::NoAllocationDelay(operator)),
            Delay::Pending { until, exact } => {
                let text = format!("{operator}'s allocation delay, without which it cannot allocate, holds");
                let height = self.operator.height().await?;
                Ok(Plan::Wait(Wait { text, height, until, exact }))
            }
        }
    }

    /// How the allocation delay stands. No view tells one that does not hold yet from one that was never set, which who
    /// registered before there were allocations waits for in vain.
    async fn delay(&self) -> Result<Delay, OperatorError> {
        if self.operator.allocation_delay().await?.is_some() {
            return Ok(Delay::Holds);
        }
        let blocks = self.configuration_delay().await? + 1;
        match self.operator.delay_effect(blocks).await? {
            When::Known(block) => Ok(Delay::Pending { until: block, exact: true }),
            // It may have begun to hold since it was asked for, which is when it was set too long ago to be found.
            When::Never if self.operator.allocation_delay().await?.is_some() => Ok(Delay::Holds),
            When::Never => Ok(Delay::Missing),
            When::Unknown => self.wait_in_the_dark(blocks).await,
        }
    }

    /// A delay that had been set when it was first looked for holds some blocks later; if none does then, none had.
    async fn wait_in_the_dark(&self, blocks: u64) -> Result<Delay, OperatorError> {
        let height = self.operator.height().await?;
        let until = *self.delay_holds_from.get_or_init(|| height + blocks);
        if height < until {
            return Ok(Delay::Pending { until, exact: false });
        }
        Err(OperatorError::DelayUnknown {
            operator: self.address(),
            allocation_manager: self.operator.addresses.allocation_manager,
            delay: self.params.allocation_delay,
            since: height.saturating_sub(blocks),
        })
    }

    async fn configuration_delay(&self) -> Result<u64, OperatorError> {
        let view = AllocationManager::ALLOCATION_CONFIGURATION_DELAYCall {};
        Ok(self.operator.read(self.operator.addresses.allocation_manager, view).await?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{
        Step,
        mocked::{HEIGHT, Node},
    };
    use alloy::sol_types::SolValue;

    /// A chain with an operator of EigenLayer's without a delay that holds; `logs` answers for what is asked of the past.
    async fn chain(logs: impl FnOnce(&Node)) -> (Node, OperatorSetup) {
        let node = Node::default();
        let operator = node.operator().await;
        has_no_delay(&node);
        (0..2).for_each(|_| node.is_at_height());
        logs(&node);
        // Asked again before it is decided.
        node.returns((false, 0_u32).abi_encode_params());
        (node, operator)
    }

    fn has_no_delay(node: &Node) {
        node.returns(true.abi_encode());
        node.returns((false, 0_u32).abi_encode_params());
        node.returns(126_000_u32.abi_encode());
    }

    async fn plan(step: Step, logs: impl FnOnce(&Node)) -> Result<Plan, OperatorError> {
        chain(logs).await.1.plan(step).await
    }

    #[tokio::test]
    async fn where_old_logs_are_missing_a_delay_is_awaited_as_long_as_one_can_take() {
        let node = Node::default();
        let operator = node.operator().await;
        let at = |height| {
            has_no_delay(&node);
            (0..2).for_each(|_| node.is_at(height));
            // However few blocks are asked for.
            (0..5).for_each(|_| node.refuses("history has been pruned"));
            (0..2).for_each(|_| node.is_at(height));
        };
        at(HEIGHT);
        let plan = operator.plan(Step::AwaitAllocationDelay).await.unwrap();
        assert!(matches!(plan, Plan::Wait(Wait { until: 1_126_001, exact: false, .. })), "{plan:?}");
        at(HEIGHT + 126_000);
        let plan = operator.plan(Step::AwaitAllocationDelay).await.unwrap();
        assert!(matches!(plan, Plan::Wait(Wait { until: 1_126_001, .. })), "the end moves: {plan:?}");
        at(HEIGHT + 126_001);
        let error = operator.plan(Step::AwaitAllocationDelay).await.unwrap_err();
        assert!(!error.is_passing(), "nobody would be told");
        let text = error.to_string();
        for part in ["back to block 1000000", "chain.rpc_url", "setAllocationDelay(0x"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }

    #[tokio::test]
    async fn who_has_just_registered_needs_no_old_logs() {
        let delay_of =
            |operator| AllocationManager::AllocationDelaySet { operator, delay: 5, effectBlock: 1_125_000 };
        let node = Node::default();
        let operator = node.operator().await;
        has_no_delay(&node);
        (0..2).for_each(|_| node.is_at_height());
        (0..3).for_each(|_| node.refuses("at most 10 blocks"));
        (0..2).for_each(|_| node.has_no_events());
        node.has_event(HEIGHT - 25, &delay_of(operator.address()));
        node.is_at_height();
        let plan = operator.plan(Step::AwaitAllocationDelay).await.unwrap();
        assert!(matches!(plan, Plan::Wait(Wait { until: 1_125_000, exact: true, .. })), "{plan:?}");
    }

    #[tokio::test]
    async fn who_asks_too_often_has_to_ask_later() {
        let error = plan(Step::Register, |node| node.refuses("compute units per second exceeded"));
        assert!(error.await.unwrap_err().is_passing());
    }

    #[tokio::test]
    async fn a_delay_that_was_never_set_is_set_and_not_awaited() {
        let nothing = |node: &Node| (0..13).for_each(|_| node.has_no_events());
        let plan_of = async |step| plan(step, nothing).await;
        assert!(
            matches!(plan_of(Step::Register).await, Ok(Plan::Send { requests, .. }) if requests.len() == 1)
        );
        let error = plan_of(Step::AwaitAllocationDelay).await.unwrap_err();
        assert!(matches!(error, OperatorError::NoAllocationDelay(_)), "{error}");
    }
}
