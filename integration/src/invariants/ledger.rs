//! Takes facts in, and says when an invariant does not hold.

use std::collections::{BTreeMap, BTreeSet};

use anzen_messages::bls::PublicKey;
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};

use super::blame::Blame;
use super::chain::{Chain, Oddity};
use super::collecting::Collecting;
use super::fact::{Fact, Moment};
use super::sending::Sending;
use super::signing::Signing;
use super::{Invariant, Violation, answers, bounds, following};

/// What a harness knows of the world that it makes.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What operators sign in.
    pub domain: SigningDomain,
    /// Every operator's key.
    pub operators: BTreeMap<OperatorId, PublicKey>,
    /// Those that break the rules.
    pub liars: BTreeSet<OperatorId>,
    /// Those that follow the rules and are told lies by their endpoint: they may answer otherwise than the rest.
    pub misled: BTreeSet<OperatorId>,
    /// The aggregators that are told lies by their endpoint: they may take the answer of a few for the quorum's.
    pub misled_aggregators: BTreeSet<String>,
    /// For how many blocks after its creation a task can be answered.
    pub response_window: u64,
    /// After how many blocks actors take something on chain for final.
    pub finality_blocks: u64,
    /// For how many blocks an operator keeps the record of what it signed.
    pub keep_records: u64,
    /// For how many blocks a sender remembers a transaction.
    pub remember_blocks: u64,
    /// How many signatures of one operator may wait at a collector for tasks that are not known.
    pub early_per_operator: usize,
    /// How many quiet blocks a task needs to be answered, at most: less than `response_window`.
    pub quiet_blocks: u64,
    /// How many quiet blocks there are at most without an open task.
    pub task_blocks: u64,
}

/// Everything that was told, as far as it matters.
#[derive(Debug)]
pub struct Ledger {
    terms: Terms,
    now: Moment,
    chain: Chain,
    truth: BTreeMap<TaskHash, SafetyFactor>,
    signing: Signing,
    collecting: Collecting,
    sending: Sending,
    blame: Blame,
}

impl Ledger {
    /// Nothing has happened yet.
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            now: Moment::default(),
            chain: Chain::default(),
            truth: BTreeMap::new(),
            signing: Signing::default(),
            collecting: Collecting::default(),
            sending: Sending::default(),
            blame: Blame::default(),
        }
    }

    /// Now, for a fact that says when something began.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// How many tasks were answered, of those whose creation is on the canonical chain.
    pub fn tasks(&self) -> (usize, usize) {
        let answered = self.chain.tasks.values().filter(|task| task.answered.is_some()).count();
        (answered, self.chain.tasks.len())
    }

    /// Takes in what happened.
    ///
    /// # Errors
    /// Where an invariant does not hold. What is told afterwards is of a broken world.
    pub fn tell(&mut self, fact: Fact) -> Result<(), Violation> {
        self.now.0 += 1;
        let (terms, chain) = (&self.terms, &mut self.chain);
        match fact {
            Fact::Block { block, transactions, quiet } => {
                let responses = chain.add(block, &transactions, quiet).map_err(|oddity| odd(&oddity))?;
                answers::true_ones(&responses, &self.truth)?;
                self.sending.mined(chain, &transactions)?;
                answers::none_missing(chain, terms)?;
                answers::some_come(chain, terms)
            }
            Fact::Reorg { to } => {
                chain.retract(to);
                Ok(())
            }
            Fact::Truth { task, value } => {
                self.truth.insert(task, value);
                Ok(())
            }
            Fact::Signed { operator, response, on_disk } => self.signing.signed(operator, response, on_disk),
            Fact::SignedSomething { operator, point } => Err(Violation::new(
                Invariant::OneAnswer,
                format!("operator {operator} signed {point:?}, which is no answer to any task"),
            )),
            Fact::Replied { aggregator, message, asked, reply, on_disk } => {
                let now = self.now;
                self.collecting.replied(chain, terms, now, asked, &aggregator, &message, reply, on_disk)
            }
            Fact::Signatures { aggregator, kept } => {
                self.collecting.on_disk(chain, terms, &aggregator, &kept)
            }
            Fact::Broadcast { sender, nonce, hash, id, taken } => {
                self.sending.broadcast(chain, sender, nonce, hash, id, taken)
            }
            Fact::Stored { process, space, records } => {
                bounds::check(chain, terms, &self.sending, &process, space, records)
            }
            Fact::Evidence { operator, task, answers } => self.blame.evidence(terms, operator, task, answers),
            Fact::Unreadable { process, space } => Err(Violation::new(
                Invariant::EvidenceHolds,
                format!("{process} has a record in {space} that cannot be read"),
            )),
            Fact::Blamed { process, operator, fault } => self.blame.blamed(terms, &process, operator, fault),
            Fact::Follows { process, blocks } => following::blocks(chain, &process, &blocks),
            Fact::Believes { process, view, tasks } => following::tasks(chain, terms, &process, view, tasks),
        }
    }
}

fn odd(oddity: &Oddity) -> Violation {
    let what = match oddity {
        Oddity::Unknown(response) => format!("an answer to task {}, which is not there", response.task_hash),
        Oddity::Twice(response) => format!("a second answer to task {}", response.task_hash),
    };
    Violation::new(Invariant::OneResponse, what)
}
