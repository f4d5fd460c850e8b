//! Makes EigenLayer's artifacts: finds the source of the crate that carries them and extracts ABI and bytecode into
//! `OUT_DIR`. See deploy/eigenlayer/Cargo.toml for why it is done this way.

#![allow(clippy::panic, reason = "a build script reports by ending")]

#[path = "src/extract.rs"]
mod extract;

use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const CRATE: &str = "eigenlayer-contract-deployer";

fn main() {
    for file in ["build.rs", "src/extract.rs", "eigenlayer/Cargo.toml", "eigenlayer/Cargo.lock"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if let Err(reason) = run() {
        println!("cargo::error=EigenLayer's contracts could not be extracted: {}", reason.replace('\n', " "));
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; run this through Cargo")?);
    let artifacts = extract::extract_all(&crate_source()?).map_err(|e| e.to_string())?;

    let mut table = String::from("&[\n");
    for artifact in &artifacts {
        let path = out.join(format!("{}.json", artifact.name));
        fs::write(&path, artifact.json.to_string())
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        table += &format!("    ({:?}, include_str!({path:?})),\n", artifact.name);
    }
    table += "]\n";
    fs::write(out.join("eigenlayer.rs"), table)
        .map_err(|e| format!("cannot write the table of artifacts: {e}"))
}

/// Where Cargo keeps the crate's source; downloads and checks it if it is not there.
fn crate_source() -> Result<PathBuf, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("eigenlayer/Cargo.toml");
    // Offline first: that needs no network, and takes half a second, once the crate is there.
    let metadata = cargo_metadata(&manifest, true).or_else(|_| cargo_metadata(&manifest, false))?;
    let packages = metadata["packages"].as_array().ok_or("`cargo metadata` lists no packages")?;
    let package = packages
        .iter()
        .find(|p| p["name"] == CRATE)
        .ok_or_else(|| format!("{CRATE} is not a dependency of {}", manifest.display()))?;
    let path = package["manifest_path"].as_str().ok_or("`cargo metadata` tells no manifest path")?;
    Ok(Path::new(path).parent().ok_or("the manifest path has no parent")?.to_owned())
}

fn cargo_metadata(manifest: &Path, offline: bool) -> Result<Value, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked", "--manifest-path"]).arg(manifest);
    if offline {
        command.arg("--offline");
    }
    let output = command.output().map_err(|e| format!("cannot run cargo: {e}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "`cargo metadata --locked --manifest-path {}` failed: {stderr}",
            manifest.display()
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("`cargo metadata` printed no JSON: {e}"))
}
