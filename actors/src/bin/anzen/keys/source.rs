//! Which keystore is meant.

use std::path::{Path, PathBuf};

use anzen_actors::keys::{Folder, KeyKind, KeystoreFile};

use super::{CommandError, Type};

/// The kind of key in a keystore: what the flag says, or else the file.
pub(super) fn kind(keystore: &KeystoreFile, flag: Option<Type>) -> Result<KeyKind, CommandError> {
    let said = flag.map(KeyKind::from).or_else(|| keystore.owner().kind());
    said.ok_or_else(|| CommandError::UnknownType(keystore.path().to_owned()))
}

/// The file that a person names: a path, or a key's name in the folder.
pub(super) fn find(key: &str, flag: Option<Type>, folder: &Folder) -> Result<PathBuf, CommandError> {
    let kinds = flag.map_or(vec![KeyKind::Bls, KeyKind::Ecdsa], |kind| vec![kind.into()]);
    let mut named = kinds.into_iter().map(|kind| folder.file(key, kind)).filter(|path| path.is_file());
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(CommandError::TwoKeys(key.to_owned())),
        (Some(path), None) => Ok(path),
        (None, _) if Path::new(key).is_file() => Ok(key.into()),
        (None, _) => Err(CommandError::NoSuchKey { name: key.to_owned(), folder: folder.path().to_owned() }),
    }
}
