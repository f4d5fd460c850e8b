//! How the fault of an answer's signers stands.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, keccak256};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::{SolEvent, SolValue};
use anzen_contracts::AnzenServiceManager::{FaultRecorded, slashingRequestCall};
use anzen_contracts::anzen_service_manager::IAnzenServiceManager::Fault;
use anzen_contracts::eigenlayer::OperatorStateRetriever::Operator;
use anzen_contracts::eigenlayer::SlashingRegistryCoordinator::getCurrentQuorumBitmapCall;
use anzen_messages::OperatorId;

use super::super::AlloyChain;
use super::super::rpc::{Answer, At};
use crate::ports::{ChainError, FaultStanding, SignerStanding};

/// Who signed: the operators of the task's quorums, with their accounts, less those who did not; ascending by id.
pub(super) fn signers(state: &[Vec<Operator>], non_signers: &[OperatorId]) -> BTreeMap<OperatorId, Address> {
    let operators = state.iter().flatten().map(|one| (OperatorId(one.operatorId), one.operator));
    operators.filter(|(id, _)| !non_signers.contains(id)).collect()
}

impl AlloyChain {
    pub(super) async fn fault_standing(
        &self,
        id: B256,
        fault: Fault,
        signers: BTreeMap<OperatorId, Address>,
    ) -> Result<FaultStanding, ChainError> {
        let at = self.addresses;
        let mut batch = self.rpc.batch();
        let block = u64::from(fault.recordedBlock);
        let recorded = Filter::new().address(at.service_manager).select(block);
        let recorded = recorded.event_signature(FaultRecorded::SIGNATURE_HASH).topic1(id);
        let recorded: Answer<Vec<Log>> = batch.ask("eth_getLogs", &[recorded]);
        let ask = |(id_of, address): (OperatorId, Address)| {
            let request = slashingRequestCall { faultId: id, operator: address };
            let request = batch.view(at.service_manager, &request, At::Latest);
            let bitmap = getCurrentQuorumBitmapCall { operatorId: id_of.0 };
            (id_of, address, request, batch.view(at.registry_coordinator, &bitmap, At::Latest))
        };
        let asked: Vec<_> = signers.into_iter().map(ask).collect();
        batch.send().await?;

        let plan = plan_of(&fault, &recorded.get().await?)?;
        let mut signers = Vec::with_capacity(asked.len());
        for (id, address, request, bitmap) in asked {
            let request = request.get().await?;
            signers.push(SignerStanding {
                id,
                address,
                frozen: request.frozen,
                vetoed: request.vetoed,
                owes: !request.quorums.is_zero(),
                registered: !bitmap.get().await?.is_zero(),
            });
        }
        Ok(FaultStanding {
            id,
            veto_end: fault.vetoEnd.into(),
            execution_end: fault.executionEnd.into(),
            vetoed: fault.vetoed,
            plan,
            signers,
        })
    }
}

/// Where stake is taken from, as the fault's log tells: if it has the hash that the fault keeps.
fn plan_of(fault: &Fault, logs: &[Log]) -> Result<Vec<(u8, Vec<Address>)>, ChainError> {
    let plans = logs.iter().filter_map(|log| FaultRecorded::decode_log_validate(&log.inner).ok());
    let mut plans = plans.map(|event| event.data.plan);
    let plan = plans.find(|plan| keccak256(plan.abi_encode()) == fault.planHash);
    let block = fault.recordedBlock;
    let missing = || ChainError::Nonsense(format!("no log of block {block} tells where a fault's stake is"));
    let plan = plan.ok_or_else(missing)?;
    Ok(plan.into_iter().map(|part| (part.quorumNumber, part.strategies)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U256;
    use anzen_contracts::anzen_service_manager::IAnzenServiceManager::QuorumStrategies;

    const STRATEGY: Address = Address::repeat_byte(3);

    fn operator(number: u8) -> Operator {
        let address = Address::with_last_byte(number);
        Operator { operator: address, operatorId: B256::with_last_byte(number), stake: U256::ONE.to() }
    }

    #[test]
    fn who_was_in_several_quorums_signed_once() {
        let id = |number| OperatorId(B256::with_last_byte(number));
        let state = [vec![operator(3), operator(1)], vec![operator(2), operator(3)]];
        let signers = signers(&state, &[id(1)]);
        assert_eq!(signers.into_keys().collect::<Vec<_>>(), [id(2), id(3)]);
    }

    #[test]
    fn a_plan_that_is_not_the_faults_is_not_sent() {
        let plan = vec![QuorumStrategies { quorumNumber: 1, strategies: vec![STRATEGY] }];
        let plan_hash = keccak256(plan.abi_encode());
        let event =
            FaultRecorded { faultId: B256::ZERO, kind: 0, wadToSlash: 1, vetoEnd: 2, executionEnd: 3, plan };
        let data = event.encode_log_data();
        let log = Log { inner: alloy::primitives::Log { address: STRATEGY, data }, ..Log::default() };
        let fault = Fault {
            kind: 0,
            recordedBlock: 1,
            vetoEnd: 2,
            executionEnd: 3,
            vetoed: false,
            wadToSlash: 1,
            planHash: plan_hash,
        };
        assert_eq!(plan_of(&fault, std::slice::from_ref(&log)), Ok(vec![(1, vec![STRATEGY])]));
        let other = Fault { planHash: B256::ZERO, ..fault };
        assert!(plan_of(&other, &[log]).is_err() && plan_of(&other, &[]).is_err());
    }
}
