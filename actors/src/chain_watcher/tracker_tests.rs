//! What the tracker answers, case by case.

use alloy::primitives::B256;
use anzen_messages::chain::{BlockRef, ChainDelta, DeltaBase, NotFollowing};

use super::tracker::{Effect, Limits, Tracker};
use super::world::{WINDOW, World};

const RESTART: DeltaBase = DeltaBase::Restart { response_window: WINDOW };
const LIMITS: Limits = Limits { first: 0, margin: 0, keep: 40, missed: 60, fetch: 8 };

fn following(world: &World) -> Tracker {
    let mut tracker = Tracker::new(LIMITS, WINDOW);
    let _ = world.feed(&mut tracker);
    assert_eq!(tracker.tip(), Some(world.head()));
    tracker
}

/// The answer to a question, which must come at once.
fn ask(tracker: &mut Tracker, after: Option<BlockRef>) -> ChainDelta {
    match tracker.ask(0, after) {
        Some(Effect::Answer { waiter: 0, reply }) => reply.unwrap(),
        other => panic!("not answered: {other:?}"),
    }
}

fn numbers(delta: &ChainDelta) -> Vec<u64> {
    delta.blocks.iter().map(|block| block.header.at.number).collect()
}

#[test]
fn a_new_actor_is_told_of_the_blocks_that_can_still_matter() {
    let world = World::new(100);
    let delta = ask(&mut following(&world), None);
    assert_eq!(delta.base, RESTART);
    assert_eq!(numbers(&delta), (89..=99).collect::<Vec<_>>());
    assert_eq!(delta.head, world.head());
}

#[test]
fn a_young_chain_is_told_from_its_first_block() {
    assert_eq!(numbers(&ask(&mut following(&World::new(3)), None)), [0, 1, 2]);
}

#[test]
fn nobody_is_told_of_blocks_before_the_first_that_matters() {
    let world = World::new(30);
    let mut tracker = Tracker::new(Limits { first: 25, ..LIMITS }, WINDOW);
    assert!(tracker.head_seen(world.head()));
    let missing = tracker.missing().unwrap();
    assert_eq!((missing.range, missing.windows_of), (25..=29, vec![25]), "the node need not have older ones");
    let _ = world.feed(&mut tracker);
    assert_eq!(numbers(&ask(&mut tracker, None)), [25, 26, 27, 28, 29]);
}

#[test]
fn one_who_is_behind_is_told_the_rest_at_most_64_at_a_time() {
    let world = World::new(200);
    let mut tracker = Tracker::new(Limits { margin: 140, ..LIMITS }, WINDOW);
    let _ = world.feed(&mut tracker);
    let delta = ask(&mut tracker, Some(world.at(100)));
    assert_eq!(delta.base, DeltaBase::Continues);
    assert_eq!(numbers(&delta), (101..=164).collect::<Vec<_>>());
    assert_eq!(numbers(&ask(&mut tracker, Some(world.at(164)))), (165..=199).collect::<Vec<_>>());
}

#[test]
fn one_who_is_up_to_date_waits_for_the_next_block() {
    let mut world = World::new(20);
    let mut tracker = following(&world);
    assert_eq!(tracker.ask(7, Some(world.head())), None);
    world.extend(1);
    let effects = world.feed(&mut tracker);
    let [Effect::Answer { waiter: 7, reply: Ok(delta) }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((delta.base, numbers(delta)), (DeltaBase::Continues, vec![20]));
    assert_eq!(tracker.expire(7), None, "answered once");
}

#[test]
fn a_question_that_waited_in_vain_is_answered_with_no_blocks() {
    let world = World::new(20);
    let mut tracker = following(&world);
    assert_eq!(tracker.ask(7, Some(world.head())), None);
    let Some(Effect::Answer { waiter: 7, reply: Ok(delta) }) = tracker.expire(7) else { panic!() };
    assert_eq!((delta.base, numbers(&delta)), (DeltaBase::Continues, vec![]));
}

#[test]
fn before_the_first_block_there_is_nothing_to_follow() {
    let mut tracker = Tracker::new(LIMITS, WINDOW);
    assert_eq!(tracker.ask(1, None), None);
    assert_eq!(tracker.expire(1), Some(Effect::Answer { waiter: 1, reply: Err(NotFollowing) }));
}

#[test]
fn one_on_a_dead_fork_is_told_how_far_to_go_back() {
    let mut world = World::new(30);
    let mut tracker = following(&world);
    let (dead, common) = (world.head(), world.at(25));
    world.reorganise(4, 6);
    let effects = world.feed(&mut tracker);
    assert_eq!(effects, [Effect::Forked { depth: 4, back_to: common }]);
    let delta = ask(&mut tracker, Some(dead));
    assert_eq!(delta.base, DeltaBase::RetractTo { block: common });
    assert_eq!(numbers(&delta), (26..=31).collect::<Vec<_>>());
}

#[test]
fn one_that_slept_through_two_forks_goes_back_below_both() {
    let mut world = World::new(30);
    let mut tracker = following(&world);
    let (dead, common) = (world.head(), world.at(22));
    world.reorganise(2, 3);
    let _ = world.feed(&mut tracker);
    world.reorganise(8, 9);
    let _ = world.feed(&mut tracker);
    assert_eq!(ask(&mut tracker, Some(dead)).base, DeltaBase::RetractTo { block: common });
}

#[test]
fn a_fork_to_a_shorter_chain_is_followed() {
    let mut world = World::new(30);
    let mut tracker = following(&world);
    let dead = world.head();
    world.reorganise(5, 2);
    let _ = world.feed(&mut tracker);
    assert_eq!(tracker.tip(), Some(world.head()));
    let delta = ask(&mut tracker, Some(dead));
    assert_eq!((delta.base, numbers(&delta)), (DeltaBase::RetractTo { block: world.at(24) }, vec![25, 26]));
    assert_eq!(delta.head, world.head());
}

#[test]
fn a_fork_back_to_the_first_one_continues_it() {
    let first = World::new(30);
    let mut second = first.clone();
    second.reorganise(3, 4);
    let mut tracker = following(&first);
    let _ = second.feed(&mut tracker);
    let mut first = first;
    first.extend(3);
    let _ = first.feed(&mut tracker);
    let delta = ask(&mut tracker, Some(first.at(29)));
    assert_eq!((delta.base, numbers(&delta)), (DeltaBase::Continues, vec![30, 31, 32]));
    let delta = ask(&mut tracker, Some(second.head()));
    assert_eq!(delta.base, DeltaBase::RetractTo { block: first.at(26) });
}

#[test]
fn a_fork_deeper_than_what_is_kept_makes_everyone_start_again() {
    let mut world = World::new(100);
    let mut tracker = following(&world);
    let dead = world.head();
    world.reorganise(60, 70);
    let effects = world.feed(&mut tracker);
    assert_eq!(effects, [Effect::Replaced]);
    assert_eq!(ask(&mut tracker, Some(dead)).base, RESTART);
}

#[test]
fn a_stale_answer_of_another_node_undoes_nothing() {
    let world = World::new(30);
    let mut tracker = following(&world);
    assert!(tracker.head_seen(world.at(27)));
    assert_eq!((tracker.missing(), tracker.head()), (None, Some(world.head())));
}

#[test]
fn an_endpoint_that_still_syncs_is_not_believed() {
    let world = World::new(100);
    let mut tracker = following(&world);
    assert!(!tracker.head_seen(World::new(5).head()));
    assert_eq!(tracker.tip(), Some(world.head()));
}

#[test]
fn one_who_is_ahead_of_the_watcher_waits_and_then_starts_again() {
    let mut world = World::new(30);
    let mut tracker = following(&world);
    let ahead = BlockRef { number: 31, hash: B256::repeat_byte(1) };
    assert_eq!(tracker.ask(1, Some(ahead)), None);
    world.extend(1);
    assert_eq!(world.feed(&mut tracker), []);
    let Some(Effect::Answer { reply: Ok(delta), .. }) = tracker.expire(1) else { panic!() };
    assert_eq!(delta.base, RESTART);
    assert_eq!(tracker.ask(2, Some(ahead)), None);
    world.extend(1);
    let effects = world.feed(&mut tracker);
    let [Effect::Answer { waiter: 2, reply: Ok(delta) }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(delta.base, RESTART, "block 31 is another one");
}

#[test]
fn a_fork_between_the_head_and_its_blocks_is_noticed() {
    let mut world = World::new(30);
    let mut tracker = following(&world);
    world.extend(5);
    assert!(tracker.head_seen(world.head()));
    // Half of the blocks come from before the fork and half from after it.
    let old = world.read(30..=32);
    world.reorganise(4, 8);
    let mixed = [old, world.read(33..=34)].concat();
    let _ = tracker.fetched(mixed, &[]);
    assert_eq!(tracker.tip().map(|tip| tip.number), Some(32));
    let _ = world.feed(&mut tracker);
    assert_eq!(tracker.tip(), Some(world.head()));
}

#[test]
fn the_lookback_grows_with_the_window() {
    let mut world = World::new(100);
    let mut tracker = Tracker::new(Limits { margin: 5, ..LIMITS }, WINDOW);
    let _ = world.feed(&mut tracker);
    world.set_window(60);
    world.extend(58);
    let _ = world.feed(&mut tracker);
    let delta = ask(&mut tracker, None);
    assert_eq!((delta.base, numbers(&delta)[0]), (RESTART, 158 - 65));
    world.extend(20);
    let _ = world.feed(&mut tracker);
    let longer = DeltaBase::Restart { response_window: 60 };
    assert_eq!((ask(&mut tracker, None).base, numbers(&ask(&mut tracker, None))[0]), (longer, 178 - 65));
}

/// Tasks keep the window of their creation, so those from before can be open for long.
#[test]
fn a_watcher_that_starts_after_the_window_was_shortened_reaches_back_to_the_older_tasks() {
    let mut world = World::new(20);
    world.set_window(90);
    world.extend(79);
    world.set_window(7);
    world.extend(20);
    let mut tracker = Tracker::new(LIMITS, 7);
    let _ = world.feed(&mut tracker);
    let first = 120 - 90;
    let delta = ask(&mut tracker, None);
    assert_eq!((delta.base, numbers(&delta)[0]), (DeltaBase::Restart { response_window: 90 }, first));
}

#[test]
fn a_window_that_a_reorg_undid_is_forgotten() {
    let mut world = World::new(30);
    world.set_window(60);
    let mut tracker = Tracker::new(LIMITS, WINDOW);
    let _ = world.feed(&mut tracker);
    world.reorganise(1, 20);
    let _ = world.feed(&mut tracker);
    let delta = ask(&mut tracker, None);
    assert_eq!((delta.base, numbers(&delta)[0]), (RESTART, 49 - WINDOW));
}

#[test]
fn what_was_missed_while_away_is_told_at_most_so_far_back() {
    let world = World::new(100);
    for (after, first, untold) in [(95, 89, 0), (70, 70, 0), (45, 45, 0), (20, 39, 19)] {
        let mut tracker = Tracker::new(LIMITS, WINDOW);
        assert_eq!(tracker.resume(world.at(after), WINDOW, 99), untold);
        let _ = world.feed(&mut tracker);
        assert_eq!(numbers(&ask(&mut tracker, None))[0], first, "after {after}");
    }
}

#[test]
fn what_was_missed_is_not_kept_for_ever() {
    let mut world = World::new(100);
    let mut tracker = Tracker::new(LIMITS, WINDOW);
    tracker.resume(world.at(45), WINDOW, 99);
    world.extend(38);
    let _ = world.feed(&mut tracker);
    assert_eq!(numbers(&ask(&mut tracker, None))[0], 45);
    world.extend(2);
    let _ = world.feed(&mut tracker);
    assert_eq!(numbers(&ask(&mut tracker, None))[0], 139 - WINDOW);
}

#[test]
fn a_chain_that_was_put_back_is_told_from_a_node_that_syncs() {
    let mut world = World::new(1_000);
    let mut tracker = following(&world);
    world.extend(1_000);
    let _ = world.feed(&mut tracker);
    assert_eq!(tracker.mark_up_to(1_100), Some(world.at(1_024)));
    assert_eq!(tracker.mark_up_to(900), None, "nothing is known of it");
    world.reorganise(1_500, 3);
    assert!(!tracker.head_seen(world.head()), "502 blocks");
    assert_eq!(tracker.replace(), Effect::Replaced);
    let _ = world.feed(&mut tracker);
    assert_eq!(tracker.tip(), Some(world.head()));
}
