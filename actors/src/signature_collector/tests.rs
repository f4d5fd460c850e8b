//! The collector's decisions, without I/O: what becomes of each kind of signature, and what the sum tells.

use std::sync::Arc;

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{PublicKeyG2, Signature, hash_to_g1, verify};
use anzen_messages::chain::{ChainBlock, ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{SafetyFactor, Task, TaskResponse};
use proptest::prelude::*;

use super::Config;
use super::collector::Collector;
use super::effect::{Effect, Fault, Verdict};
use crate::follow::ChainState;
use crate::testing::{block, block_ref, domain, operator_id, operator_set, responded, secret, task, value};

const WINDOW: u64 = 30;

/// A collector, and what it asked for.
struct Harness {
    state: Collector,
    stakes: Vec<u64>,
    reached: Vec<QuorumReached>,
    faults: Vec<(usize, Fault)>,
    unanswered: Vec<u32>,
    lingering: bool,
}

impl Harness {
    fn new(stakes: &[u64]) -> Self {
        let config = Config { early_per_operator: 2, finality_blocks: 10, ..Config::default() };
        let state = Collector::new(config, domain(), WINDOW);
        let stakes = stakes.to_vec();
        Self { state, stakes, reached: vec![], faults: vec![], unanswered: vec![], lingering: false }
    }

    /// With task 0, created in block 101.
    fn with_task(stakes: &[u64]) -> (Self, Task) {
        let mut harness = Self::new(stakes);
        let task = task(0, 101);
        harness.apply(&block(101, vec![ChainEvent::TaskCreated { task: task.clone() }]));
        (harness, task)
    }

    fn apply(&mut self, block: &ChainBlock) {
        let effects = self.state.apply(block, block.header.at);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let more = match effect {
                Effect::LoadSet { task, .. } => {
                    self.state.set_loaded(task, Arc::new(operator_set(&self.stakes)))
                }
                Effect::Check { task, value, job } => self.state.checked(task, value, &job.run()),
                Effect::Linger { .. } => {
                    self.lingering = true;
                    vec![]
                }
                Effect::Reached(reached) => {
                    self.reached.push(*reached);
                    vec![]
                }
                Effect::Blame { operator, fault, .. } => {
                    let culprit = (0..100).find(|i| operator_id(*i) == operator).unwrap();
                    self.faults.push((culprit, fault));
                    vec![]
                }
                Effect::Unanswered { index: task, .. } => {
                    self.unanswered.push(task);
                    vec![]
                }
                Effect::Created { .. } | Effect::Answered { .. } | Effect::Forget(_) => vec![],
            };
            self.carry_out(more);
        }
    }

    fn linger_over(&mut self, task: &Task) {
        assert!(std::mem::take(&mut self.lingering), "nothing lingers");
        let effects = self.state.linger_over(task.hash());
        self.carry_out(effects);
    }

    fn submit(&mut self, message: &SubmitSignature) -> SubmitReply {
        let signature = Signature::try_from(message.signature).unwrap();
        match self.state.receive(message, &signature) {
            Verdict::Reply(reply) => reply,
            Verdict::Keep => {
                let record = self.state.record(message, signature);
                let (reply, effects) =
                    self.state.kept(message.response.task_hash, message.operator_id, record);
                self.carry_out(effects);
                reply
            }
            Verdict::Evidence(suspicion) => {
                if !verify(&suspicion.message, &signature, &suspicion.key) {
                    return SubmitReply::Invalid;
                }
                let effects = self.state.convict(message.response.task_hash, message.operator_id);
                self.carry_out(effects);
                SubmitReply::SecondAnswer
            }
        }
    }

    fn sign(&mut self, task: &Task, operator: usize) -> SubmitReply {
        self.submit(&signed(task, operator, value(1)))
    }
}

fn signed(task: &Task, operator: usize, value: SafetyFactor) -> SubmitSignature {
    let response = TaskResponse { task_hash: task.hash(), safety_factor: value };
    let signature = secret(operator).sign(&hash_to_g1(response.digest(&domain())));
    SubmitSignature { operator_id: operator_id(operator), response, signature: signature.to_bytes() }
}

/// On the curve, and of nobody.
fn garbage(task: &Task, operator: usize) -> SubmitSignature {
    SubmitSignature { signature: signed(task, 99, value(1)).signature, ..signed(task, operator, value(1)) }
}

fn assert_certifies(reached: &QuorumReached) {
    let message = hash_to_g1(reached.response.digest(&domain()));
    let signature = Signature::try_from(reached.certificate.signature).unwrap();
    let key = PublicKeyG2::try_from(reached.certificate.signers_apk).unwrap();
    assert!(verify(&message, &signature, &key));
    assert!(reached.stakes.iter().all(|stake| stake.reaches(reached.task.quorum_threshold_percentage)));
}

#[test]
fn all_sign_and_nobody_is_waited_for() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    for operator in 0..3 {
        assert_eq!(harness.sign(&task, operator), SubmitReply::Accepted);
    }
    assert_eq!(harness.reached.len(), 1);
    assert_certifies(&harness.reached[0]);
    assert!(harness.reached[0].certificate.non_signers.is_empty());
}

#[test]
fn one_offline_is_the_non_signer() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    assert!(!harness.lingering, "a third is no quorum");
    harness.sign(&task, 2);
    harness.linger_over(&task);
    assert_certifies(&harness.reached[0]);
    let absent: Vec<_> = harness.reached[0].certificate.non_signers.iter().map(|one| one.id).collect();
    assert_eq!(absent, [operator_id(1)]);
}

#[test]
fn a_slower_operator_joins_during_the_linger() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100, 1]);
    for operator in [0, 1, 2] {
        harness.sign(&task, operator);
    }
    assert!(harness.reached.is_empty() && harness.lingering);
    assert_eq!(harness.sign(&task, 3), SubmitReply::Accepted);
    assert_certifies(&harness.reached[0]);
    assert!(harness.reached[0].certificate.non_signers.is_empty(), "all have signed, so the wait is over");
}

#[test]
fn garbage_is_found_and_the_rest_still_counts() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100, 100]);
    assert_eq!(harness.submit(&garbage(&task, 1)), SubmitReply::Accepted, "it is checked in the sum only");
    harness.sign(&task, 0);
    harness.sign(&task, 2);
    assert_eq!(harness.faults, [(1, Fault::BadSignature)]);
    assert!(harness.reached.is_empty(), "two of four are no quorum");
    assert_eq!(harness.sign(&task, 1), SubmitReply::Invalid, "it has had its chance");
    harness.sign(&task, 3);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 3);
}

#[test]
fn garbage_during_the_linger_does_not_spoil_the_certificate() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    harness.sign(&task, 1);
    harness.submit(&garbage(&task, 2));
    assert_eq!(harness.faults, [(2, Fault::BadSignature)]);
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.reached[0].signers.len(), 2);
}

#[test]
fn another_answer_is_named_and_does_not_count() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.submit(&signed(&task, 0, value(7)));
    harness.sign(&task, 1);
    harness.sign(&task, 2);
    assert_eq!(harness.reached[0].response.safety_factor, value(1));
    assert_eq!(harness.faults, [(0, Fault::OtherAnswer { its: value(7), quorum: value(1) })]);
}

#[test]
fn the_first_of_two_answers_stands_and_the_operator_is_named_once() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    for second in [2, 3, 2] {
        assert_eq!(harness.submit(&signed(&task, 0, value(second))), SubmitReply::SecondAnswer);
    }
    assert_eq!(harness.submit(&garbage(&task, 0)), SubmitReply::SecondAnswer);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Duplicate);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2);
    assert_eq!(harness.faults, [(0, Fault::SecondAnswer)]);
}

#[test]
fn a_second_answer_with_a_bad_signature_convicts_nobody() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    let forged = SubmitSignature { signature: garbage(&task, 0).signature, ..signed(&task, 0, value(2)) };
    assert_eq!(harness.submit(&forged), SubmitReply::Invalid);
    assert_eq!(harness.faults, []);
}

#[test]
fn of_two_answers_that_come_at_once_one_is_the_first() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    let (first, second) = (signed(&task, 0, value(1)), signed(&task, 0, value(2)));
    let decoded = |message: &SubmitSignature| Signature::try_from(message.signature).unwrap();
    assert_eq!(harness.state.receive(&first, &decoded(&first)), Verdict::Keep);
    assert_eq!(
        harness.state.receive(&second, &decoded(&second)),
        Verdict::Reply(SubmitReply::Unavailable),
        "the first is being written"
    );
    assert_eq!(harness.state.receive(&first, &decoded(&first)), Verdict::Keep, "a copy is written once more");
    harness.state.not_kept(task.hash(), operator_id(0));
    assert_eq!(harness.submit(&second), SubmitReply::Accepted, "the first never got to disk");
}

#[test]
fn strangers_are_not_in_the_set() {
    let (mut harness, task) = Harness::with_task(&[100]);
    assert_eq!(harness.sign(&task, 5), SubmitReply::NotInSet);
}

#[test]
fn late_signatures_are_refused() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.sign(&task, 0);
    harness.sign(&task, 1);
    harness.linger_over(&task);
    assert_eq!(harness.sign(&task, 2), SubmitReply::TooLate);
    assert_eq!(harness.sign(&task, 1), SubmitReply::Duplicate, "an acknowledgement may have been lost");
}

#[test]
fn early_signatures_wait_for_their_task_and_are_bounded() {
    let mut harness = Harness::new(&[100, 100]);
    let tasks = [task(0, 101), task(1, 102), task(2, 103)];
    assert_eq!(harness.sign(&tasks[0], 0), SubmitReply::Early);
    assert_eq!(harness.sign(&tasks[0], 0), SubmitReply::Duplicate);
    assert_eq!(harness.sign(&tasks[1], 0), SubmitReply::Early);
    assert_eq!(harness.sign(&tasks[2], 0), SubmitReply::TooManyEarly);
    assert_eq!(harness.sign(&tasks[0], 1), SubmitReply::Early);
    harness.apply(&block(101, vec![ChainEvent::TaskCreated { task: tasks[0].clone() }]));
    assert_certifies(&harness.reached[0]);
    assert_eq!(harness.sign(&tasks[2], 0), SubmitReply::Early, "there is room again");
}

#[test]
fn early_signatures_of_tasks_that_never_come_are_dropped() {
    let mut harness = Harness::new(&[100]);
    harness.apply(&block(100, vec![]));
    harness.sign(&task(0, 101), 0);
    assert_eq!(harness.state.sizes(), (0, 1));
    harness.apply(&block(100 + WINDOW + 1, vec![]));
    assert_eq!(harness.state.sizes(), (0, 0));
}

/// In a process of its own the collector may be behind the operators when it starts.
#[test]
fn a_signature_that_came_before_the_first_block_outlives_the_catching_up() {
    let mut harness = Harness::new(&[100]);
    let task = task(0, 200);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Early);
    for number in 101..=200 {
        let created = ChainEvent::TaskCreated { task: task.clone() };
        let events = if number == 200 { vec![created] } else { vec![] };
        let effects = harness.state.apply(&block(number, events), block_ref(200));
        harness.carry_out(effects);
    }
    assert_eq!(harness.reached.len(), 1);
}

#[test]
fn a_restart_of_the_watcher_forgets_answers_that_the_chain_may_have_lost() {
    let (mut harness, task) = Harness::with_task(&[100, 100, 100]);
    harness.apply(&block(102, vec![responded(0, task.hash())]));
    assert_eq!(harness.sign(&task, 0), SubmitReply::TooLate);
    harness.state.restart(WINDOW);
    harness.apply(&block(101, vec![ChainEvent::TaskCreated { task: task.clone() }]));
    for operator in 0..3 {
        harness.sign(&task, operator);
    }
    assert_certifies(&harness.reached[0]);
}

#[test]
fn the_operators_of_a_task_are_read_when_a_reorg_undoes_its_answer() {
    let mut harness = Harness::new(&[100]);
    let task = task(0, 101);
    let created = ChainEvent::TaskCreated { task: task.clone() };
    let both = block(101, vec![created, responded(0, task.hash())]);
    let effects = harness.state.apply(&both, both.header.at);
    let told = matches!(effects[..], [Effect::Created { .. }, Effect::Answered { .. }]);
    assert!(told, "it is over before anything is read: {effects:?}");
    harness.state.retract(block_ref(100));
    let again = block(101, vec![ChainEvent::TaskCreated { task: task.clone() }]);
    harness.apply(&again);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Accepted);
    assert_certifies(&harness.reached[0]);
}

#[test]
fn a_restart_after_the_window_was_shortened_keeps_open_tasks() {
    let config = Config { finality_blocks: 10, ..Config::default() };
    let mut harness =
        Harness { state: Collector::new(config, domain(), 5), ..Harness::new(&[100, 100, 100]) };
    let task = task(0, 101);
    assert_eq!(harness.sign(&task, 0), SubmitReply::Early);
    let events = [
        (101, vec![ChainEvent::TaskCreated { task: task.clone() }]),
        (105, vec![ChainEvent::ResponseWindowChanged { blocks: 5 }]),
        (120, vec![]),
    ];
    let blocks = events.map(|(number, events)| block(number, events)).to_vec();
    let delta =
        ChainDelta { base: DeltaBase::Restart { response_window: WINDOW }, blocks, head: block_ref(120) };
    let effects = harness.state.advance(&delta);
    harness.carry_out(effects);
    assert_eq!((harness.unanswered.len(), harness.sign(&task, 0)), (0, SubmitReply::Duplicate));
    for operator in 1..3 {
        assert_eq!(harness.sign(&task, operator), SubmitReply::Accepted);
    }
    assert_certifies(&harness.reached[0]);
}

#[test]
fn tasks_keep_the_window_of_their_creation() {
    let (mut harness, _old) = Harness::with_task(&[100]);
    harness.apply(&block(102, vec![ChainEvent::ResponseWindowChanged { blocks: 50 }]));
    harness.apply(&block(103, vec![ChainEvent::TaskCreated { task: task(1, 103) }]));
    harness.apply(&block(102 + WINDOW, vec![]));
    assert_eq!(harness.unanswered, [0]);
    harness.apply(&block(103 + 50, vec![]));
    assert_eq!(harness.unanswered, [0]);
    harness.apply(&block(104 + 50, vec![]));
    assert_eq!(harness.unanswered, [0, 1]);
}

#[test]
fn a_task_that_nobody_answers_is_reported_once_and_dropped() {
    let (mut harness, task) = Harness::with_task(&[100, 100]);
    harness.sign(&task, 0);
    harness.apply(&block(101 + WINDOW, vec![]));
    assert_eq!(harness.unanswered, [] as [u32; 0], "it can still be answered in this block");
    harness.apply(&block(102 + WINDOW, vec![]));
    assert_eq!(harness.unanswered, [0]);
    assert_eq!(harness.state.sizes(), (0, 0));
}

#[test]
fn a_task_is_kept_until_its_answer_is_final() {
    let (mut harness, task) = Harness::with_task(&[100]);
    harness.sign(&task, 0);
    assert!(harness.state.wants_posting(task.hash()));
    harness.apply(&block(103, vec![responded(0, task.hash())]));
    assert!(!harness.state.wants_posting(task.hash()));
    harness.state.retract(block_ref(102));
    assert!(harness.state.wants_posting(task.hash()), "the reorg undid the answer");
    harness.apply(&block(103, vec![responded(0, task.hash())]));
    harness.apply(&block(113, vec![]));
    assert_eq!(harness.state.sizes(), (0, 0));
    assert!(harness.unanswered.is_empty());
}

#[test]
fn signatures_on_disk_count_after_a_restart() {
    let (harness, task) = Harness::with_task(&[100, 100]);
    let message = signed(&task, 0, value(1));
    let record = harness.state.record(&message, Signature::try_from(message.signature).unwrap());
    let mut harness = Harness::new(&[100, 100]);
    harness.state.recover(task.hash(), message.operator_id, record);
    harness.apply(&block(101, vec![ChainEvent::TaskCreated { task: task.clone() }]));
    assert_eq!(harness.sign(&task, 0), SubmitReply::Duplicate);
    harness.sign(&task, 1);
    assert_eq!(harness.reached[0].signers.len(), 2);
}

/// What one operator does.
#[derive(Debug, Clone, Copy)]
enum Conduct {
    Honest,
    Garbage,
    Other,
    Silent,
}

fn conduct() -> impl Strategy<Value = Conduct> {
    use Conduct::*;
    prop_oneof![4 => Just(Honest), 1 => Just(Garbage), 1 => Just(Other), 1 => Just(Silent)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever operators do and in whatever order: a certificate is made exactly where honest stake reaches the threshold,
    /// it verifies, and honest operators are never blamed.
    #[test]
    fn a_certificate_is_sound_and_complete(
        operators in prop::collection::vec((conduct(), 1u64..10), 1..8), order in any::<prop::sample::Index>(),
    ) {
        let stakes: Vec<u64> = operators.iter().map(|(_, stake)| *stake).collect();
        let (mut harness, task) = Harness::with_task(&stakes);
        let first = order.index(operators.len());
        for i in (0..operators.len()).map(|i| (i + first) % operators.len()) {
            match operators[i].0 {
                Conduct::Honest => drop(harness.sign(&task, i)),
                Conduct::Garbage => drop(harness.submit(&garbage(&task, i))),
                Conduct::Other => drop(harness.submit(&signed(&task, i, value(50 + i as i64)))),
                Conduct::Silent => {}
            }
        }
        if harness.lingering {
            harness.linger_over(&task);
        }
        let honest = |conduct: &Conduct| matches!(conduct, Conduct::Honest);
        let share: u64 = operators.iter().filter(|(who, _)| honest(who)).map(|(_, stake)| stake).sum();
        let total: u64 = stakes.iter().sum();
        let winner = harness.reached.iter().find(|one| one.response.safety_factor == value(1));
        prop_assert_eq!(winner.is_some(), share * 100 >= total * 66);
        for reached in &harness.reached {
            assert_certifies(reached);
        }
        for (culprit, fault) in &harness.faults {
            let innocent = honest(&operators[*culprit].0);
            prop_assert!(!innocent || !matches!(fault, Fault::BadSignature | Fault::SecondAnswer));
        }
    }
}
