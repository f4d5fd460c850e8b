//! Writes EigenLayer's artifacts to contracts/eigenlayer/ (or the folder given), where the Solidity tests read them.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts/eigenlayer");
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from(default), PathBuf::from);
    let names = anzen_deploy::artifacts::export_eigenlayer(&folder)?;
    println!("{} artifacts of EigenLayer in {}", names.len(), folder.display());
    Ok(())
}
