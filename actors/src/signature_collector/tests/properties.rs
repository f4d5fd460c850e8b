//! Whatever operators do.

use proptest::prelude::*;

use super::*;

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
