//! `anzen keys`: keystores, made, imported, exported and listed.

mod export;
mod generate;
mod import;
mod list;
mod report;
mod source;

use std::path::PathBuf;

use anzen_actors::keys::{
    Folder, KeyError, KeyKind, KeystoreError, NewPassword, PasswordFrom, PrivateKey, Strength, ThisProcess,
    files,
};
use clap::ValueEnum;

use crate::{logging, outcome::Outcome, output::Output};
use report::Described;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The folder of the keystores [default: ~/.anzen/keys].
    #[arg(long, global = true, value_name = "DIR", env = "ANZEN_KEYS_DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a new key.
    Generate(generate::Arguments),
    /// Take a key over from another keystore (EigenLayer's CLI, geth, cast), or from its digits.
    Import(import::Arguments),
    /// Write a private key in the clear: to a file, or to the terminal.
    Export(export::Arguments),
    /// List the keys, with what their keystores say without a password.
    List,
}

pub(crate) fn run(arguments: Arguments, output: Output) -> Outcome {
    logging::start("warn");
    let folder = Folder::new(arguments.dir, &ThisProcess);
    match arguments.command {
        Command::Generate(arguments) => generate::run(&arguments, &folder, output),
        Command::Import(arguments) => import::run(&arguments, &folder, output),
        Command::Export(arguments) => export::run(&arguments, &folder, output),
        Command::List => list::run(&folder, output),
    }
}

/// A kind of key, on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Type {
    /// Signs answers and sessions (BN254).
    Bls,
    /// Signs transactions (secp256k1).
    Ecdsa,
}

impl From<Type> for KeyKind {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Bls => Self::Bls,
            Type::Ecdsa => Self::Ecdsa,
        }
    }
}

/// Where a new keystore goes, and under which password.
#[derive(Debug, clap::Args)]
struct Destination {
    /// The key's name: the file is NAME.TYPE.key.json in the folder.
    #[arg(long, default_value = "anzen", value_parser = name)]
    name: String,
    /// Another file than that of the name. Files are never overwritten.
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    out: Option<PathBuf>,
    /// The file with the new keystore's password [default: ANZEN_BLS_PASSWORD or ANZEN_ECDSA_PASSWORD, or it is asked for].
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Weak encryption that is fast, for development.
    #[arg(long)]
    light: bool,
}

/// What a file name can be made of, on every system.
fn name(text: &str) -> Result<String, &'static str> {
    let good = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if text.is_empty() || text.starts_with('.') || !text.chars().all(good) {
        return Err("a name has letters, digits, -, _ and .");
    }
    Ok(text.to_owned())
}

impl Destination {
    fn path(&self, kind: KeyKind, folder: &Folder) -> PathBuf {
        self.out.clone().unwrap_or_else(|| folder.file(&self.name, kind))
    }

    /// Fails before a person has typed a password, where the file is there already.
    fn check(&self, kind: KeyKind, folder: &Folder) -> Result<(), KeyError> {
        let path = self.path(kind, folder);
        if path.exists() { Err(KeyError::Exists(path)) } else { Ok(()) }
    }

    fn save(&self, key: &PrivateKey, folder: &Folder) -> Result<Described, KeyError> {
        let (kind, path) = (key.kind(), self.path(key.kind(), folder));
        let what = format!("the new {kind} keystore {}", path.display());
        let password =
            NewPassword(password_from(kind, &what, self.password_file.as_deref(), "--password-file"));
        let password = password.get(&ThisProcess)?;
        let strength = if self.light { Strength::Light } else { Strength::Standard };
        let failed = |source| KeyError::Keystore { path: path.clone(), source };
        let text = key.seal(&password, strength).map_err(failed)?;
        files::write_new(&path, &(text + "\n"))?;
        Ok(Described::new(kind, path, &key.owner()))
    }
}

fn password_from<'a>(
    kind: KeyKind,
    what: &'a str,
    file: Option<&'a std::path::Path>,
    flag: &'static str,
) -> PasswordFrom<'a> {
    PasswordFrom { what, file, file_setting: flag, variable: kind.password_variable() }
}

/// What a command line leaves open.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("{0} does not say which kind of key it holds; say so with --type bls or --type ecdsa")]
    UnknownType(PathBuf),
    #[error("there is no key {name:?} in {folder}; `anzen keys list` shows those that are there")]
    NoSuchKey { name: String, folder: PathBuf },
    #[error("there is a BLS key {0:?} and an ECDSA key; say which one with --type bls or --type ecdsa")]
    TwoKeys(String),
    #[error(
        "give the key: --from KEYSTORE or --private-key-file FILE (- is standard input), or type it at a terminal"
    )]
    NoKey,
    #[error("the private key is shown at a terminal only; write it to a file with --out, or say --yes")]
    NotConfirmed,
    #[error("nothing was shown, since you did not say yes")]
    Declined,
    #[error("the private key")]
    PrivateKey(#[source] KeystoreError),
    #[error("standard input: {0}")]
    Input(std::io::Error),
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        for bad in ["", ".hidden", "..", "a/b", "a b", "../x", "a\\b"] {
            assert!(super::name(bad).is_err(), "{bad}");
        }
        assert_eq!(super::name("operator-1.main"), Ok("operator-1.main".into()));
    }
}
