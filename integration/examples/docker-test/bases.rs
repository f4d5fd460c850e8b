//! The images that ours are built from, and those that run beside them. They are pulled; where no registry can be reached,
//! local root file systems stand in for them, with the same programs at the same paths.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use crate::Outcome;
use crate::command::{command, output, succeeds};
use crate::engine::{Engine, install};

/// How long a registry may take to give an image.
const PULL: Duration = Duration::from_secs(600);
/// Whom this machine believes in TLS; a machine behind a proxy has an authority of its own there.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Marks what is not what its name says.
const LABEL: &str = "LABEL network.anzen.stand-in=true";
const STAND_IN: &str = r#"{{index .Config.Labels "network.anzen.stand-in"}}"#;
/// What a pull says where nobody answers.
const NO_CONNECTION: [&str; 5] =
    ["dial tcp", "lookup ", "i/o timeout", "connection refused", "deadline exceeded"];

/// A root file system of Debian's.
struct StandIn {
    release: &'static str,
    /// Packages, separated by commas.
    packages: &'static str,
    /// What is done in it; `$1` is its root.
    then: String,
    /// Instructions of a Dockerfile, for the image.
    instructions: Vec<String>,
}

/// The images that others make.
pub(crate) struct Bases<'a> {
    engine: &'a Engine,
    /// Those that stand in for others, under the others' names.
    stand_ins: Vec<String>,
    /// No registry answers, so that other images need not be tried: each takes as long as a connection may.
    unreachable: bool,
}

impl<'a> Bases<'a> {
    /// None is there yet.
    pub(crate) fn new(engine: &'a Engine) -> Self {
        Self { engine, stand_ins: Vec::new(), unreachable: false }
    }

    /// Sees to it that the engine has an image. Returns false where it cannot be had.
    pub(crate) async fn ensure(&mut self, image: &str) -> Outcome<bool> {
        let engine = self.engine;
        if let Ok(label) = output(engine.docker(&["image", "inspect", "--format", STAND_IN, image])).await {
            // One that a run has left behind which was killed.
            self.stand_ins.extend((label == "true").then(|| image.to_owned()));
            println!("base:   {image} is there");
        } else if self.pull(image).await {
            println!("base:   {image} was pulled");
        } else if let Some(stand_in) = stand_in(image).await? {
            // Noted first: whatever there is of it when this fails must go, too.
            self.stand_ins.push(image.to_owned());
            make(engine, image, &stand_in).await?;
            println!("base:   {image} cannot be pulled; a Debian root file system stands in for it");
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    async fn pull(&mut self, image: &str) -> bool {
        if self.unreachable {
            return false;
        }
        let Ok(pulled) = timeout(PULL, output(self.engine.docker(&["pull", image]))).await else {
            return false;
        };
        let Err(error) = pulled else { return true };
        let error = error.to_string();
        self.unreachable = NO_CONNECTION.iter().any(|sign| error.contains(sign));
        false
    }

    /// Removes the stand-ins: whoever uses this engine next takes what has such a name for the real one.
    pub(crate) async fn remove(self) -> Outcome<()> {
        let mut outcome = Ok(());
        for image in &self.stand_ins {
            if succeeds(self.engine.docker(&["image", "inspect", image])).await {
                let removed = output(self.engine.docker(&["image", "rm", "--force", image])).await;
                outcome = outcome.and(removed.map(drop));
            }
        }
        outcome
    }
}

/// The images that a Dockerfile begins its stages with.
pub(crate) fn of_dockerfile(path: &Path) -> Outcome<Vec<String>> {
    let text = std::fs::read_to_string(path)?;
    let from = text.lines().filter_map(|line| line.strip_prefix("FROM ")?.split_whitespace().next());
    // A stage that begins with another stage names it, without a tag.
    Ok(from.filter(|image| image.contains(':')).map(str::to_owned).collect())
}

async fn stand_in(image: &str) -> Outcome<Option<StandIn>> {
    let name = image.split(':').next().unwrap_or_default();
    Ok(match name {
        "debian" => Some(StandIn::bookworm("", String::new())),
        "node" => Some(StandIn::bookworm("libstdc++6", node().await?)),
        "rust" => Some(StandIn::bookworm("gcc,libc6-dev,libstdc++6", rust().await?).with(&[
            "ENV CARGO_HOME=/usr/local/cargo",
            "ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ])),
        "prom/prometheus" => Some(prometheus()),
        _ => None,
    })
}

impl StandIn {
    fn bookworm(packages: &'static str, then: String) -> Self {
        let authorities = format!("ENV NODE_EXTRA_CA_CERTS={AUTHORITIES}");
        Self { release: "bookworm", packages, then, instructions: vec![authorities] }
    }

    fn with(mut self, instructions: &[&str]) -> Self {
        self.instructions.extend(instructions.iter().map(ToString::to_string));
        self
    }
}

/// The same release of Prometheus; the image has it at the same paths.
fn prometheus() -> StandIn {
    StandIn {
        release: "trixie",
        packages: "prometheus",
        then: "install -d -o nobody -g nogroup \"$1/prometheus\"".into(),
        instructions: ["USER nobody", "WORKDIR /prometheus", r#"ENTRYPOINT ["/bin/prometheus"]"#]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// This machine's Node, with npm.
async fn node() -> Outcome<String> {
    let node = output(command("node", &["--print", "process.execPath"])).await?;
    let modules = PathBuf::from(output(command("npm", &["root", "--global"])).await?);
    let npm = modules.join("npm").canonicalize()?;
    Ok(format!(
        "mkdir -p \"$1/usr/local/lib/node_modules\"
         cp {node} \"$1/usr/local/bin/node\"
         cp -r {} \"$1/usr/local/lib/node_modules/npm\"
         ln -s ../lib/node_modules/npm/bin/npm-cli.js \"$1/usr/local/bin/npm\"",
        npm.display()
    ))
}

/// This machine's Rust. The version is the one that this program was compiled with.
async fn rust() -> Outcome<String> {
    let root = output(command("rustc", &["--print", "sysroot"])).await?;
    Ok(format!("cp -r {root}/bin {root}/lib \"$1/usr/local/\""))
}

async fn make(engine: &Engine, image: &str, stand_in: &StandIn) -> Outcome<()> {
    install(&["mmdebstrap"]).await?;
    let authorities =
        format!("mkdir -p \"$1/etc/ssl/certs\"; cp --dereference {AUTHORITIES} \"$1{AUTHORITIES}\"");
    let hooks = [authorities.as_str(), stand_in.then.as_str()].into_iter().filter(|hook| !hook.is_empty());
    let mut bootstrap = command("mmdebstrap", &["--quiet", "--variant=minbase"]);
    bootstrap.args(hooks.map(|hook| format!("--customize-hook={hook}")));
    if !stand_in.packages.is_empty() {
        bootstrap.arg(format!("--include={}", stand_in.packages));
    }
    let mut bootstrap = bootstrap.args([stand_in.release, "-"]).stdout(Stdio::piped()).spawn()?;
    let archive: Stdio = bootstrap.stdout.take().ok_or("no pipe")?.try_into()?;
    let mut import = engine.docker(&["import"]);
    for instruction in stand_in.instructions.iter().map(String::as_str).chain([LABEL]) {
        import.args(["--change", instruction]);
    }
    output({
        import.args(["-", image]).stdin(archive);
        import
    })
    .await?;
    if bootstrap.wait().await?.success() { Ok(()) } else { Err("mmdebstrap failed; see above".into()) }
}
