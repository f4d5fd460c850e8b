//! `anzen operator protection` and `anzen store`, as programs.

use std::path::Path;
use std::process::Command;

use anzen_messages::bls::SecretKey;
use serde_json::{Value, json};

use crate::data_folder::operators_folder;

/// What a command ended with: its exit code and what it said.
fn anzen(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anzen"));
    let output =
        command.args(arguments).current_dir(folder).env("ANZEN_CONFIG", "anzen.toml").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The JSON that a command prints.
fn told(folder: &Path, arguments: &[&str]) -> Value {
    let (code, out, errors) = anzen(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {errors}");
    serde_json::from_str(&out).unwrap()
}

/// A file of the operator in [`operators_folder`], with an answer to each task.
fn file(folder: &Path, name: &str, answers: &[(u8, u8)]) {
    let record = |(task, answer): &(u8, u8)| {
        json!({
            "taskHash": format!("0x{}", format!("{task:02x}").repeat(32)),
            "digest": format!("0x{}", format!("{answer:02x}").repeat(32)),
            "safetyFactor": answer.to_string(),
            "createdBlock": 100 + u32::from(*task),
        })
    };
    let document = json!({
        "format": "anzen-signing-protection", "version": 1, "chainId": 31337,
        "taskManager": "0x0000000000000000000000000000000000000000",
        "operatorId": SecretKey::from_hex("7").unwrap().public_key().operator_id(),
        "floor": 90, "records": answers.iter().map(record).collect::<Vec<_>>(),
    });
    std::fs::write(folder.join(name), document.to_string()).unwrap();
}

#[test]
fn what_was_signed_moves_to_another_machine() {
    let (old, new) = (operators_folder(), operators_folder());
    let (old, new) = (old.path(), new.path());
    let (code, _, errors) = anzen(old, &["operator", "protection", "export"]);
    assert!(code == 1 && errors.contains("there is no store at"), "{errors}");
    assert!(!old.join("data").exists(), "looking makes none");

    file(old, "first.json", &[(1, 7), (2, 8)]);
    let imported = told(old, &["--json", "operator", "protection", "import", "first.json"]);
    assert_eq!(imported, json!({ "records": 2, "floor": 90, "startsAnew": true, "blocked": [] }));
    assert_eq!(told(old, &["--json", "operator", "protection", "show"]), imported);

    let exported = new.join("moved.json");
    let out = exported.to_str().unwrap();
    assert_eq!(anzen(old, &["operator", "protection", "export", "--out", out]).0, 0);
    let (code, _, errors) = anzen(old, &["operator", "protection", "export", "--out", out]);
    assert!(code == 1 && errors.contains("moved.json"), "a file is not overwritten: {errors}");
    assert_eq!(told(new, &["--json", "operator", "protection", "import", "moved.json"]), imported);

    // Another answer to task 1, of a process that had the key too.
    file(new, "second.json", &[(1, 9)]);
    let merged = told(new, &["operator", "protection", "merge", "moved.json", "second.json"]);
    assert_eq!(merged["records"][0]["blocked"], true);
    let imported = told(new, &["--json", "operator", "protection", "import", "second.json"]);
    assert_eq!(imported["blocked"], json!([format!("0x{}", "01".repeat(32))]));
    assert_eq!(told(new, &["operator", "protection", "export"]), merged);
}

#[test]
fn another_operators_file_and_one_that_is_none_are_refused() {
    let folder = operators_folder();
    let folder = folder.path();
    file(folder, "good.json", &[]);
    let text = std::fs::read_to_string(folder.join("good.json")).unwrap();
    std::fs::write(folder.join("other.json"), text.replace("31337", "1")).unwrap();
    std::fs::write(folder.join("none.json"), "{}").unwrap();
    for (name, reason) in
        [("other.json", "chain 1,"), ("none.json", "no signing protection"), ("absent.json", "absent.json")]
    {
        let (code, _, errors) = anzen(folder, &["operator", "protection", "import", name]);
        assert!(code == 1 && errors.contains(reason) && errors.contains(name), "{errors}");
    }
}

#[test]
fn a_store_is_looked_at_and_mended() {
    let folder = operators_folder();
    let folder = folder.path();
    file(folder, "first.json", &[(1, 7)]);
    told(folder, &["--json", "operator", "protection", "import", "first.json"]);
    assert_eq!(told(folder, &["--json", "store", "check"]), json!({ "ok": true, "problems": [] }));
    let shown = told(folder, &["--json", "store", "show"]);
    assert_eq!(
        (&shown["spaces"][0]["space"], &shown["spaces"][0]["records"]),
        (&json!("operator-signer.protection"), &json!(3))
    );
    let connection = rusqlite::Connection::open(folder.join("data/anzen.db")).unwrap();
    connection.execute("UPDATE kv SET value = X'00' WHERE length(key) = 32", []).unwrap();
    drop(connection);

    let (code, out, _) = anzen(folder, &["store", "check"]);
    let key = format!("0x{}", "01".repeat(32));
    let way_on = format!("anzen store drop-record operator-signer.protection {key}");
    assert!(code == 3 && out.contains(&way_on), "{out}");
    let (code, _, errors) = anzen(folder, &["operator", "protection", "show"]);
    assert!(code == 1 && errors.contains(&way_on), "{errors}");
    assert_eq!(
        told(folder, &["--json", "store", "show", "--space", "operator-signer.protection"])["records"][0]["value"],
        "0x00"
    );
    let (code, _, errors) = anzen(folder, &["store", "drop-record", "operator-signer.protection", "0x02"]);
    assert!(code == 1 && errors.contains("has no record 0x02"), "{errors}");
    let drop_record = ["store", "drop-record", "operator-signer.protection"];
    let (code, _, errors) = anzen(folder, &[&drop_record[..], &["0x666c6f6f72"]].concat());
    assert!(
        code == 1 && errors.contains("is what was written") && errors.contains("--even-if-whole"),
        "{errors}"
    );
    assert_eq!(anzen(folder, &[&drop_record[..], &[&key]].concat()).0, 0);
    let shown = told(folder, &["--json", "operator", "protection", "show"]);
    assert_eq!((&shown["records"], &shown["startsAnew"]), (&json!(0), &json!(true)));
}

#[test]
fn a_store_that_is_damaged_as_a_whole_is_told_by_the_exit_code() {
    let folder = operators_folder();
    let folder = folder.path();
    assert_eq!(anzen(folder, &["store", "check"]).0, 1, "there is none");
    file(folder, "first.json", &[]);
    told(folder, &["--json", "operator", "protection", "import", "first.json"]);
    std::fs::write(folder.join("data/anzen.db"), "").unwrap();
    let (code, out, _) = anzen(folder, &["store", "check"]);
    assert!(code == 3 && out.contains("is damaged (it is empty)"), "{out}");
    std::fs::remove_file(folder.join("data/anzen.db")).unwrap();
    let (code, out, _) = anzen(folder, &["store", "check"]);
    assert!(code == 3 && out.contains("is gone, and"), "{out}");
}

#[test]
fn who_put_a_volume_back_says_so() {
    let folder = operators_folder();
    let folder = folder.path();
    let restored = ["--json", "operator", "protection", "restored"];
    let (code, _, errors) = anzen(folder, &restored);
    assert!(code == 1 && errors.contains("there is no store at"), "{errors}");
    assert!(!folder.join("data").exists(), "saying so makes none");
    file(folder, "first.json", &[(1, 7)]);
    told(folder, &["--json", "operator", "protection", "import", "first.json"]);
    // As its next start would.
    let connection = rusqlite::Connection::open(folder.join("data/anzen.db")).unwrap();
    connection.execute("DELETE FROM kv WHERE key = CAST('barrier' AS BLOB)", []).unwrap();
    drop(connection);
    let show = ["--json", "operator", "protection", "show"];
    assert_eq!(told(folder, &show)["startsAnew"], false);
    let anew = json!({ "records": 1, "floor": 90, "startsAnew": true, "blocked": [] });
    assert_eq!((told(folder, &restored), told(folder, &show)), (anew.clone(), anew));
}
