//! Files with secrets.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::KeyError;

/// A keystore has about 600 bytes; whatever is longer than this is none, and is not read.
const MOST_BYTES: u64 = 64 * 1024;

/// The text of a file with a secret. Warns where others may read it.
///
/// # Errors
/// Where it cannot be read, or is too long to be one.
pub fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |error| KeyError::File { path: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if others_may_read(metadata.permissions().mode()) {
        tracing::warn!(path = %path.display(), "others may read this file with a secret; take it from them: chmod 600");
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(KeyError::TooLong(path.to_owned()));
    }
    Ok(text)
}

/// The group or anybody else. A mounted secret (Kubernetes, Docker) often can be read by all: so this is no error.
fn others_may_read(mode: u32) -> bool {
    mode & 0o044 != 0
}

/// Writes a file that only its owner may read: whole or not at all, and never over another. Makes the folder.
///
/// # Errors
/// Where there is a file already, or none can be written.
pub fn write_new(path: &Path, text: &str) -> Result<(), KeyError> {
    let failed = |error| KeyError::File { path: path.to_owned(), error };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    // Made with the mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path).map_err(|failure| match failure.error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => failed(failure.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/key.json");
        write_new(&path, "first").unwrap();
        let error = write_new(&path, "second").unwrap_err();
        assert!(matches!(error, KeyError::Exists(_)), "{error}");
        assert_eq!(read(&path).unwrap().as_str(), "first");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing temporary is left");
    }

    #[test]
    fn only_the_owners_own_bits_are_no_reason_to_warn() {
        assert!(!others_may_read(0o100_600) && !others_may_read(0o100_400));
        assert!(others_may_read(0o100_640) && others_may_read(0o100_604));
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(matches!(read(&path), Err(KeyError::TooLong(_))));
    }
}
