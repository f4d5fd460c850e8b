//! Each invariant is violated by what it forbids, and by nothing else.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, I256, keccak256};
use anzen_messages::bls::{G1Bytes, SecretKey, hash_to_g1};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent, Header};
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::task::SigningDomain;
use anzen_messages::transaction::TxId;
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskResponse};

use super::{Fact, Fault, Invariant, Ledger, MinedTx, Moment, Terms, View, Violation};

const WINDOW: u64 = 20;

fn key(number: u8) -> SecretKey {
    let mut bytes = [0; 32];
    bytes[31] = number;
    SecretKey::from_bytes(&bytes).unwrap()
}

fn operator(number: u8) -> OperatorId {
    key(number).public_key().operator_id()
}

fn domain() -> SigningDomain {
    SigningDomain::new(1, Address::ZERO)
}

fn value(number: i64) -> SafetyFactor {
    SafetyFactor(I256::try_from(number).unwrap())
}

/// Operators 1 to 3, of which the last one lies.
fn ledger() -> Ledger {
    Ledger::new(Terms {
        domain: domain(),
        operators: (1..=3).map(|number| (operator(number), key(number).public_key())).collect(),
        liars: BTreeSet::from([operator(3)]),
        misled: BTreeSet::from([operator(2)]),
        misled_aggregators: BTreeSet::from(["misled".to_owned()]),
        response_window: WINDOW,
        finality_blocks: 12,
        keep_records: 50,
        remember_blocks: 50,
        early_per_operator: 2,
        quiet_blocks: 5,
        task_blocks: 40,
    })
}

fn task(created: u32) -> Task {
    Task {
        index: created,
        oracle_index: 0,
        model_hash: B256::ZERO,
        proposed_safety_factor: value(1),
        reference_block: created - 1,
        reference_block_hash: B256::ZERO,
        created_block: created,
        quorum_numbers: vec![0].into(),
        quorum_threshold_percentage: 66,
    }
}

fn block(number: u64, events: Vec<ChainEvent>) -> ChainBlock {
    let at = BlockRef { number, hash: keccak256(number.to_be_bytes()) };
    ChainBlock { header: Header { at, parent_hash: B256::ZERO, timestamp: 0, base_fee: 0 }, events }
}

fn mined(number: u64, events: Vec<ChainEvent>) -> Fact {
    Fact::Block { block: block(number, events), transactions: Vec::new(), quiet: true }
}

fn created(number: u32) -> Fact {
    mined(number.into(), vec![ChainEvent::TaskCreated { task: task(number) }])
}

fn response(task: &Task, number: i64) -> TaskResponse {
    TaskResponse { task_hash: task.hash(), safety_factor: value(number) }
}

fn answered(number: u64, task: &Task, answer: i64) -> Fact {
    let response = response(task, answer);
    let event = ChainEvent::TaskResponded { task_index: task.index, response, transaction: B256::ZERO };
    mined(number, vec![event])
}

fn signature(number: u8, response: &TaskResponse) -> G1Bytes {
    key(number).sign(&hash_to_g1(response.digest(&domain()))).to_bytes()
}

fn replied(reply: SubmitReply, asked: Moment) -> Fact {
    let response = response(&task(1), 1);
    let message = SubmitSignature { operator_id: operator(1), response, signature: signature(1, &response) };
    Fact::Replied { aggregator: "a".into(), message, asked, reply, on_disk: true }
}

fn broadcast(nonce: u64) -> Fact {
    let (hash, id) = (B256::repeat_byte(u8::try_from(nonce).unwrap()), Some(TxId::create(0, 1)));
    Fact::Broadcast { sender: Address::ZERO, nonce, hash, id, taken: true }
}

/// Tells the facts; which invariant does not hold then.
fn told(ledger: &mut Ledger, facts: impl IntoIterator<Item = Fact>) -> Option<Invariant> {
    facts.into_iter().find_map(|fact| ledger.tell(fact).err()).map(|Violation { invariant, .. }| invariant)
}

fn broken_by(facts: impl IntoIterator<Item = Fact>) -> Option<Invariant> {
    told(&mut ledger(), facts)
}

fn signed(answer: i64, on_disk: bool) -> Fact {
    Fact::Signed { operator: operator(1), response: response(&task(1), answer), on_disk }
}

#[test]
fn i1_two_answers_of_one_operator() {
    assert_eq!(broken_by([signed(1, true), signed(1, true)]), None);
    assert_eq!(broken_by([signed(1, true), signed(2, true)]), Some(Invariant::OneAnswer));
    let something =
        Fact::SignedSomething { operator: operator(1), point: signature(1, &response(&task(1), 1)) };
    assert_eq!(broken_by([something]), Some(Invariant::OneAnswer));
}

#[test]
fn i2_a_signature_that_is_taken_as_new_again() {
    let mut ledger = ledger();
    let early = ledger.now();
    assert_eq!(told(&mut ledger, [created(1), replied(SubmitReply::Accepted, early)]), None);
    assert_eq!(
        told(&mut ledger, [replied(SubmitReply::Accepted, early)]),
        None,
        "both were under way at once"
    );
    let later = ledger.now();
    assert_eq!(told(&mut ledger, [replied(SubmitReply::Duplicate, later)]), None);
    let again = replied(SubmitReply::Accepted, later);
    assert_eq!(told(&mut ledger, [again]), Some(Invariant::AcknowledgedIsKept));
}

#[test]
fn i2_a_signature_that_is_gone_from_the_disk() {
    let gone = || Fact::Signatures { aggregator: "a".into(), kept: BTreeSet::new() };
    let accepted = || replied(SubmitReply::Accepted, Moment::default());
    assert_eq!(broken_by([created(1), accepted(), gone()]), Some(Invariant::AcknowledgedIsKept));
    assert_eq!(broken_by([created(1), accepted(), answered(2, &task(1), 1), gone()]), None);
    let kept = BTreeSet::from([(task(1).hash(), operator(1))]);
    assert_eq!(broken_by([created(1), accepted(), Fact::Signatures { aggregator: "a".into(), kept }]), None);
}

#[test]
fn i3_a_second_a_foreign_and_a_false_answer() {
    let twice = [created(1), answered(2, &task(1), 1), answered(3, &task(1), 1)];
    assert_eq!(broken_by(twice), Some(Invariant::OneResponse));
    assert_eq!(broken_by([answered(2, &task(1), 1)]), Some(Invariant::OneResponse));
    let truth = Fact::Truth { task: task(1).hash(), value: value(7) };
    assert_eq!(broken_by([created(1), truth, answered(2, &task(1), 1)]), Some(Invariant::OneResponse));
    let undone = [created(1), answered(2, &task(1), 1), Fact::Reorg { to: 1 }, answered(2, &task(1), 1)];
    assert_eq!(broken_by(undone), None, "a reorg undid the first");
}

#[test]
fn i4_two_nonces_for_one_id() {
    assert_eq!(broken_by([broadcast(1), broadcast(1)]), None);
    assert_eq!(broken_by([broadcast(1), broadcast(2)]), Some(Invariant::OneTransaction));
    let used = |nonce: u64, succeeded| {
        let hash = B256::repeat_byte(u8::try_from(nonce).unwrap());
        let transactions = vec![MinedTx { hash, sender: Address::ZERO, nonce, succeeded }];
        Fact::Block { block: block(nonce, Vec::new()), transactions, quiet: false }
    };
    assert_eq!(broken_by([broadcast(1), used(1, false), broadcast(2), used(2, true)]), None);
    let twice = [broadcast(1), used(1, true), broadcast(2), used(2, true)];
    assert_eq!(broken_by(twice), Some(Invariant::OneTransaction));
    let undone = [broadcast(1), used(1, false), Fact::Reorg { to: 0 }, broadcast(2)];
    assert_eq!(broken_by(undone), Some(Invariant::OneTransaction), "the first may still succeed");
}

#[test]
fn i5_what_leaves_and_is_not_on_disk() {
    assert_eq!(broken_by([signed(1, false)]), Some(Invariant::DiskFirst));
    let Fact::Replied { aggregator, message, asked, .. } = replied(SubmitReply::Early, Moment::default())
    else {
        panic!()
    };
    let reply = SubmitReply::Early;
    let fact = Fact::Replied { aggregator, message, asked, reply, on_disk: false };
    assert_eq!(broken_by([fact]), Some(Invariant::DiskFirst));
    let Fact::Broadcast { sender, nonce, hash, .. } = broadcast(1) else { panic!() };
    let unknown = Fact::Broadcast { sender, nonce, hash, id: None, taken: false };
    assert_eq!(broken_by([unknown]), Some(Invariant::DiskFirst));
}

#[test]
fn i6_another_chain_and_an_older_one() {
    let follows = |blocks: Vec<ChainBlock>| Fact::Follows { process: "a".into(), blocks };
    let chain = || [mined(1, Vec::new()), mined(2, Vec::new())];
    let right = follows(vec![block(1, Vec::new()), block(2, Vec::new())]);
    assert_eq!(broken_by(chain().into_iter().chain([right])), None);
    for wrong in [vec![block(1, Vec::new())], vec![block(2, vec![ChainEvent::OperatorsChanged])], Vec::new()]
    {
        assert_eq!(broken_by(chain().into_iter().chain([follows(wrong)])), Some(Invariant::OneChain));
    }
}

#[test]
fn i6_an_actor_that_takes_a_task_for_open_or_does_not_know_it() {
    let believes = |view, tasks| Fact::Believes { process: "a".into(), view, tasks };
    let chain = || [created(1), created(2), answered(3, &task(1), 1)];
    let broken = |view, tasks| broken_by(chain().into_iter().chain([believes(view, tasks)]));
    for (view, right, wrong) in
        [(View::Open, 0..=2, vec![3]), (View::Known, 1..=2, vec![0, 3]), (View::Unanswered, 0..=1, vec![2])]
    {
        assert!(right.into_iter().all(|tasks| broken(view, tasks).is_none()), "{view:?}");
        assert!(wrong.into_iter().all(|tasks| broken(view, tasks) == Some(Invariant::OneChain)), "{view:?}");
    }
}

#[test]
fn i7_a_task_that_is_not_answered_in_quiet() {
    let quiet = |to| (2..=to).map(|number| mined(number, Vec::new()));
    assert_eq!(broken_by([created(1)].into_iter().chain(quiet(5))), None);
    assert_eq!(broken_by([created(1)].into_iter().chain(quiet(6))), Some(Invariant::Answered));
    let answer = [created(1), answered(2, &task(1), 1)];
    assert_eq!(broken_by(answer.into_iter().chain((3..30).map(|number| mined(number, Vec::new())))), None);
    let storm = (2..30).map(|number| Fact::Block {
        block: block(number, Vec::new()),
        transactions: Vec::new(),
        quiet: number % 4 != 0,
    });
    assert_eq!(broken_by([created(1)].into_iter().chain(storm)), None, "it is never quiet for long");
}

#[test]
fn i8_more_records_than_are_needed() {
    let stored = |records| Fact::Stored { process: "a".into(), space: "collector.signatures", records };
    assert_eq!(broken_by([created(1), stored(9)]), None, "three of the task, and two early ones of each");
    assert_eq!(broken_by([created(1), stored(10)]), Some(Invariant::Bounded));
    let unknown = Fact::Stored { process: "a".into(), space: "new.records", records: 1 };
    assert_eq!(broken_by([unknown]), Some(Invariant::Bounded));
}

#[test]
fn i9_evidence_that_does_not_hold() {
    let task_hash = task(1).hash();
    let answer = |who, number| (value(number), signature(who, &response(&task(1), number)));
    let evidence = |who, answers| Fact::Evidence { operator: operator(who), task: task_hash, answers };
    assert_eq!(broken_by([evidence(3, [answer(3, 1), answer(3, 2)])]), None);
    let (once, another, honest) = (
        evidence(3, [answer(3, 1), answer(3, 1)]),
        evidence(3, [answer(3, 1), answer(1, 2)]),
        evidence(1, [answer(1, 1), answer(1, 2)]),
    );
    for fact in [once, another, honest] {
        assert_eq!(broken_by([fact]), Some(Invariant::EvidenceHolds));
    }
    let unreadable = Fact::Unreadable { process: "a".into(), space: "collector.equivocations" };
    assert_eq!(broken_by([unreadable]), Some(Invariant::EvidenceHolds));
}

#[test]
fn i10_an_honest_operator_is_blamed() {
    let said = |process: &str, who, fault| {
        broken_by([Fact::Blamed { process: process.into(), operator: operator(who), fault }])
    };
    let blamed = |who, fault| said("a", who, fault);
    assert_eq!(said("misled", 1, Fault::OtherAnswer), None, "it was told other operators");
    assert_eq!(said("misled", 1, Fault::BadSignature), Some(Invariant::HonestNotBlamed));
    assert_eq!(blamed(3, Fault::BadSignature), None);
    assert_eq!(blamed(2, Fault::OtherAnswer), None, "it was told other inputs");
    assert_eq!(blamed(2, Fault::SecondAnswer), Some(Invariant::HonestNotBlamed));
    assert_eq!(blamed(1, Fault::OtherAnswer), Some(Invariant::HonestNotBlamed));
}

#[test]
fn i11_no_tasks_come() {
    let quiet = |from, to| (from..=to).map(|number| mined(number, Vec::new()));
    assert_eq!(broken_by(quiet(1, 40)), None);
    assert_eq!(broken_by(quiet(1, 41)), Some(Invariant::TasksCome));
    let answer = || [created(1), answered(2, &task(1), 1)].into_iter();
    assert_eq!(broken_by(answer().chain(quiet(3, 41))), None);
    assert_eq!(broken_by(answer().chain(quiet(3, 42))), Some(Invariant::TasksCome));
}

#[test]
fn each_invariant_has_a_number_of_its_own() {
    let numbered: BTreeMap<&str, Invariant> = Invariant::ALL
        .into_iter()
        .map(|invariant| (invariant.as_str().split(':').next().unwrap(), invariant))
        .collect();
    assert_eq!(numbered.len(), Invariant::ALL.len());
}
