//! What a configuration may be, for `just fuzz`.

use std::path::Path;

use super::file::Document;
use super::layer::{Flag, Layer};
use super::load::{Loaded, extract};
use super::problem::ConfigError;
use super::variables::PREFIX;
use crate::fuzz::lines;

/// A file of TOML or YAML, or variables, or flags: the first byte tells which. What can be used can be shown, and what is wrong
/// told.
pub(crate) fn config(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut problems = Vec::new();
    let layer = match which % 4 {
        0 => file(Path::new("node.toml"), text, &mut problems),
        1 => file(Path::new("node.yaml"), text, &mut problems),
        2 => {
            let named = |(name, value): (&str, &str)| (format!("{PREFIX}{name}"), value.to_owned());
            Some(Layer::variables(pairs(text).map(named), &mut problems))
        }
        _ => {
            let flag = |(key, value): (&str, &str)| Flag {
                name: "--x".into(),
                key: key.into(),
                value: value.into(),
            };
            let flags: Vec<Flag> = pairs(text).map(flag).collect();
            Some(Layer::flags(&flags, &mut problems))
        }
    };
    let layers: Vec<Layer> = [Layer::defaults()].into_iter().chain(layer).collect();
    match extract(layers.clone(), &mut problems) {
        Some(config) => assert!(!Loaded { config, layers }.settings().is_empty()),
        None => assert!(!problems.is_empty(), "refused without a reason"),
    }
    drop(ConfigError { problems }.to_string());
}

fn file(path: &Path, text: &str, problems: &mut Vec<super::Problem>) -> Option<Layer> {
    match Document::parse(path, text) {
        Ok(document) => Some(Layer::of_file(path, document, problems).anchored(Path::new("/etc/anzen"))),
        Err(error) => {
            problems.push(error.into());
            None
        }
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    lines(text.as_bytes()).filter_map(|line| line.split_once('='))
}
