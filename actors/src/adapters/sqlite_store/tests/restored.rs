//! A copy of an earlier state is told from the file that the last process left.

use super::*;

/// How often the store has been found to be a copy, after a start.
fn restorations(path: &Path) -> u64 {
    open(path).unwrap().restorations()
}

#[tokio::test]
async fn a_store_that_was_only_used_is_the_same() {
    let (_folder, path) = folder();
    for n in 0..3u8 {
        let store = open(&path).unwrap();
        assert_eq!(store.restorations(), 0);
        store.commit(vec![put(&[n], b"1")]).await.unwrap();
    }
}

#[test]
fn a_start_that_was_cut_short_leaves_the_same_store() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    let witness = path.with_extension("db.witness");
    let before = fs::hard_link(&witness, path.with_extension("before"));
    before.unwrap();
    drop(open(&path).unwrap());
    // As if the second start had ended between the note in the file and the new witness.
    fs::rename(path.with_extension("before"), &witness).unwrap();
    assert_eq!(restorations(&path), 0);
}

#[test]
fn a_folder_that_was_moved_is_the_same() {
    let (folder, path) = folder();
    drop(open(&path).unwrap());
    let moved = folder.path().join("moved");
    fs::create_dir(&moved).unwrap();
    for file in ["anzen.db", "anzen.db.witness"] {
        fs::rename(folder.path().join(file), moved.join(file)).unwrap();
    }
    assert_eq!(restorations(&moved.join("anzen.db")), 0);
}

#[test]
fn a_copy_is_another_store() {
    let (folder, path) = folder();
    drop(open(&path).unwrap());
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in ["anzen.db", "anzen.db.witness"] {
        fs::copy(folder.path().join(file), copy.join(file)).unwrap();
    }
    let copied = copy.join("anzen.db");
    assert_eq!((restorations(&copied), restorations(&path)), (1, 0));
    assert_eq!(restorations(&copied), 1, "found out once");
}

#[test]
fn a_file_that_was_put_back_is_another_store() {
    let (folder, path) = folder();
    drop(open(&path).unwrap());
    let kept = folder.path().join("kept");
    fs::copy(&path, &kept).unwrap();
    drop(open(&path).unwrap());
    // In place: the inode is the same.
    fs::write(&path, fs::read(&kept).unwrap()).unwrap();
    assert_eq!(restorations(&path), 1);
    // Again, though the copy knows nothing of the first time.
    fs::write(&path, fs::read(&kept).unwrap()).unwrap();
    assert_eq!(restorations(&path), 1, "more than what the copy knew");
}

#[test]
fn a_folder_that_was_put_back_in_place_is_another_store() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    let files = [path.clone(), path.with_extension("db.witness")];
    let kept = files.clone().map(|file| fs::read(file).unwrap());
    drop(open(&path).unwrap());
    for (file, content) in files.iter().zip(kept) {
        fs::write(file, content).unwrap();
    }
    assert_eq!(restorations(&path), 1);
}

/// Some file systems number files anew; that is told apart from a copy only by whoever runs it.
#[test]
fn where_files_have_no_lasting_numbers_the_folder_is_the_same_and_an_older_file_is_not() {
    let unstable = StoreConfig { file_ids_are_stable: false, ..StoreConfig::default() };
    let restorations = |path: &Path| {
        SqliteStore::open_with(path, &unstable, StoreMetrics::default()).unwrap().restorations()
    };
    let (folder, path) = folder();
    assert_eq!(restorations(&path), 0);
    let older = fs::read(&path).unwrap();
    let renumber = |file: &Path| {
        fs::copy(file, folder.path().join("new")).unwrap();
        fs::rename(folder.path().join("new"), file).unwrap();
    };
    for _ in 0..2 {
        renumber(&path);
        renumber(&path.with_extension("db.witness"));
        assert_eq!(restorations(&path), 0);
    }
    fs::write(&path, older).unwrap();
    assert_eq!(restorations(&path), 1);
}
