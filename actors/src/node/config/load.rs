//! Putting the sources together: defaults, then a file, then variables, then flags.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::value::Value;
use serde::Serialize;

use super::NodeConfig;
use super::key::Key;
use super::known::settings;
use super::layer::{Flag, Layer, Origin};
use super::limits;
use super::problem::{ConfigError, Problem};

/// Where settings are looked for.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The environment, of which the variables are taken that begin with `ANZEN_`.
    pub variables: Vec<(String, String)>,
    /// What flags say.
    pub flags: Vec<Flag>,
}

/// A configuration, and where it is from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What holds.
    pub config: NodeConfig,
    /// Each over those before it; the first are the defaults.
    pub(super) layers: Vec<Layer>,
}

/// A setting, its value and where that is from.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// Its name.
    #[serde(serialize_with = "as_text")]
    pub key: Key,
    /// Its value, without the keys that URLs carry.
    pub value: serde_json::Value,
    /// Who says so.
    pub from: Origin,
}

impl Setting {
    /// True where a file, a variable or a flag says what it is.
    pub fn is_said(&self) -> bool {
        self.from != Origin::Default
    }
}

impl Sources {
    /// The environment of this process, a file and flags.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let variables = std::env::vars_os();
        let texts =
            variables.filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        Self { file, variables: texts.collect(), flags }
    }

    /// Puts them together.
    ///
    /// # Errors
    /// All that is wrong: a setting that there is not, a value that cannot be used, a file that cannot be read.
    pub fn load(self) -> Result<Loaded, ConfigError> {
        let mut problems = Vec::new();
        let layers = self.layers(&mut problems);
        let config = extract(layers.clone(), &mut problems);
        match config {
            Some(config) if problems.is_empty() => Ok(Loaded { config, layers }),
            _ => Err(ConfigError { problems }),
        }
    }

    fn layers(self, problems: &mut Vec<Problem>) -> Vec<Layer> {
        let mut layers = Vec::new();
        if let Some(path) = &self.file {
            // Where somebody wrote `keys/bls.json`, that is beside the file, wherever the process was started.
            let folder = path.parent().unwrap_or(Path::new(""));
            layers.push(Layer::defaults().anchored(folder));
            match Layer::file(path, problems) {
                Ok(layer) => layers.push(layer.anchored(folder)),
                Err(error) => problems.push(error.into()),
            }
        } else {
            layers.push(Layer::defaults());
        }
        layers.push(Layer::variables(self.variables, problems));
        layers.push(Layer::flags(&self.flags, problems));
        layers
    }
}

impl Loaded {
    /// Who says what a setting is.
    pub fn origin(&self, key: &Key) -> Origin {
        origin(&self.layers, key)
    }

    /// Every setting.
    pub fn settings(&self) -> Vec<Setting> {
        let all = serde_json::to_value(&self.config).unwrap_or_default();
        let setting = |key: Key| {
            let value = key.0.iter().fold(&all, |value, part| &value[part]);
            Setting { value: without_secrets(value.clone()), from: self.origin(&key), key }
        };
        settings().into_iter().map(setting).collect()
    }
}

fn as_text<S: serde::Serializer>(key: &Key, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

/// Providers of nodes put an account's key into a URL.
fn without_secrets(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(text) => String(anzen_deploy::chain::redact(&text)),
        Array(items) => Array(items.into_iter().map(without_secrets).collect()),
        Object(entries) => {
            Object(entries.into_iter().map(|(name, value)| (name, without_secrets(value))).collect())
        }
        other => other,
    }
}

fn origin(layers: &[Layer], key: &Key) -> Origin {
    layers.iter().rev().find_map(|layer| layer.origin(key)).unwrap_or(Origin::Default)
}

/// Reads the values. One that cannot be used is noted and left out, so that the next one is found as well.
pub(super) fn extract(mut layers: Vec<Layer>, problems: &mut Vec<Problem>) -> Option<NodeConfig> {
    loop {
        let figment = layers.iter().fold(Figment::new(), |figment, layer| layer.over(figment));
        let errors = match figment.extract::<NodeConfig>() {
            Ok(config) => {
                limits(&config, &layers, problems);
                return Some(config);
            }
            Err(errors) => errors,
        };
        for error in errors {
            let key = Key(error.path);
            let from = origin(&layers, &key);
            problems.push(Problem::of_value(&error.kind, key.clone(), from.clone()));
            let layer = layers.iter_mut().skip(1).rev().find(|layer| layer.value(&key).is_some());
            // Nobody but the defaults: that is a mistake in the program, and there is no use in going on.
            layer?.forget(&key.setting());
        }
    }
}

/// Notes the numbers that are too small or too large.
fn limits(config: &NodeConfig, layers: &[Layer], problems: &mut Vec<Problem>) {
    let Ok(values) = Value::serialize(config) else { return };
    for (key, range) in limits::all() {
        let path = key.0.join(".");
        let Some(number) = values.find_ref(&path).and_then(Value::to_u128) else { continue };
        if !range.contains(&number) {
            let (expected, found) = (limits::in_words(&range), number.to_string());
            let origin = origin(layers, &key);
            problems.push(Problem::Wrong { key, origin, expected, found });
        }
    }
}
