//! The store of real processes: killed, and short of room.
//!
//! The child processes are this program again, with a test that is otherwise left out.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anzen_actors::adapters::{SqliteStore, StoreMetrics};
use anzen_actors::ports::{Space, Store, Write};
use futures::future::join_all;

const SPACE: Space = Space("tests");
const ROLE: &str = "STORE_TEST_ROLE";
const PATH: &str = "STORE_TEST_PATH";
/// How many writers a child has at once.
const WRITERS: u64 = 4;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, StoreMetrics::default()).unwrap()
}

fn key(writer: u64, number: u64) -> Vec<u8> {
    [writer.to_be_bytes(), number.to_be_bytes()].concat()
}

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    // On a line of its own, whatever the test harness has said before.
    write!(out, "\n{words}\n").unwrap();
    out.flush().unwrap();
}

#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    let path = PathBuf::from(std::env::var_os(PATH).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    match std::env::var(ROLE).unwrap().as_str() {
        "write" => runtime.block_on(write_for_ever(&path)),
        "fill" => runtime.block_on(fill(&path)),
        _ => {
            say("opening");
            match SqliteStore::open(&path, StoreMetrics::default()) {
                Ok(_) => say("opened"),
                Err(error) => say(&format!("refused {error}")),
            }
        }
    }
}

/// Each writer puts one record after the other, and says so once it is acknowledged.
async fn write_for_ever(path: &Path) {
    say("opening");
    let store = open(path);
    let there = store.load(SPACE).await.unwrap();
    let writer = async |writer: u64| {
        let prefix = writer.to_be_bytes();
        let mut number = there.iter().filter(|(key, _)| key.starts_with(&prefix)).count() as u64;
        loop {
            let key = key(writer, number);
            // A batch: both or none.
            let marker = Write::Put { space: Space("markers"), key: key.clone(), value: vec![] };
            let record = Write::Put { space: SPACE, key: key.clone(), value: key };
            store.commit(vec![record, marker]).await.unwrap();
            say(&format!("ack {writer} {number}"));
            number += 1;
        }
    };
    join_all((0..WRITERS).map(writer)).await;
}

/// Writes until there is no room.
async fn fill(path: &Path) {
    let store = open(path);
    for number in 0.. {
        let put = Write::Put { space: SPACE, key: key(0, number), value: vec![7; 10_000] };
        match store.commit(vec![put]).await {
            Ok(()) => say(&format!("ack 0 {number}")),
            Err(error) => {
                say(&format!("refused {error}"));
                // What was there before can still be read.
                assert_eq!(store.load(SPACE).await.unwrap().len() as u64, number);
                return;
            }
        }
    }
}

/// This program, as a child with a role; in a shell that may first set limits.
fn command(role: &str, path: &Path, limits: Option<&str>) -> Command {
    let own = std::env::current_exe().unwrap();
    let mut command = match limits {
        None => Command::new(own),
        Some(limits) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{limits}; exec \"$0\" \"$@\"")]).arg(own);
            shell
        }
    };
    command.args(["--exact", "store::child", "--ignored", "--nocapture"]);
    command.env(ROLE, role).env(PATH, path).stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::null());
    command
}

struct Running {
    child: Child,
    said: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(role: &str, path: &Path) -> Self {
        let mut child = command(role, path, None).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// Waits until it has said so.
    fn until(&mut self, words: &str) {
        assert!(self.said.by_ref().map_while(Result::ok).any(|line| line == words), "it never said {words}");
    }

    /// Kills it with SIGKILL; returns the rest of what it has said.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said.map_while(Result::ok).collect()
    }
}

/// The last number that each writer was told is kept.
fn note(acknowledged: &mut BTreeMap<u64, u64>, line: &str) -> bool {
    let Some((writer, number)) = line.strip_prefix("ack ").and_then(|rest| rest.split_once(' ')) else {
        return false;
    };
    // A line that the kill has cut off says nothing.
    if let (Ok(writer), Ok(number)) = (writer.parse(), number.parse::<u64>()) {
        let last = acknowledged.entry(writer).or_default();
        *last = number.max(*last);
    }
    true
}

#[tokio::test]
async fn what_was_acknowledged_survives_fifty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anzen.db");
    let mut acknowledged = BTreeMap::new();
    for round in 0..50 {
        let mut running = Running::start("write", &path);
        running.until("opening");
        // Some are killed while they open the file, or make it; the others after some writes.
        let mut left = if round % 5 == 0 { 0 } else { 1 + round * 7 % 23 };
        while left > 0 {
            let line = running.said.next().unwrap().unwrap();
            left -= u32::from(note(&mut acknowledged, &line));
        }
        for line in running.kill() {
            note(&mut acknowledged, &line);
        }
    }
    let store = open(&path);
    assert_eq!(store.restorations(), 0, "a kill is no restoration");
    let records: BTreeMap<_, _> = store.load(SPACE).await.unwrap().into_iter().collect();
    assert_eq!(acknowledged.len() as u64, WRITERS);
    for (writer, last) in acknowledged {
        for number in 0..=last {
            let key = key(writer, number);
            assert_eq!(records.get(&key), Some(&key), "writer {writer}, number {number}");
        }
    }
    let markers = store.load(Space("markers")).await.unwrap();
    assert!(markers.iter().map(|(key, _)| key).eq(records.keys()), "half a batch");
}

#[tokio::test]
async fn a_kill_during_a_migration_leaves_one_or_the_other() {
    const RECORDS: i64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store-v1.db");
    let large = folder.path().join("large.db");
    std::fs::copy(golden, &large).unwrap();
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {RECORDS})
         INSERT INTO kv SELECT 'many', CAST(i AS BLOB), randomblob(100) FROM n"
    );
    rusqlite::Connection::open(&large).unwrap().execute_batch(&sql).unwrap();
    let copy = |name: &str| {
        let path = folder.path().join(name).join("anzen.db");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::copy(&large, &path).unwrap();
        path
    };
    let path = copy("whole");
    let mut running = Running::start("open", &path);
    running.until("opening");
    let begin = std::time::Instant::now();
    running.until("opened");
    let (whole, rounds) = (begin.elapsed(), 12);
    running.kill();
    for round in 0..rounds {
        let path = copy(&format!("killed {round}"));
        let mut running = Running::start("open", &path);
        running.until("opening");
        // Chance decides where it is then; what is asserted holds everywhere.
        std::thread::sleep(whole * round / rounds);
        running.kill();
        let connection = rusqlite::Connection::open(&path).unwrap();
        let schema: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert!([1, 2].contains(&schema), "{schema}");
        drop(connection);
        let store = open(&path);
        assert_eq!(store.load(Space("many")).await.unwrap().len() as i64, RECORDS);
        assert_eq!(store.load(SPACE).await.unwrap().len(), 3);
    }
}

fn said(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Without the signal, a write beyond the limit fails, as on a full disk.
fn limit(kibibytes: u32) -> String {
    format!("trap '' XFSZ; ulimit -f {}", kibibytes * 2)
}

#[tokio::test]
async fn where_there_is_no_room_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anzen.db");
    let lines = said(&mut command("fill", &path, Some(&limit(500))));
    let refused =
        lines.iter().find(|line| line.starts_with("refused ")).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(refused.contains("cannot be written") || refused.contains("the disk is full"), "{refused}");
    let mut acknowledged = BTreeMap::new();
    lines.iter().for_each(|line| _ = note(&mut acknowledged, line));

    // With room again, all is there, and the work goes on.
    let store = open(&path);
    let records = store.load(SPACE).await.unwrap();
    assert!(records.len() as u64 > acknowledged[&0] && acknowledged[&0] > 10, "{acknowledged:?}");
    store.commit(vec![Write::Put { space: SPACE, key: vec![], value: vec![] }]).await.unwrap();
}

#[tokio::test]
async fn a_start_without_room_is_refused_and_leaves_nothing_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anzen.db");
    for kibibytes in [0, 1, 4, 8] {
        let lines = said(&mut command("open", &path, Some(&limit(kibibytes))));
        assert!(lines.iter().any(|line| line.starts_with("refused ")), "{kibibytes}: {lines:?}");
    }
    let store = open(&path);
    store.commit(vec![Write::Put { space: SPACE, key: vec![1], value: vec![] }]).await.unwrap();
    drop(store);
    let lines = said(&mut command("open", &path, Some(&limit(0))));
    assert!(lines.iter().any(|line| line.starts_with("refused ")), "{lines:?}");
    assert_eq!(open(&path).load(SPACE).await.unwrap().len(), 1);
}
