//! Whatever the chain, the endpoint and the actors do, and in whatever order: an actor that applies what it is told ends
//! with exactly the canonical chain's blocks.

use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, DeltaBase};
use proptest::prelude::*;

use super::tracker::{Effect, Limits, Tracker};
use super::world::{WINDOW, World};
use crate::response_windows::ResponseWindows;

#[derive(Debug, Clone)]
enum Step {
    /// The chain grows.
    Extend(usize),
    /// The chain forks.
    Reorganise(usize, usize),
    /// Governance sets the response window.
    SetWindow(u64),
    /// The endpoint tells of a head this many blocks behind its own.
    SeeHead(u64),
    /// The endpoint answers one request for blocks, or only the first half of it.
    Fetch { half: bool },
    /// An actor asks.
    Ask(usize),
    /// An actor's question has waited long enough.
    Expire(usize),
    /// An actor loses its memory.
    Forget(usize),
    /// The watcher is restarted; questions that waited are lost.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..12usize).prop_map(Step::Extend),
        2 => (1..20usize, 0..20usize).prop_map(|(depth, length)| Step::Reorganise(depth, length)),
        1 => (1..80u64).prop_map(Step::SetWindow),
        6 => (0..4u64).prop_map(Step::SeeHead),
        8 => any::<bool>().prop_map(|half| Step::Fetch { half }),
        8 => (0..SUBSCRIBERS).prop_map(Step::Ask),
        2 => (0..SUBSCRIBERS).prop_map(Step::Expire),
        1 => (0..SUBSCRIBERS).prop_map(Step::Forget),
        1 => Just(Step::Restart),
    ]
}

const SUBSCRIBERS: usize = 3;

#[derive(Debug)]
struct Subscriber {
    blocks: Vec<ChainBlock>,
    windows: ResponseWindows,
    asking: bool,
    /// It was restarted while its question was under way.
    forgot: bool,
}

impl Default for Subscriber {
    fn default() -> Self {
        Self { blocks: Vec::new(), windows: ResponseWindows::new(0), asking: false, forgot: false }
    }
}

impl Subscriber {
    fn position(&self) -> Option<BlockRef> {
        self.blocks.last().map(|block| block.header.at)
    }

    fn apply(&mut self, delta: ChainDelta) {
        self.asking = false;
        match delta.base {
            DeltaBase::Continues => {}
            DeltaBase::Restart { response_window } => {
                self.blocks.clear();
                self.windows = ResponseWindows::new(response_window);
            }
            DeltaBase::RetractTo { block } => {
                self.blocks.retain(|mine| mine.header.at.number <= block.number);
                self.windows.retract(block);
                assert!(
                    self.blocks.is_empty() || self.position() == Some(block),
                    "told to go back to a block it has not"
                );
            }
        }
        for block in delta.blocks {
            if let Some(last) = self.blocks.last() {
                assert_eq!(
                    last.header.at.hash, block.header.parent_hash,
                    "a gap, or a block of another fork"
                );
            }
            self.windows.apply(&block);
            self.blocks.push(block);
        }
    }
}

struct Run {
    limits: Limits,
    world: World,
    tracker: Tracker,
    subscribers: [Subscriber; SUBSCRIBERS],
}

impl Run {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            world: World::new(30),
            tracker: Tracker::new(limits, WINDOW),
            subscribers: Default::default(),
        }
    }

    fn answer(&mut self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            if let Effect::Answer { waiter, reply } = effect {
                let subscriber = &mut self.subscribers[usize::try_from(waiter).unwrap()];
                subscriber.asking = false;
                let is_for_another_life = std::mem::take(&mut subscriber.forgot);
                if let Ok(delta) = reply
                    && !is_for_another_life
                {
                    subscriber.apply(delta);
                }
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Extend(count) => self.world.extend(count),
            Step::SetWindow(blocks) => self.set_window(blocks),
            Step::Reorganise(depth, length) => self.world.reorganise(depth, length),
            Step::SeeHead(behind) => {
                let _ =
                    self.tracker.head_seen(self.world.at(self.world.head().number.saturating_sub(behind)));
            }
            Step::Fetch { half } => self.fetch(half),
            Step::Ask(who) => self.ask(who),
            Step::Expire(who) => {
                let effect = self.tracker.expire(who as u64);
                self.answer(effect);
            }
            Step::Forget(who) => {
                let subscriber = &mut self.subscribers[who];
                subscriber.blocks.clear();
                subscriber.forgot = subscriber.asking;
            }
            Step::Restart => {
                self.tracker = Tracker::new(self.limits, self.world.windows.latest());
                self.subscribers
                    .iter_mut()
                    .for_each(|subscriber| (subscriber.asking, subscriber.forgot) = (false, false));
            }
        }
    }

    /// Governance does not change the window all the time: one that is over sooner than its tasks need not be noticed.
    fn set_window(&mut self, blocks: u64) {
        if self.world.window_held() >= self.world.windows.latest() {
            self.world.set_window(blocks);
        }
    }

    fn fetch(&mut self, half: bool) {
        let Some(missing) = self.tracker.missing() else { return };
        let windows = self.world.windows(&missing);
        let mut blocks = self.world.read(missing.range);
        if half {
            blocks.truncate(blocks.len().div_ceil(2));
        }
        let effects = self.tracker.fetched(blocks, &windows);
        self.answer(effects);
    }

    fn ask(&mut self, who: usize) {
        let subscriber = &mut self.subscribers[who];
        if std::mem::replace(&mut subscriber.asking, true) {
            return;
        }
        let after = subscriber.position();
        let effect = self.tracker.ask(who as u64, after);
        self.answer(effect);
    }

    /// The chain stands still; everyone catches up.
    fn settle(&mut self) {
        // So that nobody stays ahead of the chain.
        self.world.extend(40);
        let effects = self.world.feed(&mut self.tracker);
        self.answer(effects);
        for who in 0..SUBSCRIBERS {
            for _ in 0..20 {
                self.ask(who);
                let effect = self.tracker.expire(who as u64);
                self.answer(effect);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn everyone_ends_with_the_canonical_chain(
        steps in prop::collection::vec(step(), 1..120),
        margin in 1..30u64,
        keep in 1..60u64,
        fetch in 1..20u64,
    ) {
        let mut run = Run::new(Limits { first: 0, margin, keep, missed: 50, fetch });
        for step in &steps {
            run.take(step);
        }
        run.settle();
        let head = run.world.head();
        prop_assert_eq!(run.tracker.tip(), Some(head));
        for subscriber in &run.subscribers {
            let first = subscriber.blocks.first().unwrap().header.at.number;
            let canonical = run.world.read(first..=head.number);
            prop_assert_eq!(&subscriber.blocks, &canonical);
            // No open task is older than what was told, and each has the window of its creation.
            for created in 0..=head.number {
                let is_open = run.world.windows.deadline(created) >= head.number;
                prop_assert!(created >= first || !is_open);
                prop_assert!(created < first || subscriber.windows.of(created) == run.world.windows.of(created));
            }
        }
    }
}
