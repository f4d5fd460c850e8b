//! The same models on both sides of the chain: contracts/test/vectors/models.json, which contracts/test/ModelVectors.t.sol reads.

mod definitions;
mod evaluations;
mod random;

use serde_json::{Map, Value, json};

/// Of a list of objects, for each key the list of its values: Foundry reads a whole list at once, or else the whole file for
/// each value.
fn columns(rows: &[Value]) -> Value {
    let keys = rows.first().and_then(Value::as_object).into_iter().flat_map(Map::keys);
    keys.map(|key| (key.clone(), rows.iter().map(|row| row[key].clone()).collect::<Value>())).collect()
}

#[test]
fn what_the_contracts_are_tested_with_is_what_this_crate_computes() {
    let vectors = json!({
        "accepted": columns(&definitions::accepted()),
        "refused": columns(&definitions::refused()),
        "evaluations": columns(&evaluations::evaluations()),
        "random": columns(&random::evaluations()),
        "feeds": columns(&evaluations::feeds()),
        "fields": columns(&evaluations::fields()),
    });
    crate::vectors::check("models.json", &vectors);
}
