//! Every command of every guide is executed, as a reader would.

use std::path::{Path, PathBuf};

use anzen_integration::guide::{Guide, Shell};

use anzen_integration::e2e::process::anzen;

/// The tests that execute what a guide's own does not.
const ELSEWHERE: [&str; 2] = ["cargo test", "just docker-test"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A shell in an empty folder, in which the programs that a reader has are found, and nothing else is set.
fn shell(folder: &Path) -> Shell {
    let programs = anzen().parent().unwrap().to_owned();
    let foundry = repository().join("contracts/node_modules/.bin");
    let mut path = vec![programs.clone(), foundry];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let path = std::env::join_paths(path).unwrap().into_string().unwrap();
    let environment =
        [("PATH", path), ("HOME", folder.display().to_string()), ("LANG", "C.UTF-8".to_owned())];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    std::os::unix::fs::symlink(programs.parent().unwrap(), folder.join("target")).unwrap();
    Shell::start(folder, &repository(), &environment).unwrap()
}

fn follow(name: &str) {
    let text = std::fs::read_to_string(repository().join("docs").join(name)).unwrap();
    follow_text(name, &text);
}

fn follow_text(name: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let guide = Guide::parse(text).unwrap_or_else(|error| panic!("{name}, {error}"));
    let elsewhere = shell(folder.path()).follow(&guide).unwrap_or_else(|error| panic!("{name}, {error}"));
    let unknown: Vec<&String> = elsewhere.iter().filter(|one| !ELSEWHERE.contains(&one.as_str())).collect();
    assert!(unknown.is_empty(), "{name}: no test is called {unknown:?}");
}

#[test]
fn integrators() {
    follow("integrators.md");
}

#[test]
fn operators() {
    follow("operators.md");
}

#[test]
fn testnet_sepolia() {
    follow("testnet.md");
}

/// The same guide, for the other network.
#[test]
fn testnet_hoodi() {
    let text = std::fs::read_to_string(repository().join("docs/testnet.md")).unwrap();
    let (sepolia, hoodi) = ("export NETWORK=sepolia", "export NETWORK=hoodi");
    assert!(text.contains(sepolia), "the guide says elsewhere which network it is about");
    follow_text("testnet.md for Hoodi", &text.replace(sepolia, hoodi));
}

/// The texts of the errors in the troubleshooting guide are those of the program.
#[test]
fn troubleshooting() {
    let guide = std::fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap();
    let source = source();
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let texts: Vec<&str> = rows.map(|(text, _)| text).collect();
    assert!(texts.len() > 30, "the table is not where it was");
    let stale: Vec<&&str> = texts.iter().filter(|text| !source.contains(**text)).collect();
    assert!(stale.is_empty(), "no error of the program says {stale:?}");
}

/// All of our Rust, with what a string continues on the next line joined; and OpenZeppelin's errors.
fn source() -> String {
    let mut text = String::from("AccessControlUnauthorizedAccount");
    let mut folders: Vec<PathBuf> =
        ["actors/src", "deploy/src", "messages/src"].map(|path| repository().join(path)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let mut lines = std::fs::read_to_string(path).unwrap().replace("\\\n", "\u{0}");
                while lines.contains("\u{0} ") {
                    lines = lines.replace("\u{0} ", "\u{0}");
                }
                text += &lines.replace('\u{0}', "");
            }
        }
    }
    text
}
