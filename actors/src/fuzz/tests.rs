//! The same targets without libFuzzer: the corpus, which has whatever was found once, and random changes of it.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use super::{TARGETS, Target};

/// Where the inputs are that are kept for a target.
pub(super) fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../integration/fuzz/corpus").join(target)
}

/// The inputs that are kept for a target, by their names.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = folder(target.name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let name = |file: &Path| format!("{}/{}", target.name, file.file_name().unwrap_or_default().display());
    files.into_iter().map(|file| (name(&file), fs::read(file).unwrap())).collect()
}

/// An input with a few bytes replaced, and perhaps cut off or doubled.
fn changed(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<Index>(), any::<u8>()), 0..8);
    (prop::sample::select(seeds), edits, any::<Index>(), 0..4u8).prop_map(|(mut input, edits, at, how)| {
        for (place, byte) in edits {
            if !input.is_empty() {
                let place = place.index(input.len());
                input[place] = byte;
            }
        }
        match how {
            0 => input.truncate(at.index(input.len() + 1)),
            1 => input.extend_from_within(at.index(input.len() + 1)..),
            _ => {}
        }
        input
    })
}

#[test]
fn every_target_survives_its_corpus() {
    let mut failed = Vec::new();
    for target in TARGETS {
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        failed.extend(
            corpus
                .into_iter()
                .filter(|(_, input)| catch_unwind(|| (target.run)(input)).is_err())
                .map(|(name, _)| name),
        );
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn every_target_survives_what_is_made_of_its_corpus() {
    for target in TARGETS {
        let mut runner = TestRunner::new(Config::with_cases(100));
        let seeds = corpus(target).into_iter().map(|(_, input)| input).collect();
        let inputs = prop_oneof![4 => changed(seeds), 1 => prop::collection::vec(any::<u8>(), 0..512)];
        let ran = runner.run(&inputs, |input| {
            (target.run)(&input);
            Ok(())
        });
        ran.unwrap_or_else(|error| panic!("{}: {error}", target.name));
    }
}

#[test]
fn names_are_of_one_target_each() {
    let names: std::collections::BTreeSet<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names.len(), TARGETS.len());
}
