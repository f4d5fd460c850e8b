//! `anzen keys import`.

use std::{
    error::Error,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anzen_actors::keys::{
    Folder, KeyError, KeyKind, KeystoreFile, Loader, PrivateKey, Surroundings, ThisProcess, files,
};
use zeroize::Zeroizing;

use super::{CommandError, Destination, Type, password_from, source};
use crate::{outcome::Outcome, output::Output};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The kind of key; needed where a keystore does not say.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<Type>,
    /// The keystore to take the key from: EigenLayer's, EIP-2335 for BN254, or Web3 Secret Storage version 3.
    #[arg(long, value_name = "KEYSTORE", conflicts_with = "private_key_file")]
    from: Option<PathBuf>,
    /// The file with that keystore's password [default: as for the new one].
    #[arg(long, value_name = "FILE", requires = "from")]
    from_password_file: Option<PathBuf>,
    /// A file with the private key's digits; - is standard input.
    #[arg(long, value_name = "FILE", requires = "kind")]
    private_key_file: Option<PathBuf>,
    #[command(flatten)]
    destination: Destination,
}

pub(super) fn run(arguments: &Arguments, folder: &Folder, output: Output) -> Outcome {
    let key = match &arguments.from {
        Some(path) => {
            let keystore = KeystoreFile::read(path)?;
            let kind = source::kind(&keystore, arguments.kind)?;
            arguments.destination.check(kind, folder)?;
            let what = format!("the {kind} keystore {}", path.display());
            let file = arguments.from_password_file.as_deref();
            let password = password_from(kind, &what, file, "--from-password-file");
            Loader::new(&ThisProcess).open(kind, &keystore, password)?
        }
        None => {
            let kind: KeyKind = arguments.kind.ok_or(CommandError::NoKey)?.into();
            arguments.destination.check(kind, folder)?;
            let text = digits(kind, arguments.private_key_file.as_deref())?;
            PrivateKey::from_text(kind, &text).map_err(CommandError::PrivateKey)?
        }
    };
    output.print(&arguments.destination.save(&key, folder)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The private key's digits: from a file, from standard input, or typed unseen.
fn digits(kind: KeyKind, file: Option<&Path>) -> Result<Zeroizing<String>, Box<dyn Error>> {
    match file {
        Some(path) if path == Path::new("-") => {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin().read_to_string(&mut text).map_err(CommandError::Input)?;
            Ok(text)
        }
        Some(path) => Ok(files::read(path)?),
        None if ThisProcess.has_terminal() => {
            let question = format!("The {kind} private key: ");
            Ok(ThisProcess.ask_hidden(&question).map_err(KeyError::Terminal)?)
        }
        None => Err(CommandError::NoKey.into()),
    }
}
