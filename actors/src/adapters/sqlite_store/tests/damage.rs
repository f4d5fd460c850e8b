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
    let mut inspector = StoreInspector::open(&path).unwrap();
    assert_eq!(inspector.check().unwrap(), [error]);
    assert_eq!(inspector.spaces().unwrap(), [SpaceSize { space: "tests".into(), records: 2, bytes: 4 }]);
    assert!(!inspector.drop_record("tests", b"c").unwrap());
    assert!(inspector.drop_record("tests", b"b").unwrap());
    assert_eq!(inspector.check().unwrap(), []);
    drop(inspector);

    let store = open(&path).unwrap();
    assert_eq!(store.load(SPACE).await.unwrap(), [(b"a".to_vec(), b"1".to_vec())]);
    assert_eq!(store.restorations(), 1, "what the record said is forgotten");
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
    let error = StoreInspector::open(&path).unwrap_err().to_string();
    assert!(error.contains("there is no store"), "{error}");
    assert!(!path.exists());
    let _store = open(&path).unwrap();
    assert!(matches!(StoreInspector::open(&path).unwrap_err(), StoreError::Locked(_)));
}
