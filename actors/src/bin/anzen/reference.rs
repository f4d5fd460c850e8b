//! Keeps docs/cli.md true: it is compared with the commands that there are.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Command, CommandFactory};

const TEXT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md"));
/// Of clap's own making.
const GIVEN: [&str; 2] = ["--help", "--version"];

/// Every command that does something and is shown, with its long flags.
fn commands() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    collect(&crate::Cli::command(), "", &BTreeSet::new(), &mut found);
    found
}

fn collect(
    command: &Command,
    above: &str,
    global: &BTreeSet<String>,
    found: &mut BTreeMap<String, BTreeSet<String>>,
) {
    let name = format!("{above} {}", command.get_name()).trim().to_owned();
    let flag = |argument: &clap::Arg| argument.get_long().map(|long| format!("--{long}"));
    let mut flags = global.clone();
    flags.extend(command.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(flag));
    let mut inherited = global.clone();
    inherited.extend(command.get_arguments().filter(|argument| argument.is_global_set()).filter_map(flag));
    if !command.is_subcommand_required_set() {
        found.insert(name.clone(), flags);
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        collect(below, &name, &inherited, found);
    }
}

/// The sections of the reference: the command in each heading, and the flags in the text below it. A line of an example
/// belongs to the command that it runs.
fn sections() -> BTreeMap<String, BTreeSet<String>> {
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut current, mut examples) = (None, Vec::new());
    for line in TEXT.lines() {
        if line.starts_with("## ") {
            current = line.split('`').nth(1).map(str::to_owned);
            if let Some(name) = &current {
                assert!(sections.insert(name.clone(), BTreeSet::new()).is_none(), "{name} has two sections");
            }
        } else if line.starts_with("anzen ") {
            examples.push(line);
        } else if let Some(flags) = current.as_ref().and_then(|name| sections.get_mut(name)) {
            flags.extend(flags_in(line));
        }
    }
    for example in examples {
        let runs = |name: &&String| format!("{example} ").starts_with(&format!("{name} "));
        let name = sections.keys().filter(runs).max_by_key(|name| name.len()).cloned();
        let flags = name.and_then(|name| sections.get_mut(&name));
        flags.expect("an example runs a command").extend(flags_in(example));
    }
    sections
}

fn flags_in(line: &str) -> impl Iterator<Item = String> + '_ {
    let is_of_flag = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let words = line.split(move |c: char| !is_of_flag(c));
    words.filter(|word| word.len() > 3 && word.starts_with("--")).map(str::to_owned)
}

#[test]
fn every_command_has_its_section_and_no_other_does() {
    let (commands, sections) = (commands(), sections());
    let missing: Vec<_> =
        commands.keys().filter(|name| *name != "anzen" && !sections.contains_key(*name)).collect();
    assert!(missing.is_empty(), "docs/cli.md has no section about {missing:?}");
    let unknown: Vec<_> = sections.keys().filter(|name| !commands.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "docs/cli.md tells of {unknown:?}, which are no commands");
}

#[test]
fn every_flag_is_told_of_where_it_belongs_and_no_other_is() {
    let everywhere: BTreeSet<String> = flags_in(general()).collect();
    let commands = commands();
    for (name, told) in sections() {
        let Some(known) = commands.get(&name) else { continue };
        let unknown: Vec<_> =
            told.iter().filter(|flag| !known.contains(*flag) && !GIVEN.contains(&flag.as_str())).collect();
        assert!(unknown.is_empty(), "docs/cli.md: {name} has no {unknown:?}");
        let missing: Vec<_> =
            known.iter().filter(|flag| !told.contains(*flag) && !everywhere.contains(*flag)).collect();
        assert!(missing.is_empty(), "docs/cli.md: {name} has {missing:?} too");
    }
}

/// What stands before the first command: flags that are told of once for all.
fn general() -> &'static str {
    TEXT.split_once("\n## `anzen").map_or(TEXT, |(general, _)| general)
}
