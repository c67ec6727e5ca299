//! Which files of a package are its licence, and reading them from a folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const BEGINNINGS: [&str; 5] = ["LICENSE", "LICENCE", "NOTICE", "COPYING", "PATENTS"];

/// Endings of files that have such a name without being such a text.
const SOURCES: [&str; 4] = [".GO", ".RS", ".JS", ".TS"];

/// Whether the file's name says that it is a licence or a notice that belongs to one.
pub fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
    BEGINNINGS.iter().any(|start| name.starts_with(start)) && !SOURCES.iter().any(|end| name.ends_with(end))
}

/// The licence files directly in a folder, sorted by name.
pub fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_file() && is_licence(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The licence files in a folder and all folders below it, sorted by path.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        files.extend(in_folder(&folder)?);
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The texts of the files. What is not UTF-8 (an author's name in an old encoding) is replaced, not refused.
pub fn read(files: &[PathBuf]) -> Result<Vec<String>> {
    let read = |path: &PathBuf| -> Result<String> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    files.iter().map(read).collect()
}
