//! `anzen keys`, as a person or a script runs it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const BLS: &str = "1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef";
/// The operator's id of that key, by other tools (see keys/keystore/tests.rs).
const OPERATOR_ID: &str = "0x349f9310273a8c4383749e137887aa02e8f1fada8f181449796da01aec23455a";

/// A folder of keys, and files beside it.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        keys.write("password", "correct horse\n");
        keys.write("new-password", "battery staple\n");
        keys.write("bls.hex", BLS);
        keys
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs a command in the folder, with no terminal and none of this process's variables.
    fn run(&self, command: &str) -> Output {
        let arguments = command.split_whitespace();
        let mut anzen = Command::new(env!("CARGO_BIN_EXE_anzen"));
        anzen.args(["keys", "--dir", "keys"]).args(arguments).current_dir(self.0.path());
        anzen.env_clear().stdin(Stdio::null()).output().unwrap()
    }

    /// What a command that succeeds prints as JSON.
    fn json(&self, command: &str) -> Value {
        let output = self.run(&format!("--json {command}"));
        assert!(output.status.success(), "{command}: {}", errors(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a command that fails says.
    fn error(&self, command: &str) -> String {
        let output = self.run(command);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(output.stdout.is_empty(), "{command}");
        errors(&output)
    }

    fn import(&self) -> Value {
        self.json("import --type bls --private-key-file bls.hex --name mine --light --password-file password")
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_generated_key_is_listed_without_its_password_and_its_owners_alone() {
    let keys = Keys::new();
    for kind in ["bls", "ecdsa"] {
        let made = keys.json(&format!("generate --type {kind} --light --password-file password"));
        let file = keys.path(made["file"].as_str().unwrap());
        assert_eq!(file, keys.path(&format!("keys/anzen.{kind}.key.json")));
        assert_eq!(mode(&file), 0o600);
        let listed = keys.json("list");
        let listed = listed["keys"].as_array().unwrap().iter().find(|key| key["type"] == kind).unwrap();
        for field in ["address", "operatorId", "publicKey"] {
            assert_eq!(listed[field], made[field]);
        }
    }
    let table = String::from_utf8(keys.run("list").stdout).unwrap();
    assert!(table.trim_start().starts_with("NAME") && table.lines().count() == 3, "{table}");
}

#[test]
fn a_key_goes_in_and_comes_out_as_it_was() {
    let keys = Keys::new();
    assert_eq!(keys.import()["operatorId"], OPERATOR_ID);
    let exported = keys.json("export mine --password-file password --yes");
    assert_eq!((&exported["type"], &exported["privateKey"]), (&"bls".into(), &BLS.into()));
    let written = keys.json("export mine --password-file password --out mine.hex");
    assert_eq!(written["privateKeyFile"], "mine.hex");
    assert_eq!(std::fs::read_to_string(keys.path("mine.hex")).unwrap().trim(), BLS);
    assert_eq!(mode(&keys.path("mine.hex")), 0o600);
}

#[test]
fn a_keystore_of_another_tool_is_imported_under_a_new_password() {
    let keys = Keys::new();
    keys.write("theirs.json", include_str!("../../src/keys/keystore/fixtures/bls_scrypt.json"));
    let new = keys.json(
        "import --from theirs.json --from-password-file password --password-file new-password --name new --light",
    );
    assert_eq!(new["operatorId"], OPERATOR_ID);
    let exported = keys.json("export new --password-file new-password --yes");
    assert_eq!(exported["privateKey"], BLS);
    assert!(keys.error("export new --password-file password --yes").contains("password is wrong"));
}

#[test]
fn a_keystore_that_does_not_say_its_kind_is_asked_about() {
    let keys = Keys::new();
    keys.write("cast.json", include_str!("../../src/keys/keystore/fixtures/ecdsa_cast.json"));
    let import = "import --from cast.json --from-password-file password --password-file password --light";
    assert!(keys.error(import).contains("--type"));
    let imported = keys.json(&format!("{import} --type ecdsa"));
    assert_eq!(imported["address"], "0xf96034fc58c5f5c6f3d3a52c118540591f6fc3c0");
}

#[test]
fn a_file_is_never_overwritten() {
    let keys = Keys::new();
    keys.import();
    let before = std::fs::read(keys.path("keys/mine.bls.key.json")).unwrap();
    let error = keys.error("generate --type bls --name mine --light --password-file password");
    assert!(error.contains("exists"), "{error}");
    assert_eq!(std::fs::read(keys.path("keys/mine.bls.key.json")).unwrap(), before);
    assert!(keys.error("export mine --password-file password --out bls.hex").contains("exists"));
}

#[test]
fn a_private_key_is_not_shown_where_nobody_confirms() {
    let keys = Keys::new();
    keys.import();
    let error = keys.error("export mine --password-file password");
    assert!(error.contains("--yes") && error.contains("--out") && !error.contains(BLS), "{error}");
}

#[test]
fn without_a_terminal_the_ways_to_give_a_password_are_listed() {
    let keys = Keys::new();
    let error = keys.error("generate --type ecdsa");
    assert!(error.contains("--password-file") && error.contains("ANZEN_ECDSA_PASSWORD"), "{error}");
    assert!(!keys.path("keys").exists(), "nothing is left behind");
}

#[test]
fn a_password_and_a_private_key_are_no_flags() {
    let keys = Keys::new();
    for command in ["generate --type bls --password secret", "import --type bls --private-key 01"] {
        assert_eq!(keys.run(command).status.code(), Some(2), "{command}");
    }
}

#[test]
fn errors_of_files_say_what_is_wrong() {
    let keys = Keys::new();
    keys.import();
    let whole = std::fs::read_to_string(keys.path("keys/mine.bls.key.json")).unwrap();
    keys.write("truncated.json", &whole[..whole.len() / 2]);
    keys.write("greedy.json", &whole.replace("\"n\":4096", "\"n\":1099511627776"));
    keys.write("zero.hex", "0x00");
    for (command, text) in [
        ("export truncated.json --password-file password --yes", "truncated"),
        ("export greedy.json --password-file password --yes", "at most 1 GiB"),
        ("export bls.hex --password-file password --yes", "not JSON"),
        ("export nowhere --password-file password --yes", "no key \"nowhere\""),
        ("import --type bls --private-key-file zero.hex --password-file password", "is zero"),
        ("import --type ecdsa --private-key-file zero.hex --password-file password", "64 hexadecimal digits"),
    ] {
        let error = keys.error(command);
        assert!(error.contains(text) && !error.contains(BLS), "{command}: {error}");
    }
}
