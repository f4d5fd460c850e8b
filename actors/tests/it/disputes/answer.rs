//! A wrong answer, from its posting to the fall of its signer's stake.

use alloy::primitives::I256;
use anzen_actors::ports::{CallError, ChainReader, CommitteeCase, Disputes, OperatorRegistry, TaskContract};
use anzen_contracts::AnzenTaskManager::createNewTaskCall;
use anzen_messages::bls::{AggregateKey, hash_to_g1};
use anzen_messages::certificate::NonSigner;
use anzen_messages::chain::ChainEvent;
use anzen_messages::task::SigningDomain;
use anzen_messages::{Certificate, SafetyFactor, Task, TaskResponse};

use super::*;

/// Anvil's account 1.
const GENERATOR: Address = alloy::primitives::address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
const STRANGER: Address = Address::repeat_byte(9);

async fn create_task(chain: &Chain, port: &impl ChainReader) -> Task {
    let create = createNewTaskCall {
        oracleIndex: 0,
        proposedSafetyFactor: I256::ZERO,
        quorumThresholdPercentage: 66,
        quorumNumbers: Bytes::from_static(&[0]),
    };
    let created = chain.send_as(GENERATOR, call(chain.addresses.task_manager, &create)).await;
    let number = created.block_number.unwrap();
    let block = port.blocks(number, number).await.unwrap().pop().unwrap();
    let task = block.events.into_iter().find_map(|event| match event {
        ChainEvent::TaskCreated { task } => Some(task),
        _ => None,
    });
    task.unwrap()
}

/// A certificate of `signer` alone.
fn certificate(
    chain: &Chain,
    response: &TaskResponse,
    signer: &SecretKey,
    absent: &SecretKey,
) -> Certificate {
    let domain = SigningDomain::new(chain.addresses.chain_id, chain.addresses.task_manager);
    let (key, other) = (signer.public_key(), absent.public_key());
    Certificate {
        non_signers: vec![NonSigner { id: other.operator_id(), key: other.g1() }],
        quorum_apks: vec![AggregateKey::sum([(&key, 1), (&other, 1)]).g1().unwrap()],
        signers_apk: key.g2().to_bytes(),
        signature: signer.sign(&hash_to_g1(response.digest(&domain))).to_bytes(),
    }
}

async fn refusal(port: &impl TaskContract, call: &ContractCall) -> String {
    match port.preflight(STRANGER, call.to, &call.data).await {
        Err(CallError::Reverts { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[actix::test]
async fn a_wrong_answer_is_withdrawn_and_its_signer_frozen_and_slashed() {
    let chain = Chain::start().await;
    let port = chain.connect(&chain.config());
    // EigenLayer cannot slash on a chain that is younger than its withdrawal delay.
    chain.tell("anvil_mine", [1_000]).await;
    let (signer, absent) = (operator(&chain, 100).await, operator(&chain, 10).await);
    join(&chain, &[&signer.0, &absent.0]).await;
    let (to, data) = port.refresh_quorum_call(0, &[signer.0.address(), absent.0.address()]);
    chain.send_as(STRANGER, ContractCall { to, data, value: U256::ZERO }).await;
    pass(&chain, Duration::from_secs(1)).await;
    let task = create_task(&chain, &*port).await;
    assert_eq!(port.posted(&task, B256::ZERO).await, Ok(None), "it is not answered");
    let truth = port.recompute(&task).await.unwrap();

    let wrong = SafetyFactor(truth.outcome.unwrap().0 + I256::ONE);
    let response = TaskResponse { task_hash: task.hash(), safety_factor: wrong };
    let certificate = certificate(&chain, &response, &signer.1, &absent.1);
    let respond = port.response_call(&task, &response, &certificate).await.unwrap();
    let respond = ContractCall { to: respond.to, data: respond.data, value: U256::ZERO };
    let posted = chain.send_as(STRANGER, respond).await;
    assert!(port.posted(&task, B256::ZERO).await.is_err(), "another transaction posted it");
    let answer = port.posted(&task, posted.transaction_hash).await.unwrap().unwrap();
    assert_eq!((&answer.response, answer.round), (&response, 1));
    assert_eq!(u64::from(answer.responded_block), posted.block_number.unwrap());
    assert_eq!(answer.non_signers, [absent.1.public_key().operator_id()]);

    let before = port.standing(&task, &answer).await.unwrap();
    assert_eq!(before.challenge_end, u64::from(answer.responded_block) + 120);
    assert_eq!((before.withdrawn, before.committee, &before.fault), (false, CommitteeCase::NotAsked, &None));
    let asked = port.committee_call(&task, &answer, before.bond);
    assert!(!before.bond.is_zero() && asked.value == before.bond);
    let not_paid = ContractCall { value: U256::ZERO, ..asked };
    assert!(refusal(&*port, &not_paid).await.starts_with("ModelIsReadable"));
    assert!(refusal(&*port, &port.lapse_call(&task)).await.starts_with("NoPendingDispute"));

    let witness = truth.witness.unwrap();
    assert!(port.challenge_call(&task, &answer, &witness.slice(1..)).is_err(), "it was damaged");
    let challenge = port.challenge_call(&task, &answer, &witness).unwrap();
    chain.send_as(STRANGER, challenge).await;
    let standing = port.standing(&task, &answer).await.unwrap();
    let fault = standing.fault.unwrap();
    assert!(standing.withdrawn && !fault.vetoed && fault.veto_end < fault.execution_end);
    assert_eq!(fault.plan, [(0, vec![chain.addresses.strategy])]);
    let [one] = &fault.signers[..] else { panic!("{fault:?}") };
    assert_eq!((one.id, one.address), (signer.1.public_key().operator_id(), signer.0.address()));
    assert!(one.registered && !one.frozen && !one.owes && !one.vetoed);

    let freeze = port.freeze_call(&task, &answer, &[one.id]).await.unwrap();
    chain.send_as(STRANGER, freeze).await;
    let fault = port.standing(&task, &answer).await.unwrap().fault.unwrap();
    let [one] = &fault.signers[..] else { panic!("{fault:?}") };
    assert!(!one.registered && one.frozen && one.owes);
    port.preflight(STRANGER, chain.addresses.service_manager, &port.eject_call(fault.id, one.address).data)
        .await
        .unwrap();

    let execute = port.execute_call(&fault, &[one.address]);
    assert!(refusal(&*port, &execute).await.starts_with("VetoWindowNotOver"));
    let left = fault.veto_end - port.head().await.unwrap().at.number;
    chain.tell("anvil_mine", [left]).await;
    chain.send_as(STRANGER, execute).await;
    let fault = port.standing(&task, &answer).await.unwrap().fault.unwrap();
    assert!(fault.signers[0].frozen && !fault.signers[0].owes, "{fault:?}");
}
