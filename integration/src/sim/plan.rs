//! What is simulated: who takes part, and what is done to them.

use std::fmt;

use super::byzantine::Mischief;
use super::network::Faults;
use super::node::Who;
use super::schedule::{self, Event};
use super::world::SimRng;

/// The deepest reorg.
pub const DEEPEST_REORG: u64 = 10;

/// What is simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How many operators there are, of equal stake.
    pub operators: usize,
    /// Those that do not follow the rules, by their numbers.
    pub byzantine: Vec<(usize, Mischief)>,
    /// Operators that follow the rules, are told lies by their endpoints, and whose disks are put back to earlier states.
    pub misled: Vec<usize>,
    /// How many aggregators there are.
    pub aggregators: usize,
    /// Those that are told lies by their endpoints.
    pub misled_aggregators: Vec<usize>,
    /// Operators that do not say of their keys that they have signed nothing before.
    pub old_keys: Vec<usize>,
    /// Times of trouble; after each one all is mended, and there is a calm.
    pub storms: Vec<Storm>,
    /// How many blocks a calm has.
    pub calm_blocks: u64,
}

/// A time of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storm {
    /// How many blocks long it is.
    pub blocks: u64,
    /// The network between operators and aggregators.
    pub faults: Faults,
    /// How many of a hundred questions to the RPC endpoints fail.
    pub rpc_failure_percent: u64,
    /// How many of a hundred transactions a node forgets.
    pub tx_drop_percent: u64,
    /// What happens, each so many milliseconds after the beginning.
    pub events: Vec<(u64, Event)>,
    /// Who is killed at its end, and stays down in the calm: one of several aggregators, which the others make up for.
    pub stays_down: Option<Who>,
}

impl Default for Storm {
    fn default() -> Self {
        Self {
            blocks: 20,
            faults: Faults::NONE,
            rpc_failure_percent: 0,
            tx_drop_percent: 0,
            events: Vec::new(),
            stays_down: None,
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        let (byzantine, misled) = (Vec::new(), Vec::new());
        Self {
            operators: 4,
            byzantine,
            misled,
            aggregators: 1,
            misled_aggregators: Vec::new(),
            old_keys: Vec::new(),
            storms: vec![Storm::default()],
            calm_blocks: 24,
        }
    }
}

impl Plan {
    /// A storm, and everyone honest.
    pub fn of_storm(storm: Storm) -> Self {
        Self { storms: vec![storm], ..Self::default() }
    }

    /// How many operators may fail to sign the true answer: the others hold two thirds of the stake.
    pub fn tolerated(operators: usize) -> usize {
        operators.saturating_sub((operators * 66).div_ceil(100))
    }

    /// The plan that a seed stands for. Every plan is one that Anzen must live with: those who lie, or are lied to, are too
    /// few to matter, and after each storm there is a calm.
    pub fn of_seed(seed: u64) -> Self {
        let rng = SimRng::new(seed, "plan");
        let operators = *rng.one_of(&[4, 4, 5, 6, 7]);
        let aggregators = *rng.one_of(&[1, 2, 2]);
        let tolerated = Self::tolerated(operators);
        let bad = usize::try_from(rng.between(0, tolerated as u64)).unwrap_or_default();
        let byzantine = villains(&rng, operators, bad);
        // From the front, so that they are others than the Byzantine ones.
        let misled: Vec<usize> = (0..tolerated - bad).filter(|_| rng.chance(60)).collect();
        let honest: Vec<usize> = (0..operators - bad).collect();
        let misled_aggregators: Vec<usize> = (0..aggregators).filter(|_| rng.chance(30)).collect();
        let parties = Parties {
            honest: &honest,
            misled: &misled,
            aggregators,
            misled_aggregators: &misled_aggregators,
        };
        let storms = (0..rng.between(1, 2)).map(|_| schedule::storm(&rng, &parties)).collect();
        // Of those, because they miss the tasks that are open when they start.
        let old_keys = if rng.chance(50) { misled.clone() } else { Vec::new() };
        let calm_blocks = 24;
        Self { operators, byzantine, misled, aggregators, misled_aggregators, old_keys, storms, calm_blocks }
    }

    /// True for those that follow the rules.
    pub(super) fn is_honest(&self, operator: usize) -> bool {
        self.byzantine.iter().all(|(number, _)| *number != operator)
    }

    /// Every machine that runs Anzen.
    pub(super) fn machines(&self) -> Vec<Who> {
        let operators = (0..self.operators).filter(|number| self.is_honest(*number)).map(Who::Operator);
        (0..self.aggregators).map(Who::Aggregator).chain(operators).collect()
    }
}

/// Who can be struck.
pub(super) struct Parties<'a> {
    pub(super) honest: &'a [usize],
    pub(super) misled: &'a [usize],
    pub(super) aggregators: usize,
    pub(super) misled_aggregators: &'a [usize],
}

/// The last `count` operators, and what they do.
fn villains(rng: &SimRng, operators: usize, count: usize) -> Vec<(usize, Mischief)> {
    let first = operators - count;
    if count >= 2 && rng.chance(40) {
        return vec![(first, Mischief::Cancels), (first + 1, Mischief::CancelsBack)];
    }
    (first..operators).map(|number| (number, *rng.one_of(&Mischief::ALONE))).collect()
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operators, byzantine, misled, aggregators, misled_aggregators, .. } = self;
        let Self { old_keys, storms, calm_blocks, .. } = self;
        writeln!(
            f,
            "{operators} operators, byzantine {byzantine:?}, misled {misled:?}, with old keys {old_keys:?}; \
             {aggregators} aggregators, misled {misled_aggregators:?}"
        )?;
        for storm in storms {
            let Storm { blocks, faults, rpc_failure_percent, tx_drop_percent, events, stays_down } = storm;
            writeln!(
                f,
                "storm of {blocks} blocks: {faults:?}, {rpc_failure_percent} % of questions fail, \
                 {tx_drop_percent} % of transactions are forgotten"
            )?;
            for (at, event) in events {
                writeln!(f, "  {:>8.3} s {event:?}", *at as f64 / 1_000.0)?;
            }
            let down = stays_down.map(|who| format!(" without {who}")).unwrap_or_default();
            writeln!(f, "calm of {calm_blocks} blocks{down}")?;
        }
        Ok(())
    }
}
