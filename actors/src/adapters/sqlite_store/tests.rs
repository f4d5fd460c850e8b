//! The store loses nothing that it acknowledged, whatever happens to the process or the file.

use std::fs;
use std::path::PathBuf;

use futures::future::join_all;
use tempfile::TempDir;

use super::*;

mod damage;
mod migration;
mod restored;

const SPACE: Space = Space("tests");

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anzen.db");
    (folder, path)
}

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, StoreMetrics::default())
}

fn inspect(path: &Path) -> Result<StoreInspector, StoreError> {
    StoreInspector::open(path, &StoreConfig::default())
}

fn of_at_most(most_bytes: u64) -> StoreConfig {
    StoreConfig { most_bytes, ..StoreConfig::default() }
}

fn put(key: &[u8], value: &[u8]) -> Write {
    Write::Put { space: SPACE, key: key.to_vec(), value: value.to_vec() }
}

/// What a crash at this instant would leave: the files as they are, while the store still has them open.
fn crashed(path: &Path, to: &Path) -> PathBuf {
    let copy = to.join("anzen.db");
    fs::copy(path, &copy).unwrap();
    fs::copy(path.with_extension("db-wal"), to.join("anzen.db-wal")).unwrap();
    copy
}

#[tokio::test]
async fn records_come_back_in_the_order_of_their_keys() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    store.commit(vec![put(b"b", b"2"), put(b"a", b"1"), put(b"a\0", b"3")]).await.unwrap();
    store.commit(vec![put(b"b", b"4"), Write::Delete { space: SPACE, key: b"a".to_vec() }]).await.unwrap();
    store.commit(vec![Write::Put { space: Space("others"), key: vec![], value: vec![] }]).await.unwrap();
    drop(store);
    let store = open(&path).unwrap();
    let records = store.load(SPACE).await.unwrap();
    assert_eq!(records, [(b"a\0".to_vec(), b"3".to_vec()), (b"b".to_vec(), b"4".to_vec())]);
    assert_eq!(store.load(Space("others")).await.unwrap(), [(vec![], vec![])]);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    for n in 0..20u8 {
        store.commit(vec![put(&[n], &[n; 100])]).await.unwrap();
        let other = tempfile::tempdir().unwrap();
        let reopened = open(&crashed(&path, other.path())).unwrap();
        assert_eq!(reopened.load(SPACE).await.unwrap().len(), usize::from(n) + 1);
    }
}

#[tokio::test]
async fn a_log_that_was_cut_off_yields_whole_batches_only() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    for n in 0..10u8 {
        store.commit(vec![put(&[n, 0], &[n; 3000]), put(&[n, 1], &[n; 3000])]).await.unwrap();
    }
    let whole = fs::metadata(path.with_extension("db-wal")).unwrap().len();
    let mut counts = Vec::new();
    for length in (0..=whole).step_by(1777) {
        let other = tempfile::tempdir().unwrap();
        let copy = crashed(&path, other.path());
        fs::OpenOptions::new()
            .write(true)
            .open(other.path().join("anzen.db-wal"))
            .unwrap()
            .set_len(length)
            .unwrap();
        let records = open(&copy).unwrap().load(SPACE).await.unwrap();
        assert_eq!(records.len() % 2, 0, "half a batch at {length} bytes");
        counts.push(records.len());
    }
    assert!(counts.is_sorted() && counts.last() >= Some(&18), "{counts:?}");
}

#[tokio::test]
async fn a_second_opener_is_turned_away() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    assert_eq!(open(&path).unwrap_err(), StoreError::Locked(path.display().to_string()));
    store.commit(vec![put(b"a", b"1")]).await.unwrap();
    drop(store);
    assert_eq!(open(&path).unwrap().load(SPACE).await.unwrap().len(), 1);
}

#[test]
fn a_damaged_file_is_named_and_left_as_it_is() {
    let (_folder, path) = folder();
    fs::write(&path, b"this was a database once, and then it was something else".repeat(100)).unwrap();
    let before = fs::read(&path).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("anzen.db"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    for n in 0..200u8 {
        store.commit(vec![put(&[n], &[n; 1000])]).await.unwrap();
    }
    drop(store);
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len(), length / 2);
}

#[test]
fn a_file_of_a_later_version_or_another_program_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    let change = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("PRAGMA user_version = 3");
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("schema 3, this one knows 2"), "{error}");
    change("PRAGMA application_id = 7");
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("another program"), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing() {
    let (_folder, path) = folder();
    let database = Database::open(&path, &of_at_most(20 * 4096)).unwrap();
    let store = SqliteStore::start(database, StoreMetrics::default()).unwrap();
    store.commit(vec![put(b"before", b"1")]).await.unwrap();
    let error = store.commit(vec![put(b"half", b"1"), put(b"large", &[0; 200_000])]).await.unwrap_err();
    assert_eq!(error, StoreError::Full(path.display().to_string()));
    store.commit(vec![put(b"after", b"1")]).await.unwrap();
    let keys: Vec<_> = store.load(SPACE).await.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"after".to_vec(), b"before".to_vec()]);
}

#[tokio::test]
async fn a_batch_that_cannot_be_written_fails_alone() {
    let (_folder, path) = folder();
    let database = Database::open(&path, &of_at_most(20 * 4096)).unwrap();
    let store = SqliteStore::start(database, StoreMetrics::default()).unwrap();
    let batches =
        (0..20u8).map(|n| store.commit(vec![put(&[n], &vec![0; if n == 7 { 200_000 } else { 10 }])]));
    let results = join_all(batches).await;
    let failed: Vec<_> = (0..20).filter(|n| results[*n].is_err()).collect();
    assert_eq!(failed, [7]);
    assert_eq!(store.load(SPACE).await.unwrap().len(), 19);
}

#[tokio::test]
async fn batches_that_wait_share_a_transaction() {
    let (_folder, path) = folder();
    let metrics = StoreMetrics::default();
    let store = SqliteStore::open(&path, metrics.clone()).unwrap();
    let batches = (0..2000u16).map(|n| store.commit(vec![put(&n.to_be_bytes(), b"1")]));
    assert!(join_all(batches).await.iter().all(Result::is_ok));
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let read = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(read("anzen_store_batches_total"), 2000);
    assert!(read("anzen_store_commit_seconds_count") < 400, "{text}");
}

#[tokio::test]
async fn what_is_queued_is_written_before_the_file_is_released() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    let commit = Box::pin(store.commit(vec![put(b"a", b"1")]));
    // Polled once, so that it is queued; nobody waits for the answer.
    assert!(futures::poll!(commit).is_pending());
    drop(store);
    assert_eq!(open(&path).unwrap().load(SPACE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn after_a_failed_flush_everything_is_refused_and_the_process_is_told() {
    let (_folder, path) = folder();
    let mut database = Database::open(&path, &of_at_most(1 << 20)).unwrap();
    let error = StoreError::Broken("no flush".into());
    database.failing = Some(error.clone());
    let store = SqliteStore::start(database, StoreMetrics::default()).unwrap();
    let broken = store.broken();
    assert!(!broken.is_cancelled());
    assert_eq!(store.commit(vec![put(b"a", b"1")]).await, Err(error.clone()));
    broken.cancelled().await;
    assert_eq!(store.commit(vec![put(b"b", b"1")]).await, Err(error.clone()));
    assert_eq!(store.load(SPACE).await, Err(error));
}

#[tokio::test]
async fn how_large_it_is_is_told() {
    let (_folder, path) = folder();
    let metrics = StoreMetrics::default();
    let store = SqliteStore::open(&path, metrics.clone()).unwrap();
    store.commit(vec![put(b"a", b"1"), put(b"b", &[0; 100_000]), put(b"a", b"2")]).await.unwrap();
    store.commit(vec![Write::Delete { space: SPACE, key: b"c".to_vec() }]).await.unwrap();
    let text = || {
        let mut registry = prometheus_client::registry::Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    };
    let read = |name: &str| {
        let text = text();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(read("anzen_store_records{space=\"tests\"}"), 2);
    assert!((100_000..200_000).contains(&read("anzen_store_bytes")));
    assert!(read("anzen_store_wal_bytes") > 100_000);
    assert_eq!(read("anzen_store_most_bytes"), 1 << 29);
    store.commit(vec![Write::Delete { space: SPACE, key: b"b".to_vec() }]).await.unwrap();
    assert_eq!(read("anzen_store_records{space=\"tests\"}"), 1);
    assert!(read("anzen_store_bytes") < 100_000, "what is free is used again");
    drop(store);
    let store = SqliteStore::open(&path, metrics.clone()).unwrap();
    assert_eq!(read("anzen_store_records{space=\"tests\"}"), 1, "counted anew");
    drop(store);
}
