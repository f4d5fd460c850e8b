//! What a node may answer, for `just fuzz`.

use alloy::primitives::{Address, B256, Bytes, I256, LogData};
use alloy::rpc::types::{EIP1186AccountProofResponse, Header, Log};
use alloy::sol_types::SolCall;
use alloy::transports::TransportError;
use anzen_contracts::eigenlayer::OperatorStateRetriever::{
    getCheckSignaturesIndicesCall, getOperatorStateCall,
};
use anzen_contracts::eigenlayer::{
    AllocationManager, BLSApkRegistry, SlashingRegistryCoordinator, StakeRegistry,
};
use anzen_contracts::{
    AggregatorV3Interface, AnzenDisputes, AnzenServiceManager, AnzenTaskManager, ModelEvaluator,
    SafetyFactorOracle,
};
use anzen_messages::{SafetyFactor, Task};

use super::ChainAddresses;
use super::broadcast::{FeeHistory, RpcReceipt, fees_of, receipt_of};
use super::events::EVENTS;
use super::failure::Failure;
use super::hearing::Hearing;
use super::models::state::ProvenBlock;
use super::reader::{HIGHEST, RpcHeader, by_block};
use super::refusal::judged;
use super::rpc::decode;
use crate::fuzz::{Taken, lines};
use crate::ports::{CallError, ChainError};

pub(super) const ADDRESSES: ChainAddresses = ChainAddresses {
    chain_id: 1,
    task_manager: Address::repeat_byte(1),
    registry_coordinator: Address::repeat_byte(2),
    stake_registry: Address::repeat_byte(3),
    bls_apk_registry: Address::repeat_byte(4),
    operator_state_retriever: Address::repeat_byte(5),
    service_manager: Address::repeat_byte(6),
    models: Address::repeat_byte(9),
    oracle: Address::repeat_byte(10),
    allocation_manager: Address::repeat_byte(7),
    rewards_coordinator: Address::repeat_byte(8),
    disputes: Address::repeat_byte(11),
    model_evaluator: Address::repeat_byte(12),
};

/// Headers and logs, as two lists in one.
pub(crate) fn blocks(data: &[u8]) {
    let read = serde_json::from_slice::<(Vec<Option<RpcHeader>>, Vec<Log>)>(data);
    let Ok((headers, logs)) = read else { return };
    let headers: Vec<_> = headers.into_iter().map_while(|header| header).collect();
    let Ok(logs) = by_block(logs, &headers) else { return };
    for header in &headers {
        assert!(header.to_header().at.number <= HIGHEST);
        let _ = ADDRESSES.may_be_in(&header.logs_bloom);
    }
    for of_block in logs.values() {
        let of_block: Vec<&Log> = of_block.iter().collect();
        let _ = ADDRESSES.events(&of_block);
    }
}

/// One log: which event, from whom, its topics, its data.
pub(crate) fn events(data: &[u8]) {
    let mut taken = Taken(data);
    let which = usize::from(taken.byte());
    let address = Address::repeat_byte(taken.byte());
    let mut topics = vec![EVENTS[which % EVENTS.len()]];
    topics.extend((0..taken.byte() % 4).map(|_| taken.hash()));
    let data = Bytes::copy_from_slice(taken.0);
    let Some(data) = LogData::new(topics, data) else { return };
    let log = Log { inner: alloy::primitives::Log { address, data }, ..Log::default() };
    let _ = ADDRESSES.events(&[&log, &log]);
}

fn view<C: SolCall>(answer: &Bytes) {
    let _ = decode::<C>(answer);
}

const VIEWS: &[fn(&Bytes)] = &[
    view::<getOperatorStateCall>,
    view::<getCheckSignaturesIndicesCall>,
    view::<AnzenTaskManager::windowsCall>,
    view::<AnzenTaskManager::taskPolicyCall>,
    view::<AnzenTaskManager::latestTaskCall>,
    view::<AnzenTaskManager::responseHashCall>,
    view::<AllocationManager::getStrategiesInOperatorSetCall>,
    view::<BLSApkRegistry::getRegisteredPubkeyCall>,
    view::<BLSApkRegistry::getOperatorPubkeyG2Call>,
    view::<BLSApkRegistry::getOperatorFromPubkeyHashCall>,
    view::<SlashingRegistryCoordinator::getCurrentQuorumBitmapCall>,
    view::<StakeRegistry::getCurrentTotalStakeCall>,
    view::<StakeRegistry::getTotalStakeHistoryLengthCall>,
    view::<SafetyFactorOracle::getSafetyFactorCall>,
    view::<AggregatorV3Interface::latestRoundDataCall>,
    view::<SafetyFactorOracle::roundStatusCall>,
    view::<AnzenDisputes::committeeDisputeCall>,
    view::<AnzenDisputes::bondCall>,
    view::<AnzenServiceManager::faultCall>,
    view::<AnzenServiceManager::slashingRequestCall>,
    view::<ModelEvaluator::evaluateCall>,
    view::<SlashingRegistryCoordinator::getQuorumBitmapIndicesAtBlockNumberCall>,
];

/// What a view returns: which, then the bytes.
pub(crate) fn views(data: &[u8]) {
    let mut taken = Taken(data);
    let which = usize::from(taken.byte());
    VIEWS[which % VIEWS.len()](&Bytes::copy_from_slice(taken.0));
}

/// A task that logs may tell the answer of.
const TASK: Task = Task {
    index: 0,
    oracle_index: 0,
    model_hash: B256::ZERO,
    proposed_safety_factor: SafetyFactor(I256::ZERO),
    reference_block: 1,
    reference_block_hash: B256::ZERO,
    created_block: 2,
    quorum_numbers: Bytes::new(),
    quorum_threshold_percentage: 66,
};

/// Receipts, an answer's logs, and fees.
pub(crate) fn answers(data: &[u8]) {
    if let Ok(receipts) = serde_json::from_slice::<Vec<Option<RpcReceipt>>>(data) {
        receipts.iter().flatten().for_each(|receipt| _ = receipt_of(receipt));
    }
    if let Ok(logs) = serde_json::from_slice::<Vec<Log>>(data) {
        let answer = ADDRESSES.answer_of(&TASK, B256::ZERO, &logs);
        assert!(answer.is_err(), "nothing has that hash");
    }
    if let Ok(history) = serde_json::from_slice::<FeeHistory>(data) {
        let fees = fees_of(history);
        assert!(fees.priority_fee <= fees.max_fee);
    }
}

/// A header, and what a node says of the slots of an account after its block.
pub(crate) fn proofs(data: &[u8]) {
    let read = serde_json::from_slice::<(Header, EIP1186AccountProofResponse)>(data);
    let Ok((header, answer)) = read else { return };
    // As if that block had been asked for.
    let Ok(block) = ProvenBlock::new(&header, header.inner.hash_slow()) else { return };
    let slots: Vec<B256> = answer.storage_proof.iter().map(|one| one.key.as_b256()).collect();
    let Ok(proven) = block.slots(answer.address, &slots, answer) else { return };
    assert_eq!(proven.words.len(), slots.len());
}

/// An error, however it is meant.
pub(crate) fn errors(data: &[u8]) {
    let Ok(payload) = serde_json::from_slice(data) else { return };
    let failure = Failure::from(TransportError::ErrorResp(payload));
    let _ = (failure.outcome(), failure.asked_too_much(), failure.condemns(), judged(failure.clone()));
    drop(ChainError::from(failure.clone()).to_string());
    drop(CallError::from(failure).to_string());
}

/// What a subscription tells, a header a line, and the numbers of blocks that polling sees meanwhile. Each block is a reason to
/// look at once, and none is one twice.
pub(crate) fn heads(data: &[u8]) {
    let mut hearing = Hearing::default();
    for line in lines(data) {
        let known = line.trim().parse::<u64>();
        match (known, serde_json::from_str::<Header>(line)) {
            (Ok(known), _) => {
                let _ = (hearing.polled(known), hearing.is_up_to_date(known));
                assert!(hearing.is_up_to_date(known).is_some(), "looked at again without news");
            }
            (_, Ok(header)) => _ = hearing.told(header.number),
            (_, Err(_)) => {
                hearing.ended();
                hearing.subscribed();
            }
        }
    }
}
