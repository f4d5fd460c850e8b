//! The collector's decisions, without I/O, and the actor that carries them out.

use std::sync::Arc;

use alloy::primitives::{B512, U256};
use anzen_messages::OperatorId;
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{G1Bytes, PublicKeyG2, Signature, hash_to_g1, sum_signatures, verify};
use anzen_messages::chain::{ChainBlock, ChainEvent};
use anzen_messages::evidence::Evidence;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{SafetyFactor, Task, TaskHash, TaskResponse};

use super::Config;
use super::collector::Collector;
use super::effect::{Effect, Fault, Verdict};
use super::seconds::Place;
use crate::follow::ChainState;
use crate::testing::{block, domain, operator_id, operator_set, secret, task, value};

mod actor;
mod chain;
mod doubts;
mod evidence;
mod penalties;
mod properties;
mod sets;
mod signatures;

const WINDOW: u64 = 30;

/// A collector, and what it asked for.
struct Harness {
    state: Collector,
    stakes: Vec<u64>,
    reached: Vec<QuorumReached>,
    /// Certificates that are to be handed over, and have not been.
    due: Vec<TaskHash>,
    faults: Vec<(usize, Fault)>,
    penalised: Vec<usize>,
    unanswered: Vec<u32>,
    evidence: Vec<Evidence>,
    forgotten: Vec<Place>,
    lingering: bool,
    /// How many signatures were verified alone.
    verified: usize,
    sets_read: usize,
}

impl Harness {
    fn new(stakes: &[u64]) -> Self {
        Self::with_config(stakes, Config::default())
    }

    fn with_config(stakes: &[u64], config: Config) -> Self {
        let config = Config { early_per_operator: 2, finality_blocks: 10, ..config };
        Self {
            state: Collector::new(config, domain(), WINDOW),
            stakes: stakes.to_vec(),
            reached: vec![],
            due: vec![],
            faults: vec![],
            penalised: vec![],
            unanswered: vec![],
            evidence: vec![],
            forgotten: vec![],
            lingering: false,
            verified: 0,
            sets_read: 0,
        }
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

    fn create(&mut self, task: &Task) {
        let event = ChainEvent::TaskCreated { task: task.clone() };
        self.apply(&block(u64::from(task.created_block), vec![event]));
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let more = self.carry_out_one(effect);
            self.carry_out(more);
        }
    }

    fn carry_out_one(&mut self, effect: Effect) -> Vec<Effect> {
        match effect {
            Effect::LoadSet { task, .. } => {
                if let Some(set) = self.state.cached_set(task) {
                    return self.state.set_loaded(task, set);
                }
                self.sets_read += 1;
                return self.state.set_loaded(task, Arc::new(operator_set(&self.stakes)));
            }
            Effect::Check { task, value, job } => return self.state.checked(task, value, &job.run()),
            Effect::Try { place, trial } => {
                self.verified += 1;
                return self.state.tried(place, trial.claim, trial.run());
            }
            Effect::Contest(contest) => {
                self.verified += 2;
                return self.state.contested(&contest, contest.run());
            }
            Effect::Linger { .. } => self.lingering = true,
            Effect::Reached { task } => self.reached.push(self.state.certificate(task).unwrap().clone()),
            Effect::HandOver { task } => self.due.push(task),
            Effect::Blame { operator, fault, .. } => self.faults.push((number_of(operator), fault)),
            Effect::Penalise { operator, .. } => self.penalised.push(number_of(operator)),
            Effect::KeepEvidence { evidence, .. } => self.evidence.push(*evidence),
            Effect::Unanswered { index, .. } => self.unanswered.push(index),
            Effect::Forget(places) => self.forgotten.extend(places),
            Effect::Created { .. }
            | Effect::OtherSet { .. }
            | Effect::Answered { .. }
            | Effect::Promote { .. }
            | Effect::ForgetSeconds(_)
            | Effect::ForgetPenalties(_) => {}
        }
        vec![]
    }

    fn linger_over(&mut self, task: &Task) {
        assert!(std::mem::take(&mut self.lingering), "nothing lingers");
        let effects = self.state.linger_over(task.hash());
        self.carry_out(effects);
    }

    fn submit(&mut self, message: &SubmitSignature) -> SubmitReply {
        let signature = decoded(message);
        let (task, operator) = (message.response.task_hash, message.operator_id);
        let (reply, effects) = match self.state.receive(message, &signature) {
            Verdict::Reply(reply) => return reply,
            Verdict::KeepSecond => self.state.second_kept((task, operator)),
            Verdict::Keep => {
                let record = self.state.record(message, signature);
                self.state.kept(task, operator, record)
            }
        };
        self.carry_out(effects);
        reply
    }

    /// What the actor would hand to the aggregator now.
    fn handed(&mut self) -> Vec<QuorumReached> {
        let due: Vec<TaskHash> = std::mem::take(&mut self.due);
        due.into_iter().filter_map(|task| self.state.due_for_handover(task)).map(|reached| *reached).collect()
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

fn decoded(message: &SubmitSignature) -> Signature {
    Signature::try_from(message.signature).unwrap()
}

fn number_of(operator: OperatorId) -> usize {
    (0..100).find(|i| operator_id(*i) == operator).unwrap()
}

/// An answer with a signature of nobody.
fn forged(task: &Task, operator: usize, units: i64) -> SubmitSignature {
    SubmitSignature { signature: garbage(task, operator).signature, ..signed(task, operator, value(units)) }
}

/// The same answer of two operators, whose signatures hold only together.
fn cancelling(task: &Task, operators: [usize; 2]) -> [SubmitSignature; 2] {
    let error = secret(50).sign(&hash_to_g1(Default::default()));
    let errors = [error, negated(error)];
    [0, 1].map(|i| {
        let message = signed(task, operators[i], value(1));
        let sum = sum_signatures([(decoded(&message), 1), (errors[i], 1)]).unwrap();
        SubmitSignature { signature: sum.to_bytes(), ..message }
    })
}

fn negated(signature: Signature) -> Signature {
    let modulus = "21888242871839275222246405745257275088696311157297823662689037894645226208583";
    let bytes = signature.to_bytes().0;
    let y = modulus.parse::<U256>().unwrap() - U256::from_be_slice(&bytes[32..]);
    let negated = B512::from_slice(&[&bytes[..32], &y.to_be_bytes::<32>()[..]].concat());
    Signature::try_from(G1Bytes(negated)).unwrap()
}
