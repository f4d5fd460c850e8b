//! One source of settings: the defaults, a file, the variables, the flags.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use figment::providers::Serialized;
use figment::value::{Dict, Value};
use figment::{Figment, Profile};
use serde::Serialize;

use super::NodeConfig;
use super::file::{Document, FileError};
use super::key::Key;
use super::known::{SETTINGS, lookup, unknown};
use super::problem::Problem;
use super::shape::{Kind, Leaf, Shape};
use super::variables::{PREFIX, Stranger, own_variables, stranger};

/// Where the value of a setting is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Origin {
    /// Nobody says anything else.
    Default,
    /// The configuration file.
    File {
        /// Which.
        path: PathBuf,
        /// In which line, from 1, where that is known.
        line: Option<usize>,
    },
    /// A variable of the environment.
    Variable {
        /// Its name.
        name: String,
    },
    /// A flag of the command.
    Flag {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable { name } | Self::Flag { name } => f.write_str(name),
        }
    }
}

/// A setting that a flag gives, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag: `--rpc-url`.
    pub name: String,
    /// The setting: `chain.rpc_url`.
    pub key: String,
    /// The value, as a variable would give it.
    pub value: String,
}

/// One source.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    values: Dict,
    origins: BTreeMap<Key, Origin>,
}

impl Layer {
    /// What holds where nobody says anything.
    pub(super) fn defaults() -> Self {
        let values = Figment::from(Serialized::defaults(NodeConfig::default())).extract::<Dict>();
        // A configuration can always be written down; a test sees to it.
        Self { values: values.unwrap_or_default(), origins: BTreeMap::new() }
    }

    /// A configuration file.
    pub(super) fn file(path: &Path, problems: &mut Vec<Problem>) -> Result<Self, FileError> {
        Ok(Self::of_file(path, Document::read(path)?, problems))
    }

    /// What a configuration file says.
    pub(super) fn of_file(path: &Path, document: Document, problems: &mut Vec<Problem>) -> Self {
        let Document { values, lines } = document;
        let origin = |line| Origin::File { path: path.to_owned(), line };
        let mut origins: BTreeMap<Key, Origin> =
            lines.into_iter().map(|(key, line)| (key, origin(Some(line)))).collect();
        origins.insert(Key::default(), origin(None));
        let mut layer = Self { values, origins };
        layer.drop_unknown(problems);
        layer
    }

    /// The variables that name settings.
    pub(super) fn variables(
        all: impl IntoIterator<Item = (String, String)>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut layer = Self { values: Dict::new(), origins: BTreeMap::new() };
        for (name, text) in all {
            let Some(setting) = name.strip_prefix(PREFIX) else { continue };
            // An empty variable is how a compose file leaves one out.
            if text.is_empty() || own_variables().any(|own| own == name) {
                continue;
            }
            let key = in_kebab_case(Key::of_variable(setting));
            match (lookup(&key), stranger(&name)) {
                (Some(shape), _) => {
                    layer.set(&key, parse(shape, &text), Origin::Variable { name: name.clone() });
                }
                (None, Stranger::Misspelt(meant)) => problems.push(Problem::Variable { name, meant }),
                (None, Stranger::NotOurs) => {}
            }
        }
        layer.drop_unknown(problems);
        layer
    }

    /// The flags.
    pub(super) fn flags(all: &[Flag], problems: &mut Vec<Problem>) -> Self {
        let mut layer = Self { values: Dict::new(), origins: BTreeMap::new() };
        for Flag { name, key, value } in all {
            let (key, origin) = (Key::dotted(key), Origin::Flag { name: name.clone() });
            match lookup(&key) {
                Some(shape) => layer.set(&key, parse(shape, value), origin),
                None => problems.push(Problem::unknown(key, origin)),
            }
        }
        layer.drop_unknown(problems);
        layer
    }

    /// Has relative paths start in `folder`.
    pub(super) fn anchored(mut self, folder: &Path) -> Self {
        anchor(&SETTINGS, self.values.iter_mut(), folder);
        self
    }

    /// The configuration with what this says over it.
    pub(super) fn over(&self, figment: Figment) -> Figment {
        figment.merge(Serialized::from(&self.values, Profile::Default))
    }

    /// Where this says so, if it says anything of that setting, or of what it is in.
    pub(super) fn origin(&self, key: &Key) -> Option<Origin> {
        self.value(key)?;
        let mut parts = key.0.as_slice();
        loop {
            if let Some(origin) = self.origins.get(&Key(parts.to_vec())) {
                return Some(origin.clone());
            }
            let Some((_, shorter)) = parts.split_last() else { return Some(Origin::Default) };
            parts = shorter;
        }
    }

    /// What this says of a setting.
    pub(super) fn value(&self, key: &Key) -> Option<&Value> {
        let (first, rest) = key.0.split_first()?;
        rest.iter().try_fold(self.values.get(first)?, |value, part| match value {
            Value::Dict(_, values) => values.get(part),
            Value::Array(_, values) => values.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Takes a setting out.
    pub(super) fn forget(&mut self, key: &Key) {
        fn remove(values: &mut Dict, key: &[String]) {
            let Some((first, rest)) = key.split_first() else { return };
            match (rest.is_empty(), values.get_mut(first)) {
                (false, Some(value)) => enter(value, rest),
                _ => drop(values.remove(first)),
            }
        }
        fn enter(value: &mut Value, key: &[String]) {
            match value {
                Value::Dict(_, values) => remove(values, key),
                Value::Array(_, items) => {
                    let Some((place, rest)) = key.split_first() else { return };
                    let item = place.parse::<usize>().ok().and_then(|place| items.get_mut(place));
                    item.into_iter().for_each(|item| enter(item, rest));
                }
                _ => {}
            }
        }
        remove(&mut self.values, &key.0);
    }

    fn set(&mut self, key: &Key, value: Value, origin: Origin) {
        fn insert(values: &mut Dict, key: &[String], value: Value) {
            let Some((first, rest)) = key.split_first() else { return };
            if rest.is_empty() {
                values.insert(first.clone(), value);
                return;
            }
            let inner = values.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
        insert(&mut self.values, &key.0, value);
        self.origins.insert(key.clone(), origin);
    }

    fn drop_unknown(&mut self, problems: &mut Vec<Problem>) {
        for key in unknown(&self.values) {
            let origin = self.origin(&key).unwrap_or(Origin::Default);
            self.forget(&key);
            problems.push(Problem::unknown(key, origin));
        }
    }
}

/// The value that a text is, for such a setting. What is to be a text is taken as it is, whatever it looks like.
fn parse(shape: &Shape, text: &str) -> Value {
    let as_figment_reads = |text: &str| text.parse::<Value>().unwrap_or_else(|never| match never {});
    match shape {
        Shape::Leaf(Leaf { kind: Kind::Text | Kind::Path | Kind::Choice(_), .. }) => Value::from(text),
        // `a,b` is `[a,b]`.
        Shape::List(_) if !text.trim_start().starts_with('[') => as_figment_reads(&format!("[{text}]")),
        _ => as_figment_reads(text),
    }
}

/// A shell's variables have no hyphen: `LINKS__TO__TX_SENDER` is `links.to.tx-sender`.
fn in_kebab_case(key: Key) -> Key {
    if lookup(&key).is_some() {
        return key;
    }
    let hyphens = Key(match key.0.split_last() {
        Some((last, section)) => [section, &[last.replace('_', "-")]].concat(),
        None => Vec::new(),
    });
    if lookup(&hyphens).is_some() { hyphens } else { key }
}

fn anchor<'v>(shape: &Shape, inside: impl Iterator<Item = (&'v String, &'v mut Value)>, folder: &Path) {
    for (name, value) in inside {
        if let Some(child) = shape.child(name) {
            anchor_value(child, value, folder);
        }
    }
}

fn anchor_value(shape: &Shape, value: &mut Value, folder: &Path) {
    match (shape, value) {
        (Shape::Leaf(Leaf { kind: Kind::Path, .. }), Value::String(_, path)) => {
            // Joining leaves an absolute path as it is.
            *path = folder.join(&*path).display().to_string();
        }
        (Shape::List(of), Value::Array(_, items)) => {
            items.iter_mut().for_each(|item| anchor_value(of, item, folder));
        }
        (Shape::Section(_) | Shape::Map { .. }, Value::Dict(_, values)) => {
            anchor(shape, values.iter_mut(), folder);
        }
        _ => {}
    }
}
