//! The bus of a local network: a NATS server with JetStream, for this network alone.

use std::{
    io,
    path::{Path, PathBuf},
};

use alloy::primitives::hex;

use super::{
    LocalError,
    folder::{self, Folder, write_private},
    process::{Program, Sign},
    supervise::Processes,
};

/// The name of its process, and of its program.
pub(super) const NAME: &str = "nats-server";
/// The user and the password, each on a line of its own, in the network's folder.
pub(super) const PASSWORD_FILE: &str = "nats/password";
/// What only the server reads.
const CONFIG: &str = "nats/server.conf";
const USER: &str = "anzen";
/// How long it may take to listen.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
const LISTENING: &str = "Listening for client connections on ";
const READY: &str = "Server is ready";
/// Where the justfile has Debian's package unpacked.
const UNPACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/usr/sbin");

/// Starts the server at a port that the system chooses and that it keeps. Returns its URL.
pub(super) async fn start(processes: &mut Processes, folder: &Folder) -> Result<String, LocalError> {
    let program = program().ok_or(LocalError::NoNats)?;
    folder.make_private("nats")?;
    let password = password()?;
    write_private(&folder.join(PASSWORD_FILE), &format!("{USER}\n{password}\n"))?;
    // -1 is a port that the system chooses.
    write_private(&folder.join(CONFIG), &config("-1", &password))?;
    let (log, sign) = (folder.log_of(NAME), Sign::Line(READY));
    let arguments = ["--config", CONFIG];
    processes.start(Program::tethered(NAME, program, &arguments, folder.path(), log.clone(), sign)?)?;
    processes.ready(&[NAME], PATIENCE).await?;
    let line = folder::line_with(&log, 0, LISTENING).unwrap_or_default();
    let missing = || LocalError::malformed(&log, &"it does not say where the server listens");
    let (_, port) = line.rsplit_once(':').ok_or_else(missing)?;
    write_private(&folder.join(CONFIG), &config(port, &password))?;
    Ok(format!("nats://127.0.0.1:{port}"))
}

fn password() -> Result<String, LocalError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other).map_err(LocalError::file(PASSWORD_FILE))?;
    Ok(hex::encode(random))
}

fn config(port: &str, password: &str) -> String {
    format!(
        "host: \"127.0.0.1\"\n\
         port: {port}\n\
         # Of a reached quorum, with many operators, as much as the bus asks for.\n\
         max_payload: 8MB\n\
         jetstream: {{ store_dir: \"nats/data\" }}\n\
         authorization: {{ user: {USER}, password: \"{password}\" }}\n"
    )
}

/// Where the server is: wherever PATH has it, or in .tools.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([Path::new(UNPACKED).to_owned()]);
    folders.map(|folder| folder.join(NAME)).find(|program| program.is_file())
}
