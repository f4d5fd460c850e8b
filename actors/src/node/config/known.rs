//! The settings that there are, and the one that somebody meant.

use std::sync::LazyLock;

use figment::value::{Dict, Value};

use super::NodeConfig;
use super::key::Key;
use super::shape::Shape;

/// More suggestions than this are of no help.
const MOST_SUGGESTIONS: usize = 3;

/// All settings.
pub(super) static SETTINGS: LazyLock<Shape> = LazyLock::new(Shape::of::<NodeConfig>);

/// The shape of a setting or section, where there is one of that name.
pub(super) fn lookup(key: &Key) -> Option<&'static Shape> {
    key.0.iter().try_fold(&*SETTINGS, |shape, part| shape.child(part))
}

/// Every setting, in the order of the alphabet; a list or a map is one setting.
pub(super) fn settings() -> Vec<Key> {
    fn collect(shape: &Shape, at: &Key, all: &mut Vec<Key>) {
        let Shape::Section(fields) = shape else { return all.push(at.clone()) };
        fields.iter().for_each(|(name, field)| collect(field, &at.join(name), all));
    }
    let mut all = Vec::new();
    collect(&SETTINGS, &Key::default(), &mut all);
    all
}

/// The keys of a layer that are no settings, at any depth.
pub(super) fn unknown(values: &Dict) -> Vec<Key> {
    fn enter(shape: &Shape, name: &str, value: &Value, at: &Key, out: &mut Vec<Key>) {
        let key = at.join(name);
        match (shape.child(name), value) {
            (None, _) => out.push(key),
            (Some(child @ (Shape::Section(_) | Shape::Map { .. })), Value::Dict(_, values)) => {
                values.iter().for_each(|(name, value)| enter(child, name, value, &key, out));
            }
            (Some(child @ Shape::List(_)), Value::Array(_, values)) => {
                let items = values.iter().enumerate();
                items.for_each(|(place, value)| enter(child, &place.to_string(), value, &key, out));
            }
            // What has the wrong shape is told when the value is read.
            (Some(_), _) => {}
        }
    }
    let mut out = Vec::new();
    values.iter().for_each(|(name, value)| enter(&SETTINGS, name, value, &Key::default(), &mut out));
    out
}

/// The settings that somebody may have meant who wrote a key that is none; the nearest, or none.
pub(super) fn nearest(key: &Key) -> Vec<Key> {
    let all = every_name();
    let mut found = best(&all, |known| (letters(known) == letters(key)).then_some(0));
    if found.is_empty() {
        found = nearest_in_its_section(key);
    }
    if found.is_empty() {
        found = best(&all, |known| distance(known.last(), key.last()));
    }
    // Where many settings of that name exist, none of them is the nearest.
    if found.len() > MOST_SUGGESTIONS { Vec::new() } else { found }
}

/// The names that are known where the first wrong part of the key stands.
pub(super) fn known_beside(key: &Key) -> (Key, Vec<&'static str>) {
    let (section, shape) = section_of(key);
    (section, shape.names())
}

/// The deepest section that the key leads to.
fn section_of(key: &Key) -> (Key, &'static Shape) {
    let mut at: (Key, &'static Shape) = (Key::default(), &SETTINGS);
    for part in &key.0 {
        let Some(child) = at.1.child(part) else { break };
        at = (at.0.join(part), child);
    }
    at
}

fn nearest_in_its_section(key: &Key) -> Vec<Key> {
    let (section, shape) = section_of(key);
    let Some((wrong, rest)) = key.0[section.0.len()..].split_first() else { return Vec::new() };
    let names: Vec<Key> = shape.names().into_iter().map(|name| section.join(name)).collect();
    let whole = |known: Key| {
        let whole = Key(known.0.iter().chain(rest).cloned().collect());
        if lookup(&whole).is_some() { whole } else { known }
    };
    best(&names, |known| distance(known.last(), wrong)).into_iter().map(whole).collect()
}

/// Those with the least distance, of those that have one.
fn best(names: &[Key], distance: impl Fn(&Key) -> Option<usize>) -> Vec<Key> {
    let near: Vec<(usize, &Key)> = names.iter().filter_map(|name| Some((distance(name)?, name))).collect();
    let least = near.iter().map(|(distance, _)| *distance).min();
    near.into_iter().filter(|(distance, _)| Some(*distance) == least).map(|(_, name)| name.clone()).collect()
}

/// How many letters are wrong, where one name can be meant by the other: a quarter may be, or one.
fn distance(known: &str, written: &str) -> Option<usize> {
    let most = (known.chars().count().min(written.chars().count()) / 4).max(1);
    let distance = strsim::damerau_levenshtein(known, written);
    (distance <= most).then_some(distance)
}

/// A key without what separates its words: `chain_rpc_url` is meant to be `chain.rpc_url`.
pub(super) fn letters(key: &Key) -> String {
    key.0.concat().chars().filter(|c| !matches!(c, '_' | '-' | '.')).collect::<String>().to_lowercase()
}

/// Settings and sections.
pub(super) fn every_name() -> Vec<Key> {
    fn collect(shape: &Shape, at: &Key, all: &mut Vec<Key>) {
        let Shape::Section(fields) = shape else { return };
        for (name, field) in fields {
            all.push(at.join(name));
            collect(field, &at.join(name), all);
        }
    }
    let mut all = Vec::new();
    collect(&SETTINGS, &Key::default(), &mut all);
    all
}
