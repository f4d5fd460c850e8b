//! Files that are replaced as a whole: a crash leaves the old text or the new one.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Writes `text` to `path` so that it is durable and never half there. Creates the folder.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let temporary = folder.join(format!(".{}.new", name.to_string_lossy()));
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}
