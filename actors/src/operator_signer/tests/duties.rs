use std::collections::BTreeSet;

use anzen_messages::bls::SecretKey;
use anzen_messages::chain::{ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::model::NoAnswer;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{Task, TaskResponse};

use super::super::duties::Duties;
use super::super::duty::{Computed, Step, Terms, Ticket};
use super::super::effect::{Effect, Ignored, Report};
use super::super::protection::Protection;
use crate::testing::{a_task, block_at, block_of, delta, domain, value};

const WINDOW: u64 = 10;

pub(super) fn terms(aggregators: usize) -> Terms {
    Terms {
        operator: SecretKey::from_hex("1").unwrap().public_key().operator_id(),
        started: 0,
        domain: domain(),
        protocols: (1..=3).collect(),
        aggregators: vec![BTreeSet::new(); aggregators],
        most_open: 3,
        finality_blocks: 4,
        keep_records: 100,
    }
}

fn duties() -> Duties {
    Duties::new(terms(2), Protection::default(), WINDOW)
}

/// Those of a process that begins with a store that is new.
fn new_duties() -> Duties {
    Duties::new(terms(2), Protection::load(Vec::new(), 0).unwrap(), WINDOW)
}

fn creation(task: &Task) -> ChainEvent {
    ChainEvent::TaskCreated { task: task.clone() }
}

fn created(task: &Task) -> ChainDelta {
    delta(DeltaBase::Continues, vec![block_of(1, u64::from(task.created_block), vec![creation(task)])])
}

fn head(number: u64) -> ChainDelta {
    delta(DeltaBase::Continues, vec![block_of(1, number, vec![])])
}

fn answered(task: &Task, number: u64) -> ChainDelta {
    let response = TaskResponse { task_hash: task.hash(), safety_factor: value(1) };
    let event = ChainEvent::TaskResponded {
        task_index: task.index,
        response,
        transaction: alloy::primitives::B256::ZERO,
    };
    delta(DeltaBase::Continues, vec![block_of(1, number, vec![event])])
}

fn computed(billionths: i64) -> Computed {
    Computed::Answer(value(billionths))
}

fn ticket(effects: &[Effect]) -> Ticket {
    match effects {
        [
            Effect::Compute { ticket, .. }
            | Effect::Record { ticket, .. }
            | Effect::Sign { ticket, .. }
            | Effect::Submit { ticket, .. }
            | Effect::Pause { ticket, .. },
            ..,
        ] => *ticket,
        other => panic!("no step to take: {other:?}"),
    }
}

/// Computes, records and signs; returns the submissions.
fn sign(duties: &mut Duties, begin: &[Effect], billionths: i64) -> Vec<Effect> {
    let mut effects = duties.computed(ticket(begin), &computed(billionths));
    effects.retain(|effect| !matches!(effect, Effect::Report(_)));
    if let [Effect::Record { ticket, .. }] = effects[..] {
        effects = duties.recorded(ticket, true);
    }
    let [Effect::Sign { ticket, permit }] = &effects[..] else { panic!("nothing to sign: {effects:?}") };
    let signature = SecretKey::from_hex("1").unwrap().sign(&permit.message());
    duties.signed(*ticket, Some(signature))
}

fn submitted(effects: &[Effect]) -> Vec<(usize, SubmitSignature)> {
    let submission = |effect: &Effect| match effect {
        Effect::Submit { to, message, .. } => Some((*to, message.clone())),
        _ => None,
    };
    effects.iter().filter_map(submission).collect()
}

#[test]
fn a_task_is_computed_recorded_signed_and_submitted_to_everyone() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let begin = duties.follow(&created(&task));
    assert!(matches!(&begin[..], [Effect::Compute { task: of, .. }] if *of == task));
    let submissions = submitted(&sign(&mut duties, &begin, 7));
    assert_eq!(submissions.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(submissions[0].1.response.safety_factor, value(7), "what was computed, not what was proposed");
}

#[test]
fn an_answer_goes_only_where_its_protocol_is_served() {
    let task = a_task(1, 0, 1, 100);
    let (served, another) = (BTreeSet::from([task.oracle_index]), BTreeSet::from([task.oracle_index + 1]));
    let aggregators = vec![another.clone(), served, BTreeSet::new()];
    let mut duties = Duties::new(Terms { aggregators, ..terms(0) }, Protection::default(), WINDOW);
    let begin = duties.follow(&created(&task));
    let submissions = submitted(&sign(&mut duties, &begin, 7));
    assert_eq!(submissions.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [1, 2]);
    let mut duties =
        Duties::new(Terms { aggregators: vec![another], ..terms(0) }, Protection::default(), WINDOW);
    let ignored = Effect::Report(Report::Ignored { task: task.clone(), reason: Ignored::NotServed });
    assert_eq!(duties.follow(&created(&task)), [ignored], "nor is it computed where nobody wants it");
}

#[test]
fn a_disagreement_with_the_proposal_is_reported() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let begin = duties.follow(&created(&task));
    let effects = duties.computed(ticket(&begin), &computed(7));
    assert_eq!(effects[0], Effect::Report(Report::Disagrees { task, computed: value(7) }));
}

#[test]
fn a_failed_delivery_is_tried_again_until_acknowledged() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let begin = duties.follow(&created(&task));
    let at = ticket(&sign(&mut duties, &begin, 7));
    let pause = |failures| vec![Effect::Pause { ticket: at, step: Step::Submit(1), failures }];
    assert_eq!(duties.replied(at, 1, None), pause(1));
    assert_eq!(submitted(&duties.resume(at, Step::Submit(1))).len(), 1);
    assert_eq!(duties.replied(at, 1, Some(SubmitReply::Unavailable)), pause(2));
    duties.replied(at, 1, Some(SubmitReply::Accepted));
    assert!(duties.resume(at, Step::Submit(1)).is_empty());
    assert_eq!(submitted(&duties.resume(at, Step::Submit(0))).len(), 1, "the other one is still owed it");
}

#[test]
fn a_task_that_is_over_is_left_alone() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    assert!(Duties::new(terms(1), Protection::default(), WINDOW).follow(&created(&task)).len() == 1);
    let begin = duties.follow(&created(&task));
    let at = ticket(&sign(&mut duties, &begin, 7));
    duties.follow(&answered(&task, 102));
    assert_eq!(submitted(&duties.resume(at, Step::Submit(0))).len(), 1, "not final yet");
    duties.follow(&head(106));
    assert!(duties.resume(at, Step::Submit(0)).is_empty());
}

#[test]
fn a_task_that_ended_unacknowledged_is_reported_once() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let begin = duties.follow(&created(&task));
    sign(&mut duties, &begin, 7);
    assert!(duties.follow(&head(110)).is_empty(), "the last block of its window");
    assert_eq!(duties.follow(&head(111)), [Effect::Report(Report::Missed { task })]);
    assert!(duties.follow(&head(112)).is_empty());
    assert_eq!(duties.open(), 0);
}

#[test]
fn a_reorg_that_takes_the_answer_back_has_it_submitted_again() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let begin = duties.follow(&created(&task));
    let at = ticket(&sign(&mut duties, &begin, 7));
    duties.follow(&answered(&task, 102));
    duties.follow(&head(106));
    assert!(duties.resume(at, Step::Submit(0)).is_empty(), "its answer is final");
    let back = DeltaBase::RetractTo { block: block_at(1, 101) };
    let again = duties.follow(&delta(back, vec![block_of(2, 102, vec![])]));
    assert_eq!(submitted(&again).len(), 2);
    assert!(duties.replied(at, 0, None).is_empty(), "what was under way before is ignored");
}

#[test]
fn a_reorg_that_removes_the_task_drops_it_and_keeps_its_record() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let begin = duties.follow(&created(&task));
    let at = ticket(&sign(&mut duties, &begin, 7));
    let back = DeltaBase::RetractTo { block: block_at(1, 99) };
    duties.follow(&delta(back, vec![block_of(2, 100, vec![])]));
    assert!(duties.resume(at, Step::Submit(0)).is_empty());
    assert_eq!((duties.open(), duties.records()), (0, 1));
    // The first fork comes back, and with it the same task: the answer on record is signed, and nothing is computed.
    let again = duties.follow(&delta(DeltaBase::RetractTo { block: block_at(1, 99) }, created(&task).blocks));
    let [Effect::Sign { permit, .. }] = &again[..] else { panic!("not signed: {again:?}") };
    assert_eq!(permit.response().safety_factor, value(7));
}

#[test]
fn after_a_restart_of_the_watcher_open_tasks_are_submitted_again() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let begin = duties.follow(&created(&task));
    sign(&mut duties, &begin, 7);
    let again = duties.follow(&delta(DeltaBase::Restart { response_window: WINDOW }, created(&task).blocks));
    let [Effect::Sign { ticket, permit }] = &again[..] else { panic!("not signed: {again:?}") };
    let signature = SecretKey::from_hex("1").unwrap().sign(&permit.message());
    assert_eq!(submitted(&duties.signed(*ticket, Some(signature))).len(), 2);
}

#[test]
fn old_tasks_are_not_answered_while_catching_up() {
    let task = a_task(1, 0, 1, 100);
    let mut behind = created(&task);
    behind.head = block_at(1, 111);
    assert!(duties().follow(&behind).is_empty());
    behind.head = block_at(1, 110);
    assert_eq!(duties().follow(&behind).len(), 1);
}

#[test]
fn what_this_operator_cannot_vouch_for_is_ignored() {
    let ignored = |task: Task| match &duties().follow(&created(&task))[..] {
        [Effect::Report(Report::Ignored { reason, .. })] => *reason,
        other => panic!("not ignored: {other:?}"),
    };
    let task = a_task(1, 0, 1, 100);
    assert_eq!(ignored(Task { oracle_index: 9, ..task.clone() }), Ignored::UnknownProtocol);
    let other = block_at(2, 99).hash;
    assert_eq!(ignored(Task { reference_block_hash: other, ..task.clone() }), Ignored::Inconsistent);
    assert_eq!(ignored(Task { reference_block: 98, ..task }), Ignored::Inconsistent);
}

#[test]
fn a_burst_of_tasks_is_bounded() {
    let mut duties = duties();
    let tasks: Vec<ChainEvent> = (0..5).map(|index| creation(&a_task(1, index, 1, 100))).collect();
    let effects = duties.follow(&delta(DeltaBase::Continues, vec![block_of(1, 100, tasks)]));
    let refused =
        |effect: &&Effect| matches!(effect, Effect::Report(Report::Ignored { reason: Ignored::TooMany, .. }));
    assert_eq!(effects.iter().filter(refused).count(), 2);
    assert_eq!(duties.open(), 3);
}

#[test]
fn where_there_is_no_answer_nothing_is_signed() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let at = ticket(&duties.follow(&created(&task)));
    let effects = duties.computed(at, &Computed::NoAnswer(NoAnswer::NoCost));
    let reason = Ignored::NoAnswer(NoAnswer::NoCost);
    assert_eq!(effects, [Effect::Report(Report::Ignored { task, reason })]);
    assert!(duties.resume(at, Step::Compute).is_empty());
    assert_eq!(duties.records(), 0);
}

#[test]
fn what_fails_is_tried_again() {
    let (mut duties, task) = (duties(), a_task(1, 0, 1, 100));
    let at = ticket(&duties.follow(&created(&task)));
    let pause = |step, failures| vec![Effect::Pause { ticket: at, step, failures }];
    assert_eq!(duties.computed(at, &Computed::Failed), pause(Step::Compute, 1));
    assert!(matches!(duties.resume(at, Step::Compute)[..], [Effect::Compute { .. }]));
    duties.computed(at, &computed(7));
    assert_eq!(duties.recorded(at, false), pause(Step::Sign, 1));
    assert!(
        matches!(duties.resume(at, Step::Sign)[..], [Effect::Record { .. }]),
        "never on disk, so recorded again"
    );
    assert!(matches!(duties.recorded(at, true)[..], [Effect::Sign { .. }]));
    assert_eq!(duties.signed(at, None), pause(Step::Sign, 2));
    assert!(matches!(duties.resume(at, Step::Sign)[..], [Effect::Sign { .. }]));
}

#[test]
fn nothing_is_kept_for_ever() {
    let mut duties = duties();
    for index in 0..500u32 {
        let task = a_task(1, index, 1, 100 + 20 * index);
        let begin = duties.follow(&created(&task));
        let begin: Vec<Effect> = begin.into_iter().filter(|e| matches!(e, Effect::Compute { .. })).collect();
        sign(&mut duties, &begin, 7);
        duties.pruned(true);
        assert!(duties.records() <= 7, "100 blocks of records, a task every 20");
        assert_eq!(duties.open(), 1);
    }
}

/// A task keeps the window of its creation, whatever is in force now.
#[test]
fn a_restart_after_the_window_was_shortened_keeps_open_tasks() {
    let mut duties = Duties::new(terms(2), Protection::default(), 2);
    let (task, shortened) = (a_task(1, 0, 1, 100), ChainEvent::ResponseWindowChanged { blocks: 2 });
    let blocks = vec![
        block_of(1, 100, vec![creation(&task)]),
        block_of(1, 101, vec![shortened]),
        block_of(1, 109, vec![]),
    ];
    let begin = duties.follow(&delta(DeltaBase::Restart { response_window: WINDOW }, blocks));
    assert_eq!(submitted(&sign(&mut duties, &begin, 7)).len(), 2);
    assert!(duties.follow(&head(110)).is_empty(), "the last block of its window");
    assert_eq!(duties.open(), 1);
    let later = a_task(1, 1, 1, 110);
    duties.follow(&created(&later));
    assert_eq!(duties.open(), 2);
    duties.follow(&head(113));
    assert_eq!(duties.open(), 0, "both windows are over");
}

#[test]
fn a_new_store_answers_only_later_tasks() {
    let (mut duties, open) = (new_duties(), a_task(1, 0, 1, 100));
    let effects = duties.follow(&created(&open));
    let reason = Ignored::BeforeStart { barrier: 100 };
    assert_eq!(effects[0], Effect::Report(Report::Ignored { task: open, reason }));
    assert!(matches!(effects[1..], [Effect::Prune(_)]), "the barrier is written");
    duties.pruned(true);
    let begin = duties.follow(&created(&a_task(1, 1, 1, 101)));
    assert_eq!(submitted(&sign(&mut duties, &begin, 7)).len(), 2);
}

/// The state that it was computed from may be gone by then.
#[test]
fn after_a_restart_the_recorded_answer_is_signed_without_reading() {
    let task = a_task(1, 0, 1, 100);
    let record = {
        let mut duties = duties();
        let begin = duties.follow(&created(&task));
        let effects = duties.computed(ticket(&begin), &computed(7));
        let recorded = |effect| match effect {
            Effect::Record { writes, .. } => Some(writes),
            _ => None,
        };
        effects.into_iter().find_map(recorded).unwrap()
    };
    let protection = Protection::load(super::protection::stored(&record), 0).unwrap();
    let mut next = Duties::new(terms(2), protection, WINDOW);
    let effects = next.follow(&created(&task));
    let [Effect::Sign { permit, .. }] = &effects[..] else { panic!("not signed: {effects:?}") };
    assert_eq!(permit.response().safety_factor, value(7));
}

/// What an endpoint tells that is still being synced is from before the start, however new it is to the endpoint.
#[test]
fn an_endpoint_that_is_behind_sets_no_barrier() {
    // A block's time is its number here.
    let terms = Terms { started: 150, ..terms(1) };
    let mut duties = Duties::new(terms, Protection::load(Vec::new(), 1).unwrap(), WINDOW);
    let computes = |duties: &mut Duties, block: u32| {
        let effects = duties.follow(&created(&a_task(1, block, 1, block)));
        effects.iter().any(|effect| matches!(effect, Effect::Compute { .. }))
    };
    duties.follow(&head(100));
    assert!(!computes(&mut duties, 101), "signed before the restored copy was made, perhaps");
    assert!(!computes(&mut duties, 149));
    duties.follow(&head(150));
    assert!(computes(&mut duties, 151));
}
