//! What is damaged is named, and nothing is reset.

use super::*;

#[test]
fn an_emptied_file_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    fs::write(&path, b"").unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("damaged (it is empty)"), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn a_file_without_tables_is_refused() {
    let (_folder, path) = folder();
    rusqlite::Connection::open(&path).unwrap().execute_batch("VACUUM").unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
}

#[tokio::test]
async fn a_log_without_its_file_is_refused() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    store.commit(vec![put(b"a", b"1")]).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let copy = crashed(&path, other.path());
    fs::remove_file(&copy).unwrap();
    let error = open(&copy).unwrap_err().to_string();
    assert!(error.contains("is gone") && error.contains("anzen.db-wal"), "{error}");
    assert!(!copy.exists());
}

#[test]
fn a_file_that_vanished_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("is gone") && error.contains("anzen.db.witness"), "{error}");
    fs::remove_file(path.with_extension("db.witness")).unwrap();
    open(&path).unwrap();
}

/// Whatever such a kill leaves beside the file, the next process begins anew.
#[test]
fn a_kill_while_the_file_is_made_starts_again() {
    for left in [&b""[..], b"SQLite format 3\0 and no more"] {
        let (_folder, path) = folder();
        fs::write(path.with_extension("db.new"), left).unwrap();
        fs::write(path.with_extension("db.new-journal"), left).unwrap();
        open(&path).unwrap();
        assert!(!path.with_extension("db.new").exists());
    }
}

/// Even where the first has lost its file, the second does not make another.
#[test]
fn a_second_opener_is_turned_away_without_the_file() {
    let (_folder, path) = folder();
    let _first = open(&path).unwrap();
    for file in ["db", "db-wal", "db.witness"] {
        let _ = fs::remove_file(path.with_extension(file));
    }
    assert_eq!(open(&path).unwrap_err(), StoreError::Locked(path.display().to_string()));
}

/// Changes a value behind the store's back, as a disk does.
fn damage(path: &Path, key: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = format!("UPDATE kv SET value = X'32' WHERE key = {key}");
    assert_eq!(connection.execute(&sql, []).unwrap(), 1);
}

#[tokio::test]
async fn a_damaged_record_is_named_and_can_be_given_up() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    store.commit(vec![put(b"a", b"1"), put(b"b", b"1")]).await.unwrap();
    drop(store);
    damage(&path, "X'62'");

    let error = open(&path).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("anzen store drop-record tests 0x62"), "{text}");
    let inspector = inspect(&path).unwrap();
    assert_eq!(inspector.check().unwrap(), [error]);
    assert_eq!(inspector.spaces().unwrap(), [SpaceSize { space: "tests".into(), records: 2, bytes: 4 }]);
    drop(inspector);
    let drop_record = |key: &[u8]| StoreInspector::drop_record(&path, "tests", key, false).unwrap();
    assert_eq!([&b"c"[..], b"a", b"b"].map(drop_record), [Dropped::Absent, Dropped::Whole, Dropped::Gone]);
    assert_eq!(inspect(&path).unwrap().check().unwrap(), []);

    let store = open(&path).unwrap();
    assert_eq!(store.load(SPACE).await.unwrap(), [(b"a".to_vec(), b"1".to_vec())]);
    assert_eq!(store.restorations(), 1, "what the record said is forgotten");
    drop(store);
    assert_eq!(StoreInspector::drop_record(&path, "tests", b"a", true), Ok(Dropped::Gone));
}

/// What is in a folder: names, contents (their checksums), file numbers, and when they were written to.
fn state_of(folder: &Path) -> Vec<(PathBuf, u32, u64, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = files
        .map(|file| {
            let (found, content) = (fs::metadata(&file).unwrap(), fs::read(&file).unwrap());
            (file, crc32c::crc32c(&content), found.ino(), found.mtime_nsec())
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn looking_changes_nothing_whether_the_process_was_stopped_or_killed() {
    let (folder, path) = folder();
    let store = open(&path).unwrap();
    store.commit(vec![put(b"a", b"1")]).await.unwrap();
    let killed = tempfile::tempdir().unwrap();
    let copy = crashed(&path, killed.path());
    drop(store);
    for (folder, path) in [(folder.path(), &path), (killed.path(), &copy)] {
        let before = state_of(folder);
        let inspector = inspect(path).unwrap();
        assert_eq!(inspector.check().unwrap(), []);
        assert_eq!(inspector.load(SPACE).await.unwrap(), [(b"a".to_vec(), b"1".to_vec())]);
        assert!(inspector.commit(vec![put(b"b", b"1")]).await.is_err());
        assert_eq!(inspector.restorations(), u64::from(path == &copy), "a copy is told, and not noted");
        drop(inspector);
        assert_eq!(state_of(folder), before);
    }
    assert_eq!(open(&path).unwrap().restorations(), 0);
}

#[test]
fn a_folder_of_any_name_is_looked_at() {
    let (folder, _) = folder();
    let odd = folder.path().join("50% #1?immutable=0&ü");
    fs::create_dir(&odd).unwrap();
    drop(open(&odd.join("anzen.db")).unwrap());
    assert_eq!(inspect(&odd.join("anzen.db")).unwrap().check().unwrap(), []);
}

#[test]
fn a_file_that_is_damaged_as_a_whole_is_told_from_one_that_cannot_be_read() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    for left in [&whole[..0], &whole[..5_000], b"no database at all".repeat(500).as_slice()] {
        fs::write(&path, left).unwrap();
        let found = inspect(&path).and_then(|inspector| inspector.check());
        let is_damage =
            found.as_ref().map_or_else(StoreError::is_damage, |all| all.iter().all(StoreError::is_damage));
        assert!(is_damage && found != Ok(vec![]), "{found:?}");
    }
    fs::remove_file(&path).unwrap();
    assert!(inspect(&path).unwrap_err().is_damage(), "the witness tells that it was there");
}

/// What root does with a store of another user must not be in that one's way. Without the right to, nothing differs.
#[test]
fn what_is_made_belongs_to_whom_the_folder_belongs() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let (folder, path) = folder();
    let _ = chown(folder.path(), Some(12_345), Some(12_345));
    let owner = fs::metadata(folder.path()).unwrap().uid();
    let store = open(&path).unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in &files {
        assert_eq!(fs::metadata(file).unwrap().uid(), owner, "{}", file.display());
    }
    drop(store);
}

#[tokio::test]
async fn a_record_that_moved_is_damaged_too() {
    for change in ["key = X'63'", "space = 'other'"] {
        let (_folder, path) = folder();
        let store = open(&path).unwrap();
        store.commit(vec![put(b"a", b"1")]).await.unwrap();
        drop(store);
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute(&format!("UPDATE kv SET {change}"), []).unwrap();
        drop(connection);
        assert!(matches!(open(&path).unwrap_err(), StoreError::Damaged { .. }), "{change}");
    }
}

#[test]
fn an_inspector_makes_nothing_and_waits_for_nobody() {
    let (_folder, path) = folder();
    let error = inspect(&path).unwrap_err().to_string();
    assert!(error.contains("there is no store"), "{error}");
    assert!(!path.exists());
    let _store = open(&path).unwrap();
    assert!(matches!(inspect(&path).unwrap_err(), StoreError::Locked(_)));
}
