//! The shell in which a guide's commands run.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::parse::{Action, Block, Directive, Guide, Step};

/// Within this time a background command has printed what it is to print, and a repeated one has succeeded.
const PATIENCE_SECS: u32 = 180;
/// Longer than any step takes, repeated ones on a busy machine too: what lasts longer waits for something that never comes.
const LIMIT: Duration = Duration::from_secs(600);

/// Definitions that every shell begins with. `jobs` have process groups of their own, so that Ctrl-C can be sent to one.
/// When the shell is gone, however it went, one process ends all that is left of its session.
const PROLOGUE: &str = r#"
set -m
exec 2>&1
__background=()
__run() { __failed=; trap '__failed=$?' ERR; eval "$1" </dev/null; __code=$?; trap - ERR; [ -z "$__failed" ] || [ "$__code" -ne 0 ] || __code=$__failed; }
__again() { for _ in $(seq 1 360); do __run "$1" >.again.log; [ "$__code" -eq 0 ] && break; sleep 0.5; done; cat .again.log; }
__until() { timeout PATIENCE tail -n +1 -F --pid="$1" "$2" 2>/dev/null | grep -q -m1 -F -- "$3"; __code=$?; [ "$__code" -eq 0 ] || cat "$2"; }
__interrupt() { local last=${__background[-1]}; unset '__background[-1]'; kill -INT -- "-$last"; wait "$last"; __code=0; }
__kill() {
    for stat in /proc/[0-9]*/stat; do
        { read -r line < "$stat"; } 2>/dev/null || continue
        set -- ${line%% *} ${line##*) }
        [ "$5" != "$$" ] || [ "$1" = "$BASHPID" ] || kill -KILL "$1"
    done
}
( trap '' INT; tail --pid=$$ -f /dev/null; __kill ) >/dev/null 2>&1 </dev/null &
disown
__end() { for __pid in "${__background[@]}"; do kill -INT -- "-$__pid"; wait "$__pid"; done 2>/dev/null; __background=(); __code=0; }
"#;

/// A shell, and where it runs.
pub struct Shell {
    process: Child,
    input: ChildStdin,
    /// Lines; it closes when the shell does.
    output: Receiver<String>,
    limit: Duration,
    /// A step has not ended, so that none can follow.
    stuck: bool,
    folder: PathBuf,
    repository: PathBuf,
    background: usize,
}

/// A step of a guide did not do what it says.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}\n{output}")]
pub struct ShellError {
    /// The line in the guide.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What the command printed.
    pub output: String,
}

impl Shell {
    /// A shell in `folder` with nothing in its environment but `environment`.
    ///
    /// # Errors
    /// Where there is no bash.
    pub fn start(
        folder: &Path,
        repository: &Path,
        environment: &[(String, String)],
    ) -> std::io::Result<Self> {
        // A session of its own tells what belongs to it; the kernel ends it with the thread that starts it, should the test be
        // killed; and Ctrl-C is heard, also where the tests run in the background and do not hear it themselves.
        let mut process = Command::new("setsid")
            .args([
                "env",
                "--default-signal=INT",
                "setpriv",
                "--pdeathsig",
                "KILL",
                "bash",
                "--noprofile",
                "--norc",
            ])
            .current_dir(folder)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let gone = || std::io::Error::other("the shell has no pipes");
        let mut input = process.stdin.take().ok_or_else(gone)?;
        let output = lines(process.stdout.take().ok_or_else(gone)?);
        input.write_all(PROLOGUE.replace("PATIENCE", &PATIENCE_SECS.to_string()).as_bytes())?;
        let (folder, repository) = (folder.to_owned(), repository.to_owned());
        Ok(Self { process, input, output, limit: LIMIT, stuck: false, folder, repository, background: 0 })
    }

    /// Does all that a guide says. Returns the names of the tests that execute the rest.
    ///
    /// # Errors
    /// At the first step that does not do what it says.
    pub fn follow(&mut self, guide: &Guide) -> Result<Vec<String>, ShellError> {
        let mut elsewhere = Vec::new();
        for step in &guide.steps {
            elsewhere.extend(self.step(step)?);
        }
        self.ask("__end").map_err(|what| failed(0, what, String::new()))?;
        Ok(elsewhere)
    }

    fn step(&mut self, step: &Step) -> Result<Option<String>, ShellError> {
        let line = step.line;
        let Action::Block(block) = &step.action else {
            self.ask("__interrupt 2>/dev/null").map_err(|what| failed(line, what, String::new()))?;
            return Ok(None);
        };
        for directive in &block.directives {
            match directive {
                Directive::Elsewhere(name) => return Ok(Some(name.clone())),
                Directive::Source(path) => return self.compare(line, path, block).map(|()| None),
                Directive::File(path) => return self.write(line, path, block).map(|()| None),
                _ => {}
            }
        }
        if block.language == "sh" {
            self.execute(line, block)?;
        }
        Ok(None)
    }

    fn compare(&self, line: usize, path: &Path, block: &Block) -> Result<(), ShellError> {
        let path = self.repository.join(path);
        let text =
            std::fs::read_to_string(&path).map_err(|error| failed(line, error.to_string(), String::new()))?;
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        if squeezed(&text).contains(&squeezed(&block.text)) {
            return Ok(());
        }
        Err(failed(line, format!("the block is no part of {}", path.display()), block.text.clone()))
    }

    fn write(&self, line: usize, path: &Path, block: &Block) -> Result<(), ShellError> {
        let written = std::fs::write(self.folder.join(path), &block.text);
        written.map_err(|error| failed(line, error.to_string(), String::new()))
    }

    fn execute(&mut self, line: usize, block: &Block) -> Result<(), ShellError> {
        let quoted = quoted(&block.text);
        let background = block.directives.iter().find_map(|directive| match directive {
            Directive::Background(text) => Some(text),
            _ => None,
        });
        let command = match background {
            Some(text) => {
                self.background += 1;
                let log = quoted_path(&self.folder.join(format!(".background-{}.log", self.background)));
                format!(
                    "( eval {quoted} ) >{log} 2>&1 </dev/null & __background+=($!); __until $! {log} {}",
                    self::quoted(text)
                )
            }
            None if block.directives.contains(&Directive::Again) => format!("__again {quoted}"),
            None => format!("__run {quoted}"),
        };
        let (code, output) = self.ask(&command).map_err(|what| failed(line, what, block.text.clone()))?;
        check(line, block, code, output)
    }

    /// Runs a command that sets `__code`; returns that and what was printed.
    fn ask(&mut self, command: &str) -> Result<(i32, String), String> {
        const MARK: &str = "__the_end_of_a_step__";
        writeln!(self.input, "{command}\nprintf '\\n{MARK} %s\\n' \"$__code\"")
            .map_err(|error| error.to_string())?;
        let mut output = String::new();
        let deadline = Instant::now() + self.limit;
        loop {
            let line = match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the shell has ended; it printed\n{output}"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.stuck = true;
                    return Err(format!("not ended within {:?}; it printed\n{output}", self.limit));
                }
            };
            if let Some(code) = line.strip_prefix(MARK) {
                let code = code.trim().parse().map_err(|_| format!("no exit code: {code}"))?;
                return Ok((code, output));
            }
            output += &line;
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // After a failure: what runs in the background must not outlive the test.
        if !self.stuck {
            let _ = self.ask("__end");
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads in a thread of its own, so that whoever waits for a line can stop waiting.
fn lines(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if sender.send(String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}

fn check(line: usize, block: &Block, code: i32, output: String) -> Result<(), ShellError> {
    let mut expected = 0;
    for directive in &block.directives {
        match directive {
            Directive::Exits(code) => expected = *code,
            Directive::Prints(text) if !output.contains(text.as_str()) => {
                return Err(failed(line, format!("{text:?} is not printed by\n{}", block.text), output));
            }
            _ => {}
        }
    }
    if code != expected {
        return Err(failed(line, format!("exit code {code} and not {expected} of\n{}", block.text), output));
    }
    Ok(())
}

fn failed(line: usize, what: String, output: String) -> ShellError {
    ShellError { line, what, output }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for part in text.chars() {
        match part {
            '\'' => quoted.push_str("'\\''"),
            // A String takes everything.
            other => drop(write!(quoted, "{other}")),
        }
    }
    quoted.push('\'');
    quoted
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn start(folder: &Path) -> Shell {
        let environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        Shell::start(folder, folder, &environment).unwrap()
    }

    fn follow(text: &str) -> Result<Vec<String>, ShellError> {
        let folder = tempfile::tempdir().unwrap();
        start(folder.path()).follow(&Guide::parse(text).unwrap())
    }

    /// Returns when the process is gone; fails when it stays.
    fn await_end(pid: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let stat = Path::new("/proc").join(pid).join("stat");
        // Where nobody reaps it, it stays as a zombie.
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(Instant::now() < deadline, "process {pid} is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn commands_share_a_shell_and_their_codes_and_texts_are_checked() {
        let text = "<!-- test: file a.txt -->\n```toml\nhello\n```\n```sh\nexport A=\"it's\"\ncd .\n```\n\
                    <!-- test: prints it's hello; exits 3 -->\n```sh\necho \"$A $(cat a.txt)\"\n(exit 3)\n```\n\
                    <!-- test: elsewhere docker-test -->\n```sh\nfalse\n```\n";
        assert_eq!(follow(text).unwrap(), ["docker-test"]);
    }

    #[test]
    fn a_failure_in_the_middle_of_a_block_is_one() {
        let error = follow("\n```sh\necho so far\nfalse\ntrue\n```\n").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.what.starts_with("exit code 1") && error.output.contains("so far"), "{error}");
    }

    #[test]
    fn a_background_command_is_awaited_and_interrupted() {
        let text = "<!-- test: background until ready -->\n```sh\ntrap 'echo bye > end; exit' INT; echo ready; sleep 100 & wait\n```\n\
                    <!-- test: interrupt -->\n<!-- test: prints bye -->\n```sh\ncat end\n```\n";
        follow(text).unwrap();
        let error = follow("<!-- test: background until ready -->\n```sh\necho never\n```\n").unwrap_err();
        assert!(error.output.contains("never"), "{error}");
    }

    #[test]
    fn a_command_that_never_ends_is_given_up_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = start(folder.path());
        shell.limit = Duration::from_secs(1);
        let guide = Guide::parse("\n```sh\nsleep 1000 & echo $! > pid; cat <(sleep 1000)\n```\n").unwrap();
        let error = shell.follow(&guide).unwrap_err();
        assert!(error.what.starts_with("not ended within 1s"), "{error}");
        drop(shell);
        await_end(std::fs::read_to_string(folder.path().join("pid")).unwrap().trim());
    }

    #[test]
    fn nothing_outlives_a_shell_that_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = start(folder.path());
        shell.follow(&Guide::parse("\n```sh\nset -m; sleep 1000 & echo $! > pid\n```\n").unwrap()).unwrap();
        shell.stuck = true;
        drop(shell);
        await_end(std::fs::read_to_string(folder.path().join("pid")).unwrap().trim());
    }

    #[test]
    fn what_takes_some_blocks_is_repeated() {
        follow("<!-- test: again -->\n```sh\n[ -e there ] || { touch there; false; }\n```\n").unwrap();
    }
}
