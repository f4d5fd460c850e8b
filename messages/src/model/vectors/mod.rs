//! The same models on both sides of the chain: contracts/test/vectors/models.json, which contracts/test/ModelVectors.t.sol reads.

mod definitions;
mod evaluations;
mod random;

use serde_json::json;

#[test]
fn what_the_contracts_are_tested_with_is_what_this_crate_computes() {
    let vectors = json!({
        "accepted": definitions::accepted(),
        "refused": definitions::refused(),
        "evaluations": evaluations::evaluations(),
        "random": random::evaluations(),
        "feeds": evaluations::feeds(),
        "fields": evaluations::fields(),
    });
    crate::vectors::check("models.json", &vectors);
}
