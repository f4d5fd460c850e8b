//! A file of an earlier version is brought up to date.

use super::*;
use crate::operator_signer::protection;

/// Made by the last version with schema 1.
const OF_SCHEMA_1: &[u8] = include_bytes!("../../../../tests/data/store-v1.db");

fn schema_of(path: &Path) -> i32 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_store_of_schema_1_is_brought_up_to_date() {
    let (_folder, path) = folder();
    fs::write(&path, OF_SCHEMA_1).unwrap();
    let store = open(&path).unwrap();
    let records = store.load(SPACE).await.unwrap();
    let long = (b"long".to_vec(), vec![7; 5000]);
    assert_eq!(records, [(vec![], vec![]), (b"a\0".to_vec(), vec![0, 255, 1]), long]);
    let signed = store.load(protection::SPACE).await.unwrap();
    assert_eq!(signed.len(), 4, "three records and the floor");
    protection::Protection::load(signed, store.restorations()).unwrap();
    assert_eq!(store.restorations(), 0, "it is the same store");
    drop(store);
    assert_eq!(schema_of(&path), schema::SCHEMA);
    open(&path).unwrap();
}

#[tokio::test]
async fn the_file_before_is_kept_beside_it() {
    let (_folder, path) = folder();
    fs::write(&path, OF_SCHEMA_1).unwrap();
    fs::write(path.with_extension("db.bak.new"), b"a kill left this").unwrap();
    drop(open(&path).unwrap());
    let copy = path.with_extension("db.schema-1.bak");
    assert_eq!(schema_of(&copy), 1);
    let connection = rusqlite::Connection::open(&copy).unwrap();
    let count: i64 = connection.query_row("SELECT count(*) FROM kv", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 7);
}

#[tokio::test]
async fn what_is_damaged_is_not_migrated() {
    let (_folder, path) = folder();
    let mut bytes = OF_SCHEMA_1.to_vec();
    // The second page is the table's.
    bytes[4096..4200].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// A new file and one that was brought up to date are alike.
#[test]
fn the_tables_are_those_of_a_new_file() {
    let tables = |path: &Path| -> Vec<String> {
        let connection = rusqlite::Connection::open(path).unwrap();
        let mut query = connection.prepare("SELECT sql FROM sqlite_master ORDER BY name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let ((_new, new), (_old, old)) = (folder(), folder());
    fs::write(&old, OF_SCHEMA_1).unwrap();
    drop((open(&new).unwrap(), open(&old).unwrap()));
    assert_eq!(tables(&new), tables(&old));
}
