use super::testing::Scripted;
use super::*;
use std::path::PathBuf;

const BLS: &str = "1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef";

/// A folder with a keystore under the password "correct horse".
fn keystore() -> (tempfile::TempDir, KeySource) {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "bls.json", include_str!("keystore/fixtures/bls_pbkdf2.json"));
    (folder, KeySource { keystore: Some(path), ..KeySource::default() })
}

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn load(source: &KeySource, around: &Scripted) -> Result<String, KeyError> {
    Loader::new(around).bls(source).map(|key| key.to_hex().to_string())
}

#[test]
fn a_password_comes_from_a_file_whose_line_end_is_not_part_of_it() {
    let (folder, source) = keystore();
    for text in ["correct horse", "correct horse\n", "correct horse\r\n"] {
        let source = KeySource { password_file: Some(write(&folder, "password", text)), ..source.clone() };
        assert_eq!(load(&source, &Scripted::default()).unwrap(), BLS);
    }
    let source = KeySource { password_file: Some(write(&folder, "password", "correct horse\n\n")), ..source };
    assert!(load(&source, &Scripted::default()).is_err());
}

#[test]
fn a_password_comes_from_its_variable() {
    let (_folder, source) = keystore();
    let around = Scripted::with_variable("ANZEN_BLS_PASSWORD", "correct horse");
    assert_eq!(load(&source, &around).unwrap(), BLS);
    let other = Scripted::with_variable("ANZEN_ECDSA_PASSWORD", "correct horse");
    assert!(matches!(load(&source, &other), Err(KeyError::NoPassword { .. })));
}

#[test]
fn a_person_is_asked_and_may_try_three_times() {
    let (_folder, source) = keystore();
    let around = Scripted::answering(["wrong", "wrong again", "correct horse"]);
    assert_eq!(load(&source, &around).unwrap(), BLS);
    assert_eq!(around.told.borrow().len(), 2);
    let around = Scripted::answering(["wrong", "wrong again", "still wrong", "correct horse"]);
    let error = load(&source, &around).unwrap_err();
    assert!(matches!(error, KeyError::Keystore { source: KeystoreError::WrongPassword, .. }), "{error}");
}

#[test]
fn a_wrong_password_that_was_given_is_not_asked_for_again() {
    let (_folder, source) = keystore();
    let mut around = Scripted::answering(["correct horse"]);
    around.variables.insert("ANZEN_BLS_PASSWORD", "wrong".into());
    assert!(load(&source, &around).is_err());
}

#[test]
fn without_a_terminal_the_error_lists_the_ways() {
    let (_folder, source) = keystore();
    let text = load(&source, &Scripted::default()).unwrap_err().to_string();
    for way in ["password_file", "ANZEN_BLS_PASSWORD", "terminal", "bls.json"] {
        assert!(text.contains(way), "{text}");
    }
}

#[test]
fn a_private_key_comes_from_a_file_or_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "key", &format!("0x{BLS}\n"));
    let source = KeySource { private_key_file: Some(path), ..KeySource::default() };
    assert_eq!(load(&source, &Scripted::default()).unwrap(), BLS);
    let around = Scripted::with_variable("ANZEN_BLS_PRIVATE_KEY", BLS);
    assert_eq!(load(&KeySource::default(), &around).unwrap(), BLS);
    let account = Scripted::with_variable("ANZEN_ECDSA_PRIVATE_KEY", BLS);
    assert!(Loader::new(&account).ecdsa(&KeySource::default()).is_ok());
}

#[test]
fn two_ways_are_refused_even_if_they_are_the_same_key() {
    let (_folder, source) = keystore();
    let around = Scripted::with_variable("ANZEN_BLS_PRIVATE_KEY", BLS);
    let text = load(&source, &around).unwrap_err().to_string();
    assert!(text.contains("keys.bls.keystore") && text.contains("ANZEN_BLS_PRIVATE_KEY"), "{text}");
}

#[test]
fn no_way_at_all_is_an_error_that_lists_them() {
    let text = load(&KeySource::default(), &Scripted::default()).unwrap_err().to_string();
    assert!(text.contains("keys.bls.keystore") && text.contains("ANZEN_BLS_PRIVATE_KEY"), "{text}");
}

#[test]
fn an_error_names_the_file_and_never_the_key() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["0xnotakey", "", "0x00", &"7".repeat(80)] {
        let path = write(&folder, "key", text);
        let source = KeySource { private_key_file: Some(path), ..KeySource::default() };
        let around = Scripted::default();
        let errors = [Loader::new(&around).bls(&source).err(), Loader::new(&around).ecdsa(&source).err()];
        for error in errors.map(Option::unwrap) {
            let told = format!("{error} {:?}", std::error::Error::source(&error).map(ToString::to_string));
            assert!(told.contains("/key") && !told.contains("notakey") && !told.contains("7777"), "{told}");
        }
    }
}

#[test]
fn a_new_password_is_asked_for_twice_and_is_not_empty() {
    let from = PasswordFrom {
        what: "a key",
        file: None,
        file_setting: "--password-file",
        variable: "ANZEN_BLS_PASSWORD",
    };
    let get = |answers: [&'static str; 2]| NewPassword(from).get(&Scripted::answering(answers));
    assert_eq!(get(["a", "a"]).unwrap().as_str(), "a");
    assert!(matches!(get(["a", "b"]), Err(KeyError::PasswordsDiffer)));
    assert!(matches!(get(["", ""]), Err(KeyError::EmptyPassword)));
    assert!(matches!(NewPassword(from).get(&Scripted::default()), Err(KeyError::NoPassword { .. })));
    let around = Scripted::with_variable("ANZEN_BLS_PASSWORD", "a");
    assert_eq!(NewPassword(from).get(&around).unwrap().as_str(), "a");
}

#[test]
fn a_folder_lists_what_its_keystores_say_without_a_password() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "one.bls.key.json", include_str!("keystore/fixtures/bls_pbkdf2.json"));
    write(&folder, "one.ecdsa.key.json", include_str!("keystore/fixtures/ecdsa_scrypt.json"));
    write(&folder, "broken.bls.key.json", "{");
    write(&folder, "swapped.bls.key.json", include_str!("keystore/fixtures/ecdsa_scrypt.json"));
    write(&folder, "notes.txt", "");
    let keys = Folder::new(Some(folder.path().into()), &Scripted::default());
    let entries = keys.list().unwrap();
    let told: Vec<_> = entries.iter().map(|key| (key.name.as_str(), key.kind, key.owner.is_ok())).collect();
    assert_eq!(
        told,
        [
            ("broken", KeyKind::Bls, false),
            ("one", KeyKind::Bls, true),
            ("one", KeyKind::Ecdsa, true),
            ("swapped", KeyKind::Bls, false)
        ]
    );
    assert!(Folder::new(Some("/nowhere/at/all".into()), &Scripted::default()).list().unwrap().is_empty());
}

#[test]
fn the_folder_is_the_flags_or_the_variables_or_the_homes() {
    let mut around = Scripted::with_variable("HOME", "/home/somebody");
    let path = |around: &Scripted| Folder::new(None, around).path().display().to_string();
    assert_eq!(path(&around), "/home/somebody/.anzen/keys");
    around.variables.insert("ANZEN_KEYS_DIR", "/keys".into());
    assert_eq!(path(&around), "/keys");
    assert_eq!(Folder::new(Some("/flag".into()), &around).path(), std::path::Path::new("/flag"));
}
