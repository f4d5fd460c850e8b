//! What comes back while an answer is looked at and pursued, and what follows from it.

use anzen_messages::TaskHash;
use anzen_messages::transaction::{SendTransaction, TxId, TxRefusal};

use super::cases::Cases;
use super::decision::{Decision, decide};
use super::effect::{Effect, Job, Obstacle, Plan, Prepared, Report, State, Step, Verdict};
use crate::errand::{Sent, Ticket};
use crate::ports::{AnswerStanding, CallError, ChainError, ContractCall, PostedAnswer};

/// An answer, and how it stands; nothing where the chain does not have it.
pub(super) type Seen = Option<(PostedAnswer, AnswerStanding)>;

impl Cases {
    /// An answer was looked at.
    pub(super) fn looked(
        &mut self,
        task: TaskHash,
        ticket: Ticket,
        seen: Result<Seen, ChainError>,
    ) -> Vec<Effect> {
        self.looking = self.looking.saturating_sub(1);
        let mut effects = match seen {
            _ if !self.is_current(task, ticket) => Vec::new(),
            Ok(Some((posted, standing))) => {
                let window = self.learn(task, &posted, &standing);
                window.into_iter().chain(self.seen(task, ticket, posted, standing)).collect()
            }
            Ok(None) => self.hindered(task, Obstacle::NotPosted),
            Err(error) => self.hindered(task, error.into()),
        };
        effects.extend(self.look());
        effects
    }

    /// A call was made and tried, or could not be.
    pub(super) fn prepared(
        &mut self,
        task: TaskHash,
        ticket: Ticket,
        plan: &Plan,
        result: Result<Prepared, CallError>,
    ) -> Vec<Effect> {
        if !self.is_current(task, ticket) {
            return Vec::new();
        }
        match result {
            Ok(prepared) if self.config.dry_run => self.would_send(task, plan, &prepared),
            Ok(prepared) => self.send(task, ticket, plan, prepared),
            Err(CallError::Chain(error)) => self.hindered(task, error.into()),
            Err(error) => self.hindered(task, Obstacle::Call(error)),
        }
    }

    /// A request has come to an end.
    pub(super) fn sent(&mut self, task: TaskHash, ticket: Ticket, outcome: Sent) -> Vec<Effect> {
        let head = self.head;
        let Some(case) = self.cases.get_mut(&task).filter(|case| case.pursuit.is_current(ticket)) else {
            return Vec::new();
        };
        let again = case.pursuit.sent(head, &outcome);
        let obstacle = match outcome {
            Sent::Done(_) => {
                let id = case.course.plan.as_ref().map(|plan| plan.id.clone());
                case.course.succeeded(head);
                case.pursuit.progress();
                return id.map(|id| Effect::Report(Report::Done { task, id })).into_iter().collect();
            }
            // The same request is sent again: nothing has failed yet.
            Sent::Unknown(error) => Obstacle::Unknown(error),
            Sent::Reverted(mined) => {
                case.course.failed(true, head);
                Obstacle::Reverted(mined.hash)
            }
            Sent::Refused(refusal) => {
                let reverts = matches!(refusal, TxRefusal::Reverts { .. });
                case.course.failed(reverts, head);
                Obstacle::Refused(refusal)
            }
        };
        vec![Effect::Report(Report::Hindered { task, obstacle, again })]
    }

    fn learn(&mut self, task: TaskHash, posted: &PostedAnswer, standing: &AnswerStanding) -> Option<Effect> {
        let told = self.cases.get(&task)?.answer?;
        if told.response != posted.response {
            return None;
        }
        let blocks = standing.challenge_end.saturating_sub(posted.responded_block.into());
        let is_news = self.challenge_window.replace(blocks) != Some(blocks);
        is_news.then_some(Effect::Report(Report::Window { blocks }))
    }

    fn is_current(&self, task: TaskHash, ticket: Ticket) -> bool {
        self.cases.get(&task).is_some_and(|case| case.pursuit.is_current(ticket))
    }

    fn hindered(&mut self, task: TaskHash, obstacle: Obstacle) -> Vec<Effect> {
        let head = self.head;
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        if !matches!(obstacle, Obstacle::Chain(_) | Obstacle::NotPosted) {
            case.course.failed(matches!(obstacle, Obstacle::Call(_)), head);
        }
        if obstacle == Obstacle::NotPosted {
            case.course.absent_since.get_or_insert(head);
        }
        let again = case.pursuit.failed(head);
        vec![Effect::Report(Report::Hindered { task, obstacle, again })]
    }

    fn seen(
        &mut self,
        task: TaskHash,
        ticket: Ticket,
        answer: PostedAnswer,
        standing: AnswerStanding,
    ) -> Vec<Effect> {
        let head = self.head;
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        if case.answer.is_none_or(|told| told.response != answer.response) {
            return self.hindered(task, Obstacle::NotPosted);
        }
        let slashed = case.course.note(&standing);
        case.dirty |= slashed > 0;
        // When no proof is taken any more it stays as it is, and there may be a bond to get back.
        if case.is_doubtful() && case.is_to_be_captured(head) {
            return self.recheck(task);
        }
        if case.verdict() != Some(Verdict::Wrong) {
            case.pursuit.progress();
            case.pursuit.rest(head.saturating_add(1));
            return Vec::new();
        }
        let mut effects = Vec::new();
        if slashed > 0 {
            effects.push(Effect::Report(Report::Slashed { task, operators: slashed }));
        }
        let witness = case.found.as_ref().and_then(|found| found.witness.clone());
        let means = case.course.means(witness.is_some(), case.certainty(head), &self.config, head);
        match decide(&standing, &means, head) {
            Decision::Wait(state, until) => {
                effects.extend(self.moved(task, state));
                let pause = pause(state, until.saturating_sub(head), self.config.check_every);
                self.rest(task, until.min(head.saturating_add(pause)));
            }
            Decision::Recheck(state) => {
                effects.extend(self.moved(task, state));
                effects.extend(self.recheck(task));
            }
            Decision::Over(state) => {
                effects.extend(self.moved(task, state));
                self.over(task, standing.challenge_end);
            }
            Decision::Do(state, step) => {
                effects.extend(self.moved(task, state));
                effects.extend(self.begin(task, ticket, (answer, standing), step));
            }
        }
        effects
    }

    fn recheck(&mut self, task: TaskHash) -> Vec<Effect> {
        let (head, pause) = (self.head, self.config.check_every.max(1));
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        case.hurry_recheck(head);
        case.course.over_since = None;
        case.pursuit.progress();
        case.pursuit.rest(head.saturating_add(pause));
        self.capture()
    }

    fn begin(
        &mut self,
        task: TaskHash,
        ticket: Ticket,
        (answer, standing): (PostedAnswer, AnswerStanding),
        step: Step,
    ) -> Vec<Effect> {
        let head = self.head;
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        case.course.over_since = None;
        if let Some(id) = case.course.changed_nothing(&standing) {
            return self.fruitless(task, id, &standing);
        }
        let plan = case.course.plan((&case.task, answer.responded_block), &standing, step, head);
        let witness = case.found.as_ref().and_then(|found| found.witness.clone());
        let job = Job { task: case.task.clone(), answer, standing, witness, plan };
        vec![Effect::Prepare { ticket, job: Box::new(job) }]
    }

    /// What took effect changed nothing, and each attempt costs gas: the next ones come at ever longer pauses, and the last of
    /// them while there is time.
    fn fruitless(&mut self, task: TaskHash, id: TxId, standing: &AnswerStanding) -> Vec<Effect> {
        let head = self.head;
        let end = standing.fault.as_ref().map_or(standing.proof_end, |fault| fault.execution_end);
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        let pause = case.course.fruitless(self.config.longest_pause, end.saturating_sub(head) / 4);
        let again = head.saturating_add(pause.max(1));
        case.pursuit.rest(again);
        vec![Effect::Report(Report::Hindered { task, obstacle: Obstacle::NoChange(id), again })]
    }

    fn send(&mut self, task: TaskHash, ticket: Ticket, plan: &Plan, prepared: Prepared) -> Vec<Effect> {
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        let Plan { id, not_after, .. } = plan.clone();
        let ContractCall { to, data, value } = prepared.call;
        let request = SendTransaction { id: id.clone(), to, data, value, not_after: Some(not_after) };
        case.pursuit.sending(request.clone(), not_after);
        vec![Effect::Report(Report::Sends { task, id }), Effect::Send { task, ticket, request }]
    }

    fn would_send(&mut self, task: TaskHash, plan: &Plan, prepared: &Prepared) -> Vec<Effect> {
        let until = self.head.saturating_add(self.config.check_every.max(1));
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        case.pursuit.rest(until);
        let id = plan.id.clone();
        if case.course.would.replace(id.clone()).as_ref() == Some(&id) {
            return Vec::new();
        }
        let (value, cost) = (prepared.call.value, prepared.cost);
        vec![Effect::Report(Report::WouldSend { task, id, value, cost })]
    }

    fn moved(&mut self, task: TaskHash, state: State) -> Option<Effect> {
        let case = self.cases.get_mut(&task)?;
        let is_news = case.course.said.state.replace(state) != Some(state);
        case.dirty |= is_news;
        let index = case.task.index;
        is_news.then_some(Effect::Report(Report::Moved { task, index, state }))
    }

    fn rest(&mut self, task: TaskHash, until: u64) {
        let next = self.head.saturating_add(1);
        let Some(case) = self.cases.get_mut(&task) else { return };
        case.course.over_since = None;
        case.course.waits();
        case.pursuit.progress();
        case.pursuit.rest(until.max(next));
    }

    /// It is over for good when that is still so once no reorg can change it.
    fn over(&mut self, task: TaskHash, challenge_end: u64) {
        let (head, finality) = (self.head, self.config.finality_blocks);
        let Some(case) = self.cases.get_mut(&task) else { return };
        case.course.waits();
        case.pursuit.progress();
        let since = *case.course.over_since.get_or_insert(head);
        let last = since.max(challenge_end).saturating_add(finality);
        case.course.finished = head >= last;
        case.pursuit.rest(last.max(head.saturating_add(1)));
    }
}

/// For how long a dispute is let be of which there is nothing to do for so many blocks. The veto window may be days: it is looked at
/// ever more often the nearer its end is, because an operator may come back meanwhile.
fn pause(state: State, left: u64, check_every: u64) -> u64 {
    if state == State::Veto { check_every.max(left / 2) } else { check_every }
}
