//! One of each: every field is there with a value of its own, and every variant of every reply.

use alloy_primitives::{Address, B256, Bytes, FixedBytes, I256, U256};
use anzen_messages::aggregation::{NotKept, QuorumReached, QuorumTaken};
use anzen_messages::bls::{HashedMessage, SecretKey, hash_to_g1};
use anzen_messages::certificate::NonSigner;
use anzen_messages::chain::{
    BlockRef, ChainBlock, ChainDelta, ChainEvent, DeltaBase, Header, NextBlocks, NotFollowing,
};
use anzen_messages::evidence::{Evidence, SignedAnswer};
use anzen_messages::session::{Hello, OpenSession, Session, SessionOpened};
use anzen_messages::signature::{SignedStake, SubmitReply, SubmitSignature};
use anzen_messages::task::SigningDomain;
use anzen_messages::trace::TraceParent;
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use anzen_messages::wire::Envelope;
use anzen_messages::{Certificate, SafetyFactor, Task, TaskResponse};

fn byte(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn value(text: &str) -> SafetyFactor {
    SafetyFactor(text.parse::<I256>().unwrap())
}

pub(crate) fn secret(k: u8) -> SecretKey {
    SecretKey::from_hex(&format!("{k:x}")).unwrap()
}

fn domain() -> SigningDomain {
    SigningDomain::new(31_337, Address::repeat_byte(0xaa))
}

fn task() -> Task {
    Task {
        index: 7,
        oracle_index: 3,
        model_hash: byte(0x11),
        proposed_safety_factor: value("-250000000"),
        reference_block: 123_456,
        reference_block_hash: byte(0x22),
        created_block: 123_457,
        quorum_numbers: Bytes::from_static(&[0, 1]),
        quorum_threshold_percentage: 67,
    }
}

fn response() -> TaskResponse {
    TaskResponse { task_hash: task().hash(), safety_factor: value("123456789") }
}

fn message() -> HashedMessage {
    hash_to_g1(response().digest(&domain()))
}

fn block(number: u64) -> BlockRef {
    BlockRef { number, hash: B256::left_padding_from(&number.to_be_bytes()) }
}

/// The first submission, sent in a span of its task's trace.
pub(crate) fn traced_submission() -> Envelope {
    let trace = TraceParent { span_id: 0x00f0_67aa_0ba9_02b7, ..TraceParent::of_task(task().hash()) };
    Envelope::seal(&submissions()[0]).unwrap().traced(Some(trace))
}

pub(crate) fn next_blocks() -> Vec<NextBlocks> {
    vec![
        NextBlocks { after: None, wait_ms: 0 },
        NextBlocks { after: Some(block(123_456)), wait_ms: NextBlocks::LONGEST_WAIT_MS },
    ]
}

fn events() -> Vec<ChainEvent> {
    let all = vec![
        ChainEvent::TaskCreated { task: task() },
        ChainEvent::TaskResponded { task_index: 7, response: response(), transaction: byte(0x33) },
        ChainEvent::OperatorsChanged,
        ChainEvent::ResponseWindowChanged { blocks: 30 },
        ChainEvent::QuorumRefreshed { quorum: 1 },
    ];
    for event in &all {
        // A new event must be added above.
        match event {
            ChainEvent::TaskCreated { .. }
            | ChainEvent::TaskResponded { .. }
            | ChainEvent::OperatorsChanged
            | ChainEvent::ResponseWindowChanged { .. }
            | ChainEvent::QuorumRefreshed { .. } => {}
        }
    }
    all
}

fn delta(base: DeltaBase, blocks: Vec<ChainBlock>) -> ChainDelta {
    match base {
        // A new base must be added below.
        DeltaBase::Continues | DeltaBase::RetractTo { .. } | DeltaBase::Restart { .. } => {}
    }
    ChainDelta { base, blocks, head: block(123_460) }
}

pub(crate) fn next_blocks_replies() -> Vec<Result<ChainDelta, NotFollowing>> {
    let header =
        Header { at: block(123_457), parent_hash: byte(0x22), timestamp: 1_700_000_000, base_fee: u128::MAX };
    vec![
        Ok(delta(DeltaBase::Continues, vec![ChainBlock { header, events: events() }])),
        Ok(delta(DeltaBase::RetractTo { block: block(123_455) }, Vec::new())),
        Ok(delta(DeltaBase::Restart { response_window: 30 }, Vec::new())),
        Err(NotFollowing),
    ]
}

pub(crate) fn submissions() -> Vec<SubmitSignature> {
    vec![SubmitSignature {
        operator_id: secret(42).public_key().operator_id(),
        response: response(),
        signature: secret(42).sign(&message()).to_bytes(),
    }]
}

pub(crate) fn submission_replies() -> Vec<SubmitReply> {
    use SubmitReply::*;
    let all = vec![
        Accepted,
        Duplicate,
        Early,
        TooLate,
        NotInSet,
        SecondAnswer,
        Invalid,
        Malformed,
        NotServed,
        TooManyEarly,
        Unavailable,
    ];
    for reply in &all {
        // A new outcome must be added above, and to docs/wire.md.
        match reply {
            Accepted | Duplicate | Early | TooLate | NotInSet | SecondAnswer | Invalid | Malformed
            | NotServed | TooManyEarly | Unavailable => {}
            // It stands for those that are not here yet.
            Unknown => {}
        }
    }
    all
}

pub(crate) fn quorums() -> Vec<QuorumReached> {
    let (signer, absent) = (secret(42).public_key(), secret(2).public_key());
    let certificate = Certificate {
        non_signers: vec![NonSigner { id: absent.operator_id(), key: absent.g1() }],
        quorum_apks: vec![signer.g1(), absent.g1()],
        signers_apk: signer.g2().to_bytes(),
        signature: secret(42).sign(&message()).to_bytes(),
    };
    let stakes = vec![SignedStake { quorum: 0, signed: U256::from(70), total: U256::from(100) }];
    let signers = vec![signer.operator_id()];
    vec![QuorumReached { task: task(), response: response(), certificate, signers, stakes }]
}

pub(crate) fn quorum_replies() -> Vec<Result<QuorumTaken, NotKept>> {
    vec![Ok(QuorumTaken {}), Err(NotKept { error: "the disk is full".into() })]
}

pub(crate) fn transactions() -> Vec<SendTransaction> {
    let send = |id, not_after| SendTransaction {
        id,
        to: Address::repeat_byte(0xaa),
        data: Bytes::from_static(&[1, 2, 3]),
        value: U256::ZERO,
        not_after,
    };
    let bond = U256::from(1_000_000_000_000_000_000_u64);
    vec![
        send(TxId::respond(task().hash()), Some(123_487)),
        send(TxId::create(3, 123_457), None),
        send(TxId::refresh("quorum", 1, 123_457), None),
        send(TxId::fill(9), None),
        send(TxId::challenge(task().hash(), 123_470, None), Some(123_900)),
        SendTransaction {
            value: bond,
            ..send(TxId::committee(task().hash(), 123_470, Some(123_500)), Some(123_900))
        },
        send(TxId::lapse(task().hash(), None), Some(124_900)),
        send(TxId::freeze(task().hash(), 123_470, 20, None), Some(126_900)),
        send(TxId::eject(byte(0x55), Address::repeat_byte(0xcc), 124_000), Some(126_900)),
        send(TxId::slash(byte(0x55), 0, Some(125_000)), Some(126_900)),
    ]
}

pub(crate) fn transaction_replies() -> Vec<Result<Mined, TxRefusal>> {
    let refusals = [
        TxRefusal::Reverts { error: "TaskAlreadyAnswered()".into() },
        TxRefusal::Expired,
        TxRefusal::InsufficientFunds { address: Address::repeat_byte(0xbb), balance: "12".into() },
        TxRefusal::Unavailable { error: "the endpoint did not answer".into() },
    ];
    for refusal in &refusals {
        // A new refusal must be added above.
        match refusal {
            TxRefusal::Reverts { .. }
            | TxRefusal::Expired
            | TxRefusal::InsufficientFunds { .. }
            | TxRefusal::Unavailable { .. } => {}
        }
    }
    let mined = Mined { hash: byte(0x44), block: 123_458, gas_used: 321_000, succeeded: true };
    std::iter::once(Ok(mined)).chain(refusals.map(Err)).collect()
}

pub(crate) fn hello() -> Hello {
    Hello {
        server: "aggregator-0".into(),
        nonce: byte(0x55),
        time: 1_700_000_000,
        chain_id: 31_337,
        task_manager: FixedBytes::repeat_byte(0xaa),
    }
}

pub(crate) fn open_session() -> OpenSession {
    let session = Session {
        server: "aggregator-0".into(),
        nonce: byte(0x55),
        operator_id: secret(42).public_key().operator_id(),
        expiry: 1_700_014_400,
    };
    let signature = secret(42).sign(&session.message(&domain())).to_bytes();
    OpenSession { session, signature }
}

pub(crate) fn session_opened() -> SessionOpened {
    SessionOpened { expiry: 1_700_014_400 }
}

/// Two answers of one operator.
pub(crate) fn evidence() -> Evidence {
    let [first, second] = ["123456789", "123456790"].map(|text| {
        let response = TaskResponse { safety_factor: value(text), ..response() };
        let signature = secret(42).sign(&hash_to_g1(response.digest(&domain()))).to_bytes();
        SignedAnswer { safety_factor: response.safety_factor, signature }
    });
    Evidence::new(&domain(), task(), &secret(42).public_key(), first, second)
}
