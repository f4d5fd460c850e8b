//! The samples in deploy/samples/: what they set is known, and what they say is the default is it.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::Serialized;
use figment::value::{Dict, Value};

use super::file::Document;
use super::known::{lookup, settings, unknown};
use super::*;

fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples");
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let mut all: Vec<PathBuf> = inside(&root).iter().flat_map(|network| inside(network)).collect();
    all.sort();
    all
}

/// True for a line that is a setting, or a section, behind a comment's mark.
fn is_commented_out(line: &str) -> bool {
    let Some(text) = line.strip_prefix("# ") else { return false };
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || "_-.".contains(c));
    match text.split_once(" = ") {
        Some((name, _)) => is_name(name),
        None => text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).is_some_and(is_name),
    }
}

/// What a sample says with every setting that it has in a comment.
fn in_full(text: &str) -> Dict {
    let line = |line: &str| if is_commented_out(line) { line[2..].to_owned() } else { line.to_owned() };
    let text: Vec<String> = text.lines().map(line).collect();
    toml::from_str(&text.join("\n")).unwrap()
}

fn leaves(values: &Dict, at: &Key, all: &mut Vec<(Key, Value)>) {
    for (name, value) in values {
        let key = at.join(name);
        match (lookup(&key), value) {
            (Some(shape::Shape::Section(_)), Value::Dict(_, inner)) => leaves(inner, &key, all),
            _ => all.push((key, value.clone())),
        }
    }
}

fn said(values: &Dict) -> Vec<(Key, Value)> {
    let mut all = Vec::new();
    leaves(values, &Key::default(), &mut all);
    all
}

#[test]
fn every_network_has_an_aggregator_an_operator_and_a_challenger() {
    let all = samples();
    for network in ["anvil", "sepolia", "hoodi"] {
        for role in ["aggregator.toml", "operator.toml", "challenger.toml"] {
            assert!(all.iter().any(|path| path.ends_with(format!("{network}/{role}"))), "{network}/{role}");
        }
    }
    assert!(all.iter().any(|path| path.extension().is_some_and(|ending| ending == "yaml")));
}

#[test]
fn every_sample_is_a_configuration_of_its_role() {
    for path in samples() {
        let loaded = Sources { file: Some(path.clone()), ..Default::default() }.load();
        let mut loaded = loaded.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (command, roles): (_, &[ActorName]) = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("operator") => ("operator", &ActorName::OPERATOR),
            Some("challenger") => ("challenger", &ActorName::CHALLENGER),
            _ => ("aggregator", &ActorName::AGGREGATOR),
        };
        loaded.config.run_as(command, roles).unwrap();
        // Its files are the reader's to make; everything else is there.
        let wrong = loaded.check();
        let is_file =
            |error: &CheckError| matches!(error, CheckError::File { .. } | CheckError::Addresses(_));
        assert!(wrong.iter().all(is_file), "{}: {wrong:#?}", path.display());
    }
}

#[test]
fn what_a_sample_has_in_a_comment_is_known_and_the_default() {
    let defaults: Dict = Figment::from(Serialized::defaults(NodeConfig::default())).extract().unwrap();
    let defaults: Vec<(Key, Value)> = said(&defaults);
    for path in samples().iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let text = std::fs::read_to_string(path).unwrap();
        let full = in_full(&text);
        assert_eq!(unknown(&full), [], "{}", path.display());
        let set = said(&Document::read(path).unwrap().values);
        for (key, value) in said(&full) {
            let is_set = set.iter().any(|(other, _)| *other == key);
            let default = defaults.iter().find(|(other, _)| *other == key).map(|(_, value)| value);
            // What has no default has an example.
            let has_none = default.is_none_or(|value| matches!(value, Value::Empty(..)))
                || matches!(lookup(&key), Some(shape::Shape::Map { .. }));
            let same = default.is_some_and(|default| json(default) == json(&value));
            assert!(is_set || has_none || same, "{}: {key} = {value:?}, not {default:?}", path.display());
        }
    }
}

#[test]
fn every_setting_is_in_a_sample() {
    let texts = samples().into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let full: Vec<Dict> = texts.map(|path| in_full(&std::fs::read_to_string(path).unwrap())).collect();
    let named: Vec<Key> = full.iter().flat_map(said).map(|(key, _)| key).collect();
    // Which of the two commands is run says which roles.
    let missing = settings().into_iter().filter(|key| !named.contains(key) && key.to_string() != "roles");
    let missing: Vec<String> = missing.map(|key| key.to_string()).collect();
    assert_eq!(missing, [""; 0], "describe them in deploy/samples/");
}

/// In JSON, numbers of different widths are the same number.
fn json(value: &Value) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}
