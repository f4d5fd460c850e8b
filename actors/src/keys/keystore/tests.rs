//! Keystores that other tools wrote.
//!
//! The files in `fixtures/` were written by tools that share no code with this one: those of BLS keys by a script over
//! pycryptodome (AES, Keccak), Python's hashlib (scrypt, PBKDF2, SHA-256) and py_ecc (the public keys), following
//! eigensdk-go, bn254-keystore-go and rust-bls-bn254; those of ECDSA keys by eth-keyfile, `ecdsa_cast.json` by Foundry's
//! `cast wallet new`. Their keys are for development: anybody can open them.

use super::*;

const PASSWORD: &str = "correct horse";
/// The password of the fixtures of EIP-2335: that of the EIP's example.
const UNICODE: &str = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
/// The BLS key of most fixtures, and the id that py_ecc and Keccak give its operator.
const BLS: &str = "1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef";
const OPERATOR_ID: &str = "0x349f9310273a8c4383749e137887aa02e8f1fada8f181449796da01aec23455a";
/// The order of BN254, less one.
const LARGEST_BLS: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000";
/// Anvil's first account.
const ACCOUNT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name, ".json"))
    };
}

fn bls(file: &str, password: &str) -> Result<SecretKey, KeystoreError> {
    Keystore::read(file)?.open_bls(password)
}

fn ecdsa(file: &str, password: &str) -> Result<PrivateKeySigner, KeystoreError> {
    Keystore::read(file)?.open_ecdsa(password)
}

/// A fixture with one field replaced.
fn with(file: &str, pointer: &str, value: Value) -> String {
    let mut json: Value = serde_json::from_str(file).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    json.to_string()
}

fn key(hex: &str) -> SecretKey {
    SecretKey::from_hex(hex).unwrap()
}

#[test]
fn bls_keys_of_eigenlayers_cli_open_and_are_what_they_state() {
    for file in [fixture!("bls_scrypt"), fixture!("bls_pbkdf2")] {
        assert_eq!(bls(file, PASSWORD), Ok(key(BLS)));
        let owner = Keystore::read(file).unwrap().owner().clone();
        assert_eq!(
            (owner.kind(), owner.operator_id()),
            (Some(KeyKind::Bls), Some(OperatorId(OPERATOR_ID.parse().unwrap())))
        );
        assert_eq!(owner.operator_id(), Some(key(BLS).public_key().operator_id()));
    }
}

#[test]
fn a_secret_whose_leading_zeros_were_dropped_is_the_same_number() {
    let short = key("abcdef1234567890abcdef1234567890abcdef1234567890abcdef123456");
    assert_eq!(bls(fixture!("bls_short_secret"), PASSWORD), Ok(short));
}

#[test]
fn a_coordinate_just_below_the_modulus_is_printed_as_a_negative_one() {
    assert_eq!(bls(fixture!("bls_negative_coordinate"), PASSWORD), Ok(key(LARGEST_BLS)));
}

#[test]
fn a_public_key_may_have_spaces_or_hexadecimal_coordinates() {
    let Value::String(stated) = json!(PublicKeyText::of(&key(BLS).public_key()).to_string()) else {
        unreachable!()
    };
    let (x, y) = key(BLS).public_key().g1().to_words();
    for text in [stated.replace(',', ", ").replace('[', " [ "), format!("E([{x:#x}, {y:#x}])")] {
        assert_eq!(
            bls(&with(fixture!("bls_pbkdf2"), "/pubKey", json!(text)), PASSWORD),
            Ok(key(BLS)),
            "{text}"
        );
    }
}

#[test]
fn eip_2335_is_read_with_each_serialisation_of_the_public_key() {
    for file in
        [fixture!("eip2335_gnark_compressed"), fixture!("eip2335_gnark_raw"), fixture!("eip2335_arkworks")]
    {
        assert_eq!(bls(file, UNICODE), Ok(key(BLS)));
        // The password's control characters do not count, nor does how its letters are composed.
        assert_eq!(bls(file, "testpassword\u{7f}🔑\n"), Ok(key(BLS)));
        assert_eq!(bls(file, "testpassword"), Err(KeystoreError::WrongPassword));
    }
}

#[test]
fn ecdsa_keys_of_other_wallets_open() {
    for file in [fixture!("ecdsa_scrypt"), fixture!("ecdsa_pbkdf2")] {
        let key = ecdsa(file, PASSWORD).unwrap();
        assert_eq!(key.address().to_string(), ACCOUNT);
        assert_eq!(Keystore::read(file).unwrap().owner(), &Owner::Ecdsa(key.address()));
    }
    let cast = ecdsa(fixture!("ecdsa_cast"), PASSWORD).unwrap();
    assert_eq!(cast.address().to_string(), "0xF96034fc58c5f5C6f3D3A52c118540591F6fc3c0");
    assert_eq!(Keystore::read(fixture!("ecdsa_cast")).unwrap().owner(), &Owner::Unsaid);
}

/// The two test vectors of the Web3 Secret Storage definition.
#[test]
fn the_definitions_own_vectors_open() {
    let vector = |kdf: &str, kdfparams: Value, iv: &str, ciphertext: &str, mac: &str| {
        let crypto = json!({ "cipher": "aes-128-ctr", "cipherparams": { "iv": iv }, "ciphertext": ciphertext,
            "kdf": kdf, "kdfparams": kdfparams, "mac": mac });
        json!({ "Crypto": crypto, "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3 }).to_string()
    };
    let scrypt = vector(
        "scrypt",
        json!({ "dklen": 32, "n": 262_144, "p": 8, "r": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19" }),
        "83dbcc02d8ccb40e466191a123791e0e",
        "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    );
    let pbkdf2 = vector(
        "pbkdf2",
        json!({ "c": 262_144, "dklen": 32, "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd" }),
        "6087dab2f9fdbbfaddc31a909735c1e6",
        "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    );
    for file in [scrypt, pbkdf2] {
        let key = ecdsa(&file, "testpassword").unwrap();
        assert_eq!(
            hex::encode(key.to_bytes()),
            "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
        );
    }
}

#[test]
fn what_is_written_is_read_and_has_the_fields_that_others_expect() {
    let secret = key(BLS);
    let file = Keystore::seal_bls(&secret, PASSWORD, Strength::Light).unwrap();
    assert_eq!(bls(&file, PASSWORD), Ok(secret));
    let (written, fixture): (Value, Value) =
        (serde_json::from_str(&file).unwrap(), serde_json::from_str(fixture!("bls_scrypt")).unwrap());
    assert_eq!(fields(&written), fields(&fixture));
    assert_eq!(written["pubKey"], fixture["pubKey"]);

    let account = ecdsa(fixture!("ecdsa_scrypt"), PASSWORD).unwrap();
    let file = Keystore::seal_ecdsa(&account, PASSWORD, Strength::Light).unwrap();
    assert_eq!(ecdsa(&file, PASSWORD).unwrap().address(), account.address());
    let written: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(fields(&written), fields(&serde_json::from_str(fixture!("ecdsa_scrypt")).unwrap()));
    let id = written["id"].as_str().unwrap();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'4' && "89ab".contains(&id[19..20]), "{id}");
}

/// The paths of all values.
fn fields(json: &Value) -> Vec<String> {
    let Value::Object(fields) = json else { return vec![String::new()] };
    let below = |(name, value): (&String, &Value)| {
        self::fields(value).into_iter().map(|path| format!("/{name}{path}")).collect::<Vec<_>>()
    };
    let mut paths: Vec<String> = fields.iter().flat_map(below).collect();
    paths.sort();
    paths
}

#[test]
fn a_wrong_password_is_said_to_be_one() {
    assert_eq!(bls(fixture!("bls_scrypt"), "Correct horse"), Err(KeystoreError::WrongPassword));
    assert_eq!(ecdsa(fixture!("ecdsa_pbkdf2"), "").err(), Some(KeystoreError::WrongPassword));
}

#[test]
fn a_ciphertext_that_was_changed_is_not_decrypted() {
    let file = with(fixture!("bls_pbkdf2"), "/crypto/ciphertext", json!("00".repeat(32)));
    assert_eq!(bls(&file, PASSWORD), Err(KeystoreError::WrongPassword));
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    for file in [fixture!("bls_scrypt"), fixture!("ecdsa_scrypt"), fixture!("eip2335_gnark_raw")] {
        let end = file.trim_end().len();
        for length in (0..end).filter(|length| file.is_char_boundary(*length)) {
            assert_eq!(Keystore::read(&file[..length]).err(), Some(KeystoreError::Truncated), "{length}");
        }
    }
}

#[test]
fn what_is_no_keystore_is_refused_and_not_quoted() {
    let secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
    let digits = "12345678901234567890123456789012345678901234567890123456789012345678901234567";
    for text in
        [secret, digits, "\"7a28b5ba\"", "[7, 8]", "{}", r#"{"crypto":"7a28b5ba"}"#, r#"{"crypto":{}}"#]
    {
        let error = Keystore::read(text).unwrap_err();
        assert!(matches!(error, KeystoreError::NotJson { .. } | KeystoreError::Malformed(_)), "{error:?}");
        assert!(!error.to_string().contains("7a28") && !error.to_string().contains("1234"), "{error}");
    }
}

#[test]
fn what_is_not_known_is_named() {
    let file = fixture!("bls_scrypt");
    let read = |pointer, value| Keystore::read(&with(file, pointer, value)).err();
    assert_eq!(read("/crypto/kdf", json!("argon2")), Some(KeystoreError::Kdf("argon2".into())));
    assert_eq!(
        read("/crypto/cipher", json!("aes-256-gcm")),
        Some(KeystoreError::Cipher("aes-256-gcm".into()))
    );
    let version = Keystore::read(&with(fixture!("ecdsa_scrypt"), "/version", json!(1))).err();
    assert_eq!(version, Some(KeystoreError::Version(1)));
    let eip = fixture!("eip2335_gnark_compressed");
    let read = |pointer, value| Keystore::read(&with(eip, pointer, value)).err();
    assert_eq!(read("/crypto/checksum/function", json!("md5")), Some(KeystoreError::Checksum("md5".into())));
    assert_eq!(read("/curve", json!("bls12-381")), Some(KeystoreError::Curve("bls12-381".into())));
}

#[test]
fn fields_of_a_wrong_shape_are_named() {
    for (pointer, value, at) in [
        ("/crypto/cipherparams/iv", json!("00"), "crypto.cipherparams.iv"),
        ("/crypto/mac", json!("00"), "crypto.mac"),
        ("/crypto/kdfparams/n", json!(-1), "crypto.kdfparams"),
        ("/crypto/kdfparams/salt", json!("no hex"), "crypto.kdfparams"),
        ("/pubKey", json!("E([1])"), "pubKey"),
        (
            "/pubKey",
            json!("E([1,99999999999999999999999999999999999999999999999999999999999999999999999999999])"),
            "pubKey",
        ),
        ("/pubKey", json!(7), "pubKey"),
    ] {
        let error = Keystore::read(&with(fixture!("bls_scrypt"), pointer, value)).err();
        assert_eq!(error, Some(KeystoreError::Malformed(at)), "{pointer}");
    }
    let long = with(fixture!("bls_scrypt"), "/crypto/ciphertext", json!("00".repeat(33)));
    assert_eq!(Keystore::read(&long).err(), Some(KeystoreError::Length(33)));
}

#[test]
fn parameters_that_would_eat_the_memory_are_refused() {
    let file = with(fixture!("bls_scrypt"), "/crypto/kdfparams/n", json!(1u64 << 40));
    let error = Keystore::read(&file).unwrap_err();
    assert!(matches!(error, KeystoreError::OutOfBounds { .. }), "{error}");
    assert!(error.to_string().contains("at most 1 GiB"), "{error}");
}

#[test]
fn a_secret_that_is_no_key_is_refused() {
    use anzen_messages::bls::SecretKeyError;
    assert_eq!(bls(fixture!("bls_zero"), PASSWORD), Err(KeystoreError::Bls(SecretKeyError::Zero)));
    assert_eq!(bls(fixture!("bls_order"), PASSWORD), Err(KeystoreError::Bls(SecretKeyError::TooLarge)));
    assert_eq!(ecdsa(fixture!("ecdsa_zero"), PASSWORD).err(), Some(KeystoreError::Zero));
    assert_eq!(ecdsa(fixture!("ecdsa_order"), PASSWORD).err(), Some(KeystoreError::TooLarge));
}

#[test]
fn a_file_that_states_another_key_than_it_holds_is_refused() {
    let error = bls(fixture!("bls_of_another_key"), PASSWORD).unwrap_err();
    assert!(matches!(error, KeystoreError::Mismatch { .. }), "{error}");
    let other = "0x0000000000000000000000000000000000000001";
    let error = ecdsa(&with(fixture!("ecdsa_scrypt"), "/address", json!(other)), PASSWORD).unwrap_err();
    assert!(error.to_string().contains(other) && error.to_string().contains(ACCOUNT), "{error}");
}

#[test]
fn a_key_of_the_other_kind_is_refused_before_the_password_is_tried() {
    let error = bls(fixture!("ecdsa_scrypt"), PASSWORD).unwrap_err();
    assert_eq!(error, KeystoreError::OtherKind { wanted: KeyKind::Bls, found: KeyKind::Ecdsa });
    let error = ecdsa(fixture!("bls_scrypt"), PASSWORD).unwrap_err();
    assert_eq!(error, KeystoreError::OtherKind { wanted: KeyKind::Ecdsa, found: KeyKind::Bls });
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in ".{0,200}", pointer in 0usize..6, value in ".{0,40}") {
        let _ = Keystore::read(&text);
        let pointers = ["/crypto", "/crypto/kdfparams", "/crypto/ciphertext", "/crypto/cipherparams", "/crypto/mac", "/pubKey"];
        let _ = Keystore::read(&with(fixture!("bls_scrypt"), pointers[pointer], json!(value)));
    }
}
