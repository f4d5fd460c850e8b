//! docs/models.md says what is true: its example is a model of the hash that it tells, and its tables are complete.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::path::Path;

use alloy_primitives::I256;
use anzen_messages::model::Model;
use anzen_messages::model::NoAnswer;

fn doc() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/models.md")).unwrap()
}

fn example(doc: &str) -> &str {
    doc.split_once("```json\n").unwrap().1.split_once("```").unwrap().0
}

#[test]
fn the_example_has_the_hash_that_the_text_tells() {
    let doc = doc();
    let model: Model = serde_json::from_str(example(&doc)).unwrap();
    assert!(model.is_provable());
    assert!(doc.contains(&format!("`{}`", model.hash())), "the hash is {}", model.hash());
    assert_eq!(Model::decode(&model.encode()), Ok(model));
}

#[test]
fn what_a_file_must_not_have_is_refused() {
    let doc = doc();
    let refused = |from: &str, to: &str| {
        let changed = example(&doc).replacen(from, to, 1);
        assert_ne!(changed, example(&doc), "{from}");
        serde_json::from_str::<Model>(&changed).unwrap_err().to_string()
    };
    assert!(refused("\"terms\"", "\"name\": 1, \"terms\"").contains("unknown field `name`"));
    assert!(refused("\"side\"", "\"weight\": 1, \"side\"").contains("unknown field `weight`"));
    assert!(refused("\"phaseId\"", "\"phase\"").contains("unknown field `phase`"));
    assert!(refused("\"expected\"", "\"value\"").contains("unknown field `value`"));
    assert!(refused("quorumStake", "quorumstake").contains("unknown variant `quorumstake`"));
    assert!(refused("\"100000000\"", "100000000").contains("expected a"), "no JSON number");
    for text in ["", "0x10", "-1", "1.0", "+1", "1e9", " 1"] {
        let reason = refused("\"100000000\"", &format!("{text:?}"));
        assert!(reason.contains("a constant is a decimal uint256 in a string"), "{text}: {reason}");
    }
    let too_large = format!("{:?}", "9".repeat(78));
    assert!(refused("\"100000000\"", &too_large).contains("does not fit a uint256"));
    assert!(refused("3333", "0").contains("the share of term 0 is 0 bps; choose 1 to 10000"));
}

#[test]
fn every_outcome_has_a_row() {
    let doc = doc();
    let reasons = [
        NoAnswer::NoRound,
        NoAnswer::StaleFeed,
        NoAnswer::NoPrice(I256::ZERO),
        NoAnswer::GuardMismatch,
        NoAnswer::CallFailed,
        NoAnswer::NoCost,
        NoAnswer::Overflow,
    ];
    for (number, reason) in (1..).zip(reasons) {
        assert_eq!(reason.outcome(), number);
        let name = format!("{reason:?}");
        let name = name.split('(').next().unwrap();
        assert!(doc.contains(&format!("| `{name}` |")), "{name}");
    }
}
