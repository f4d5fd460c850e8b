//! Plans that seeds stand for. By hand, many more: `just sim --seeds 1000`.

use anzen_integration::sim::{Options, Plan, run};

fn holds(seed: u64) {
    let plan = Plan::of_seed(seed);
    let outcome = run(seed, &plan, Options::default()).unwrap();
    let violation = outcome.violation.map(|violation| violation.to_string());
    assert!(
        violation.is_none(),
        "seed {seed}: {}\n{plan}{}\nto see it again: just sim --seeds 1 --first-seed {seed} --trace",
        violation.unwrap_or_default(),
        outcome.log.join("\n"),
    );
}

#[test]
fn thirty_seeds() {
    (1..=30).for_each(holds);
}
