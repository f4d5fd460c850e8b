//! `anzen keys export`.

use std::{fmt, io::IsTerminal, path::PathBuf, process::ExitCode};

use anzen_actors::keys::{Folder, KeyError, KeyKind, KeystoreFile, Loader, Surroundings, ThisProcess, files};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{CommandError, Type, password_from, source};
use crate::{
    outcome::Outcome,
    output::{Output, Report},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The key's name in the folder, or a keystore file.
    #[arg(value_name = "NAME|FILE")]
    key: String,
    /// The kind of key; needed where two keys have the name, or a keystore does not say.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<Type>,
    /// The file with the keystore's password [default: ANZEN_BLS_PASSWORD or ANZEN_ECDSA_PASSWORD, or it is asked for].
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A new file for the private key, which only you may read; without it the key is shown at the terminal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show the private key without asking first.
    #[arg(long)]
    yes: bool,
}

/// A private key in the clear.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(rename = "type")]
    kind: KeyKind,
    private_key: &'a str,
}

impl Report for Shown<'_> {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{}", self.private_key)
    }
}

/// A private key that went to a file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(rename = "type")]
    kind: KeyKind,
    private_key_file: PathBuf,
}

impl Report for Written {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let path = self.private_key_file.display();
        writeln!(
            f,
            "The {} private key is in {path}, in the clear. Delete the file when you are done.",
            self.kind
        )
    }
}

pub(super) fn run(arguments: &Arguments, folder: &Folder, output: Output) -> Outcome {
    let keystore = KeystoreFile::read(&source::find(&arguments.key, arguments.kind, folder)?)?;
    let kind = source::kind(&keystore, arguments.kind)?;
    if arguments.out.is_none() {
        confirm(arguments.yes)?;
    }
    let what = format!("the {kind} keystore {}", keystore.path().display());
    let password = password_from(kind, &what, arguments.password_file.as_deref(), "--password-file");
    let private_key = Loader::new(&ThisProcess).open(kind, &keystore, password)?.to_hex();
    match &arguments.out {
        Some(out) => {
            files::write_new(out, &Zeroizing::new(format!("{}\n", *private_key)))?;
            output.print(&Written { kind, private_key_file: out.clone() })?;
        }
        None => output.print(&Shown { kind, private_key: &private_key })?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever sees the key can act as the operator.
fn confirm(yes: bool) -> Result<(), Box<dyn std::error::Error>> {
    if yes {
        return Ok(());
    }
    if !ThisProcess.has_terminal() || !std::io::stdout().is_terminal() {
        return Err(CommandError::NotConfirmed.into());
    }
    let question = "This shows the private key; whoever sees it can act as you. Show it? (yes/no) ";
    match ThisProcess.ask(question).map_err(KeyError::Terminal)?.trim() {
        "yes" => Ok(()),
        _ => Err(CommandError::Declined.into()),
    }
}
