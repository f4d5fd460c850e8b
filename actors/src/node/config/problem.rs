//! What is wrong with a configuration.

use std::fmt;

use anzen_deploy::chain::redact;
use figment::error::{Actual, Kind as FigmentKind};

use super::file::FileError;
use super::key::Key;
use super::known::{known_beside, lookup, nearest};
use super::layer::Origin;
use super::shape::Shape;

/// A text longer than this is not repeated whole.
const LONGEST_FOUND: usize = 60;

/// One thing that is wrong. None of them shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting that there is not.
    #[error("unknown setting {key} in {origin}; {}", hint(meant, known))]
    Unknown {
        /// As it is written.
        key: Key,
        /// Where.
        origin: Origin,
        /// The nearest that there are.
        meant: Vec<Key>,
        /// In their absence: where it was looked for, and what is there.
        known: (Key, Vec<&'static str>),
    },
    /// A variable that names no setting.
    #[error("unknown variable {name}; {}", variable_hint(meant))]
    Variable {
        /// Its name.
        name: String,
        /// The nearest that there are.
        meant: Vec<String>,
    },
    /// A value of the wrong kind.
    #[error("{key} in {origin} should be {expected}, and is {found}")]
    Wrong {
        /// The setting.
        key: Key,
        /// Where it is said.
        origin: Origin,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A value that cannot be used; the reason tells what is wanted.
    #[error("{key} in {origin} cannot be used: {reason}")]
    Unusable {
        /// The setting.
        key: Key,
        /// Where it is said.
        origin: Origin,
        /// Why, and what to write instead.
        reason: String,
    },
    /// Something is left out.
    #[error("{key} is missing in {origin}")]
    Missing {
        /// The setting.
        key: Key,
        /// Where the rest is said.
        origin: Origin,
    },
}

impl Problem {
    /// A key that is no setting.
    pub(super) fn unknown(key: Key, origin: Origin) -> Self {
        let (meant, known) = (nearest(&key), known_beside(&key));
        Self::Unknown { key, origin, meant, known }
    }

    /// What figment found wrong with a value.
    pub(super) fn of_value(error: &FigmentKind, key: Key, origin: Origin) -> Self {
        match error {
            FigmentKind::InvalidType(actual, expected) | FigmentKind::InvalidValue(actual, expected) => {
                Self::Wrong { key, origin, expected: in_words(expected), found: shown(actual) }
            }
            FigmentKind::InvalidLength(length, expected) => {
                Self::Wrong { key, origin, expected: in_words(expected), found: format!("{length} of them") }
            }
            FigmentKind::UnknownVariant(found, known) => {
                let expected = format!("one of {}", known.join(", "));
                Self::Wrong { key, origin, expected, found: shown(&Actual::Str(found.clone())) }
            }
            FigmentKind::MissingField(name) => Self::Missing { key: key.join(name), origin },
            other => Self::Unusable { reason: reason(&key, other), key, origin },
        }
    }
}

/// All that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.problems.as_slice() {
            return write!(f, "{one}");
        }
        write!(f, "the configuration has {} mistakes:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

fn hint(meant: &[Key], (section, known): &(Key, Vec<&'static str>)) -> String {
    let meant: Vec<String> = meant.iter().map(Key::to_string).collect();
    match (meant.is_empty(), section.0.is_empty()) {
        (false, _) => format!("did you mean {}?", meant.join(" or ")),
        (true, true) => format!("there are {}", known.join(", ")),
        (true, false) if known.is_empty() => format!("{section} is one value"),
        (true, false) => format!("{section} has {}", known.join(", ")),
    }
}

fn variable_hint(meant: &[String]) -> String {
    if meant.is_empty() {
        return "two underscores stand between a section and a setting, as in ANZEN_CHAIN__RPC_URL; `anzen config show` \
                lists all settings"
            .into();
    }
    format!("did you mean {}?", meant.join(" or "))
}

/// serde's words for a type, in those of a person.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" | "u128" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "path string" => "a path",
        "socket address" => "an address with a port, such as 127.0.0.1:9000",
        "a sequence" => "a list",
        "a map" => "a section",
        other if other.starts_with("struct ") => "a section",
        other => other,
    }
    .to_owned()
}

/// What was found instead; keys in URLs are left out.
fn shown(found: &Actual) -> String {
    match found {
        Actual::Str(text) => {
            let text = redact(text);
            let cut: String = text.chars().take(LONGEST_FOUND).collect();
            if cut.len() < text.len() { format!("the text {cut:?}…") } else { format!("the text {cut:?}") }
        }
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Float(number) => number.to_string(),
        Actual::Bool(truth) => truth.to_string(),
        Actual::Seq => "a list".into(),
        Actual::Map => "a section".into(),
        Actual::Unit | Actual::Option => "empty".into(),
        other => other.to_string(),
    }
}

/// A parser's message, or what the type is, where that says more.
fn reason(key: &Key, error: &FigmentKind) -> String {
    let expected = match lookup(key) {
        Some(Shape::Leaf(leaf)) => in_words(&leaf.expected),
        _ => String::new(),
    };
    match expected.as_str() {
        "" | "a text" | "a value" => redact(&error.to_string()),
        expected => format!("it should be {expected}"),
    }
}
