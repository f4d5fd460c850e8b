//! A folder of keystores: `NAME.bls.key.json` and `NAME.ecdsa.key.json`, as EigenLayer's CLI names them.

use std::path::{Path, PathBuf};

use super::{KeyError, KeyKind, KeystoreError, KeystoreFile, Owner, Surroundings};

/// Where a name of a key ends.
const EXTENSION: &str = ".key.json";
/// Under the user's home.
const DEFAULT: &str = ".anzen/keys";

/// The folder.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// A keystore in it.
#[derive(Debug)]
pub struct Entry {
    /// The key's name.
    pub name: String,
    /// The kind of key.
    pub kind: KeyKind,
    /// The file.
    pub path: PathBuf,
    /// Whose key it says it has; or why it cannot be read.
    pub owner: Result<Owner, KeyError>,
}

impl Folder {
    /// The folder at `path`; without one, `ANZEN_KEYS_DIR` or `~/.anzen/keys`.
    pub fn new(path: Option<PathBuf>, surroundings: &dyn Surroundings) -> Self {
        let variable = |name| surroundings.variable(name).map(|value| PathBuf::from(value.as_str()));
        let home = || variable("HOME").unwrap_or_default().join(DEFAULT);
        Self(path.or_else(|| variable("ANZEN_KEYS_DIR")).unwrap_or_else(home))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file of a key.
    pub fn file(&self, name: &str, kind: KeyKind) -> PathBuf {
        self.0.join(format!("{name}.{}{EXTENSION}", kind.as_str()))
    }

    /// The keystores, by name. A folder that is not there has none.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>, KeyError> {
        let failed = |error| KeyError::File { path: self.0.clone(), error };
        let files = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(failed)?,
        };
        let mut entries = Vec::new();
        for file in files {
            entries.extend(entry(file.map_err(failed)?.path()));
        }
        entries.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        Ok(entries)
    }
}

/// The keystore that a file's name promises.
fn entry(path: PathBuf) -> Option<Entry> {
    let (name, kind) = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.rsplit_once('.')?;
    let kind = [KeyKind::Bls, KeyKind::Ecdsa].into_iter().find(|known| known.as_str() == kind)?;
    let name = name.to_owned();
    let owner = read(&path, kind);
    Some(Entry { name, kind, path, owner })
}

fn read(path: &Path, wanted: KeyKind) -> Result<Owner, KeyError> {
    let keystore = KeystoreFile::read(path)?;
    match keystore.owner().kind() {
        Some(found) if found != wanted => {
            let source = KeystoreError::OtherKind { wanted, found };
            Err(KeyError::Keystore { path: path.to_owned(), source })
        }
        _ => Ok(keystore.owner().clone()),
    }
}
