//! The key that a source leads to.

use std::path::{Path, PathBuf};

use alloy::signers::local::PrivateKeySigner;
use anzen_messages::bls::SecretKey;
use zeroize::Zeroizing;

use super::keystore::{Keystore, KeystoreError, Owner};
use super::{KeyError, KeyKind, KeySource, PasswordFrom, PrivateKey, Surroundings, ThisProcess, files};

/// The BLS key of a source. Blocks: opening a keystore takes about a second and 256 MiB, and a person may be asked.
///
/// # Errors
/// Where there is no key, or it cannot be opened; the text says what to do.
pub fn load_bls(source: &KeySource) -> Result<SecretKey, KeyError> {
    Loader::new(&ThisProcess).bls(source)
}

/// The ECDSA key of a source. Blocks as [`load_bls`] does.
///
/// # Errors
/// Where there is no key, or it cannot be opened; the text says what to do.
pub fn load_ecdsa(source: &KeySource) -> Result<PrivateKeySigner, KeyError> {
    Loader::new(&ThisProcess).ecdsa(source)
}

/// A keystore with the file that it was read from.
#[derive(Debug)]
pub struct KeystoreFile {
    path: PathBuf,
    keystore: Keystore,
}

impl KeystoreFile {
    /// Reads the file; nothing is decrypted.
    ///
    /// # Errors
    /// Where there is no keystore in it.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let keystore = Keystore::read(&files::read(path)?);
        let failed = |source| KeyError::Keystore { path: path.to_owned(), source };
        Ok(Self { path: path.to_owned(), keystore: keystore.map_err(failed)? })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose key it says it has.
    pub fn owner(&self) -> &Owner {
        self.keystore.owner()
    }
}

/// Loads keys, with what is around the process.
#[derive(Clone, Copy)]
pub struct Loader<'a> {
    surroundings: &'a dyn Surroundings,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

/// What a source comes down to.
enum Way<'a> {
    Keystore(&'a Path),
    File(&'a Path),
    Variable(&'static str, Zeroizing<String>),
}

impl Way<'_> {
    fn describe(&self, kind: KeyKind) -> String {
        match self {
            Self::Keystore(_) => format!("{}.keystore", kind.setting()),
            Self::File(_) => format!("{}.private_key_file", kind.setting()),
            Self::Variable(name, _) => (*name).to_owned(),
        }
    }
}

impl<'a> Loader<'a> {
    /// A loader that finds variables and people there.
    pub fn new(surroundings: &'a dyn Surroundings) -> Self {
        Self { surroundings }
    }

    /// Whether anything says where the key is.
    pub fn is_given(&self, kind: KeyKind, source: &KeySource) -> bool {
        !self.ways(kind, source).is_empty()
    }

    /// See [`load_bls`].
    ///
    /// # Errors
    /// The same.
    pub fn bls(&self, source: &KeySource) -> Result<SecretKey, KeyError> {
        match self.load(KeyKind::Bls, source)? {
            PrivateKey::Bls(key) => Ok(key),
            PrivateKey::Ecdsa(_) => Err(KeyError::NotGiven(KeyKind::Bls)),
        }
    }

    /// See [`load_ecdsa`].
    ///
    /// # Errors
    /// The same.
    pub fn ecdsa(&self, source: &KeySource) -> Result<PrivateKeySigner, KeyError> {
        match self.load(KeyKind::Ecdsa, source)? {
            PrivateKey::Ecdsa(key) => Ok(key),
            PrivateKey::Bls(_) => Err(KeyError::NotGiven(KeyKind::Ecdsa)),
        }
    }

    /// The key of a kind.
    ///
    /// # Errors
    /// See [`load_bls`].
    pub fn load(&self, kind: KeyKind, source: &KeySource) -> Result<PrivateKey, KeyError> {
        let mut ways = self.ways(kind, source).into_iter();
        let way = ways.next().ok_or(KeyError::NotGiven(kind))?;
        if let Some(other) = ways.next() {
            let (first, second) = (way.describe(kind), other.describe(kind));
            return Err(KeyError::GivenTwice { kind, first, second });
        }
        match way {
            Way::Keystore(path) => {
                let what = format!("the {kind} keystore {}", path.display());
                let password = PasswordFrom {
                    what: &what,
                    file: source.password_file.as_deref(),
                    file_setting: "password_file",
                    variable: kind.password_variable(),
                };
                self.open(kind, &KeystoreFile::read(path)?, password)
            }
            Way::File(path) => PrivateKey::read(kind, &files::read(path)?, path.display().to_string()),
            Way::Variable(name, text) => PrivateKey::read(kind, &text, name.to_owned()),
        }
    }

    /// Opens a keystore, asking up to three times where the password is asked for.
    ///
    /// # Errors
    /// Where the password is wrong, or the secret is no key of that kind.
    pub fn open(
        &self,
        kind: KeyKind,
        file: &KeystoreFile,
        password: PasswordFrom<'_>,
    ) -> Result<PrivateKey, KeyError> {
        let is_wrong = |error: &KeyError| {
            matches!(error, KeyError::Keystore { source: KeystoreError::WrongPassword, .. })
        };
        password.open(self.surroundings, is_wrong, |password| {
            let key = match kind {
                KeyKind::Bls => file.keystore.open_bls(password).map(PrivateKey::Bls),
                KeyKind::Ecdsa => file.keystore.open_ecdsa(password).map(PrivateKey::Ecdsa),
            };
            key.map_err(|source| KeyError::Keystore { path: file.path.clone(), source })
        })
    }

    fn ways<'s>(&self, kind: KeyKind, source: &'s KeySource) -> Vec<Way<'s>> {
        let name = kind.private_key_variable();
        let ways = [
            source.keystore.as_deref().map(Way::Keystore),
            source.private_key_file.as_deref().map(Way::File),
            self.surroundings.variable(name).map(|text| Way::Variable(name, text)),
        ];
        ways.into_iter().flatten().collect()
    }
}
