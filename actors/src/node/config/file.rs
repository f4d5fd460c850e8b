//! Configuration files: TOML or YAML, with the line of each setting.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::Key;

/// Why a file is no configuration. What the file says is not repeated: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("there is no configuration file {0}; give the path of one with --config")]
    Missing(PathBuf),
    /// The name does not tell what it is.
    #[error(
        "{0} does not end in .toml, .yaml or .yml; the ending says what a configuration file is written in"
    )]
    Ending(PathBuf),
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// It is not TOML, or YAML.
    #[error("{path}:{line} is not {language}: {error}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What it should be.
        language: &'static str,
        /// What is wrong.
        error: String,
    },
}

/// How much aliases of YAML may repeat, in keys, values and brackets: those of aliases multiply.
const MOST_REPEATED: usize = 1_000;

/// What a file says, and in which line.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) values: Dict,
    pub(super) lines: BTreeMap<Key, usize>,
}

impl Document {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => FileError::Missing(path.to_owned()),
            _ => FileError::Unreadable { path: path.to_owned(), error: error.to_string() },
        })?;
        Self::parse(path, &text)
    }

    /// What a file says that has this text, in the language that its name ends in.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let parse = match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => Self::toml,
            Some("yaml" | "yml") => Self::yaml,
            _ => return Err(FileError::Ending(path.to_owned())),
        };
        parse(text).map_err(|Malformed { line, language, error }| FileError::Malformed {
            path: path.to_owned(),
            line,
            language,
            error,
        })
    }

    fn toml(text: &str) -> Result<Self, Malformed> {
        let line = |at: usize| line_of(text, at);
        let table = DeTable::parse(text).map_err(|error| Malformed {
            line: line(error.span().map_or(0, |span| span.start)),
            language: "TOML",
            error: error.message().to_owned(),
        })?;
        let mut document = Self::default();
        document.values = document.toml_table(table.get_ref(), &Key::default(), &line);
        Ok(document)
    }

    fn toml_table(&mut self, table: &DeTable<'_>, at: &Key, line: &impl Fn(usize) -> usize) -> Dict {
        let entry = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            let key = at.join(name);
            (name.to_string(), self.toml_value(value, &key, line))
        };
        let lines: Vec<(Key, usize)> =
            table.keys().map(|name| (at.join(name.get_ref()), line(name.span().start))).collect();
        let dict = table.iter().map(entry).collect();
        self.lines.extend(lines);
        dict
    }

    fn toml_value(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        at: &Key,
        line: &impl Fn(usize) -> usize,
    ) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::from(text.to_string()),
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Integer(number) => {
                let parsed = i128::from_str_radix(number.as_str(), number.radix());
                parsed.map_or_else(|_| Value::from(number.to_string()), number_value)
            }
            DeValue::Float(number) => {
                number.as_str().parse::<f64>().map_or_else(|_| Value::from(number.to_string()), Value::from)
            }
            DeValue::Datetime(time) => Value::from(time.to_string()),
            DeValue::Array(items) => {
                let mut all = Vec::new();
                for (place, item) in items.iter().enumerate() {
                    let key = at.join(&place.to_string());
                    self.lines.insert(key.clone(), line(item.span().start));
                    all.push(self.toml_value(item, &key, line));
                }
                Value::from(all)
            }
            DeValue::Table(table) => Value::from(self.toml_table(table, at, line)),
        }
    }

    fn yaml(text: &str) -> Result<Self, Malformed> {
        // A file of comments alone says nothing.
        let mut options = serde_saphyr::Options::default();
        options.alias_limits.max_total_replayed_events = MOST_REPEATED;
        let root: Option<Yaml> =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| Malformed {
                line: error.location().map_or(1, |at| usize::try_from(at.line()).unwrap_or_default()),
                language: "YAML",
                error: without_place(&error.without_snippet().to_string()),
            })?;
        let mut document = Self::default();
        match root {
            None => {}
            Some(Yaml::Map(entries)) => document.values = document.yaml_map(entries, &Key::default()),
            Some(_) => {
                let error = "it should be settings, each as `name: value`".into();
                return Err(Malformed { line: 1, language: "YAML", error });
            }
        }
        Ok(document)
    }

    fn yaml_map(&mut self, entries: Vec<(serde_saphyr::Spanned<String>, Yaml)>, at: &Key) -> Dict {
        let mut dict = Dict::new();
        for (name, value) in entries {
            let key = at.join(&name.value);
            self.lines.insert(key.clone(), usize::try_from(name.referenced.line()).unwrap_or_default());
            dict.insert(name.value, self.yaml_value(value, &key));
        }
        dict
    }

    fn yaml_value(&mut self, value: Yaml, at: &Key) -> Value {
        match value {
            Yaml::Leaf(value) => value,
            Yaml::Map(entries) => Value::from(self.yaml_map(entries, at)),
            Yaml::List(items) => {
                let item = |(place, item): (usize, Yaml)| self.yaml_value(item, &at.join(&place.to_string()));
                Value::from(items.into_iter().enumerate().map(item).collect::<Vec<_>>())
            }
        }
    }
}

#[derive(Debug)]
struct Malformed {
    line: usize,
    language: &'static str,
    error: String,
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// The first line of the library's message, less the place, which is told in our own way.
fn without_place(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.split(" at line ").next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn number_value(number: i128) -> Value {
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(natural), _) => Value::from(natural),
        (Err(_), Ok(negative)) => Value::from(negative),
        (Err(_), Err(_)) => Value::from(number),
    }
}

/// YAML, with the places of its keys.
enum Yaml {
    Map(Vec<(serde_saphyr::Spanned<String>, Yaml)>),
    List(Vec<Yaml>),
    Leaf(Value),
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

macro_rules! leaves {
    ($($method:ident($value:ty))*) => {$(
        fn $method<E>(self, value: $value) -> Result<Yaml, E> {
            Ok(Yaml::Leaf(value.into()))
        }
    )*};
}

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    leaves! { visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128) visit_f64(f64) visit_str(&str) }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Yaml, E> {
        Ok(Yaml::Leaf(figment::value::Empty::Unit.into()))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Yaml, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Yaml, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Yaml::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Yaml, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = entries.next_key()? {
            all.push((name, entries.next_value()?));
        }
        Ok(Yaml::Map(all))
    }
}
