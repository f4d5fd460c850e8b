//! The folder of a local network: what is where, and who has it.
//!
//! | path | what it is |
//! | --- | --- |
//! | `lock` | locked by the process that runs the network, for as long as it lives |
//! | `network.json` | the processes and their URLs |
//! | `addresses.json` | the contracts |
//! | `chain.log`, `NAME.log` | what the processes log |
//! | `NAME/node.toml`, `NAME/data/` | a process's configuration and what it keeps |
//! | `nats/` | the NATS server's configuration, its password, and what it keeps |
//! | `operator-N/` | an operator's keys as well, and `operator.json`, which says who it is |

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{LocalError, network::Network};

const LOCK: &str = "lock";

/// A folder of which this process has the lock.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) folder: Folder,
    /// The system takes the lock back when the process ends, however it ends.
    _lock: File,
}

/// Where the files of a network are.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Claimed {
    /// Makes the folder this process's, empty. The remains of a network that is over are removed; anything else is left,
    /// and refused.
    pub(super) fn take(path: &Path) -> Result<Self, LocalError> {
        fs::create_dir_all(path).map_err(LocalError::file(path))?;
        let path = path.canonicalize().map_err(LocalError::file(path))?;
        let folder = Folder(path.clone());
        if !folder.lock_path().exists() && !is_empty(&path)? {
            return Err(LocalError::NotOurs(path));
        }
        let lock = File::create(folder.lock_path()).map_err(LocalError::file(folder.lock_path()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = Network::load(&folder).ok().map(|network| network.pid);
                return Err(LocalError::InUse { folder: path, pid });
            }
            Err(TryLockError::Error(error)) => return Err(LocalError::file(folder.lock_path())(error)),
        }
        folder.clear()?;
        Ok(Self { folder, _lock: lock })
    }
}

impl Folder {
    /// The folder of a network that is running.
    pub(super) fn of_running(path: &Path) -> Result<Self, LocalError> {
        let folder = Self(path.canonicalize().map_err(|_| LocalError::NotRunning(path.to_owned()))?);
        if folder.is_running() { Ok(folder) } else { Err(LocalError::NotRunning(path.to_owned())) }
    }

    /// A folder that several processes use, none of which runs the network.
    pub(super) fn shared(path: &Path) -> Result<Self, LocalError> {
        fs::create_dir_all(path).map_err(LocalError::file(path))?;
        path.canonicalize().map(Self).map_err(LocalError::file(path))
    }

    fn is_running(&self) -> bool {
        let lock = File::open(self.lock_path());
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Returns when the network is over. Blocks.
    pub(super) fn wait_for_end(&self) {
        // Without the file the network is over too.
        let _ = File::open(self.lock_path()).and_then(|lock| lock.lock_shared());
    }

    /// Waits until no other process has the named turn; it is over when the result is dropped. Blocks.
    pub(super) fn take_turn(&self, name: &str) -> Result<File, LocalError> {
        let (path, file) = self.turn(name)?;
        file.lock().map_err(LocalError::file(&path))?;
        Ok(file)
    }

    /// Takes the named turn, unless another process has it; it is over when the result is dropped.
    pub(super) fn try_turn(&self, name: &str) -> Result<Option<File>, LocalError> {
        let (path, file) = self.turn(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(LocalError::file(path)(error)),
        }
    }

    fn turn(&self, name: &str) -> Result<(PathBuf, File), LocalError> {
        let path = self.join(name);
        let file = File::create(&path).map_err(LocalError::file(&path))?;
        Ok((path, file))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn addresses(&self) -> PathBuf {
        self.join("addresses.json")
    }

    pub(super) fn log_of(&self, process: &str) -> PathBuf {
        self.join(format!("{}.log", process.replace('/', ".")))
    }

    /// Makes a folder that only this user may enter.
    pub(super) fn make_private(&self, name: &str) -> Result<PathBuf, LocalError> {
        use std::os::unix::fs::DirBuilderExt;
        let path = self.join(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(LocalError::file(&path))?;
        Ok(path)
    }

    fn lock_path(&self) -> PathBuf {
        self.join(LOCK)
    }

    fn clear(&self) -> Result<(), LocalError> {
        for entry in fs::read_dir(&self.0).map_err(LocalError::file(&self.0))? {
            let path = entry.map_err(LocalError::file(&self.0))?.path();
            if path.file_name().is_some_and(|name| name == LOCK) {
                continue;
            }
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(LocalError::file(path))?;
        }
        Ok(())
    }
}

fn is_empty(path: &Path) -> Result<bool, LocalError> {
    Ok(fs::read_dir(path).map_err(LocalError::file(path))?.next().is_none())
}

/// Writes a file that only this user may read.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), LocalError> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(LocalError::file(path))
}

/// The last lines of a log.
pub(super) fn tail(path: &Path, lines: usize) -> String {
    const MOST_BYTES: u64 = 16 * 1024;
    let start = fs::metadata(path).map_or(0, |log| log.len().saturating_sub(MOST_BYTES));
    let text = read_from(path, start).unwrap_or_else(|error| format!("(unreadable: {error})"));
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// The first whole line of a log with `text` in it, after so many bytes of it.
pub(super) fn line_with(path: &Path, after: u64, text: &str) -> Option<String> {
    let log = read_from(path, after).ok()?;
    let (whole, _) = log.rsplit_once('\n')?;
    whole.lines().find(|line| line.contains(text)).map(str::to_owned)
}

fn read_from(path: &Path, start: u64) -> io::Result<String> {
    use std::io::{Seek, SeekFrom};
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_refused_and_free_again_afterwards() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("network");
        let claimed = Claimed::take(&path).unwrap();
        assert!(claimed.folder.is_running());
        assert!(matches!(Claimed::take(&path), Err(LocalError::InUse { .. })));
        drop(claimed);
        assert!(matches!(Folder::of_running(&path), Err(LocalError::NotRunning(_))));
        Claimed::take(&path).unwrap();
    }

    #[test]
    fn the_remains_of_a_network_are_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("network");
        drop(Claimed::take(&path).unwrap());
        fs::create_dir(path.join("operator-1")).unwrap();
        fs::write(path.join("operator-1/bls.key"), "old").unwrap();
        drop(Claimed::take(&path).unwrap());
        assert!(!path.join("operator-1").exists());

        let other = parent.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("thesis.txt"), "years of work").unwrap();
        assert!(matches!(Claimed::take(&other), Err(LocalError::NotOurs(_))));
        assert!(other.join("thesis.txt").exists());
    }

    #[test]
    fn a_tail_is_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "a\nb\nc\n").unwrap();
        assert_eq!(tail(&path, 2), "b\nc");
        assert_eq!(tail(&path, 9), "a\nb\nc");
    }

    #[test]
    fn a_line_is_found_once_it_is_whole_and_not_among_the_old_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "at 1\nat 2\nat 3").unwrap();
        assert_eq!(line_with(&path, 0, "at").as_deref(), Some("at 1"));
        assert_eq!(line_with(&path, 5, "at").as_deref(), Some("at 2"));
        assert_eq!(line_with(&path, 10, "at"), None);
    }
}
