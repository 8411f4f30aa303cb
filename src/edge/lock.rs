//! The lock's directory, `blueprints/<lab>.lock/`: certificates and ciphertext. Other files in it are nobody's business here.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::durable;
use crate::core::pki::Lock;
use crate::core::problem::Problems;
use crate::core::source::Source;

/// Why a lock could not be read or written.
#[derive(Debug)]
pub enum LockError {
    /// Its content is wrong.
    Problems(Problems),
    /// The file system failed.
    Io(PathBuf, io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => f.write_str(&problems.report(false)),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for LockError {}

/// Reads the lock in `dir`, which messages call `shown`; without such a directory, an empty one.
///
/// # Errors
/// What is wrong in its files, or the I/O error with its path.
pub fn read(dir: &Path, shown: &str) -> Result<Lock, LockError> {
    let texts = texts(dir)?;
    let source = |(name, text): (&String, &String)| Source::new(format!("{shown}/{name}"), text.as_str());
    let sources = texts.iter().map(|file| (file.0.as_str(), source(file)));
    Lock::parse(sources).map_err(LockError::Problems)
}

/// Writes `lock` to `dir`: changed files whole, then removes the clusters that `lock` has no longer. Equal files stay untouched.
///
/// # Errors
/// The I/O error with its path. Each file is then either the old or the new one.
pub fn write(dir: &Path, lock: &Lock) -> Result<(), LockError> {
    durable::make_dirs(dir, 0o755).map_err(at(dir))?;
    let _held = durable::lock(dir).map_err(at(dir))?;
    let (before, after) = (texts(dir)?, lock.files());
    for (name, text) in after.iter().filter(|(name, text)| before.get(*name) != Some(text)) {
        let path = dir.join(name);
        durable::replace(&path, text.as_bytes(), 0o644).map_err(at(&path))?;
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        let path = dir.join(name);
        fs::remove_file(&path).map_err(at(&path))?;
    }
    durable::sync(dir).map_err(at(dir))
}

/// The texts of all files that a lock owns.
fn texts(dir: &Path) -> Result<BTreeMap<String, String>, LockError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(at(dir))?,
    };
    let mut texts = BTreeMap::new();
    for entry in entries {
        let Ok(name) = entry.map_err(at(dir))?.file_name().into_string() else {
            continue;
        };
        if Lock::owns(&name) {
            let path = dir.join(&name);
            texts.insert(name, fs::read_to_string(&path).map_err(at(&path))?);
        }
    }
    Ok(texts)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> LockError {
    let path = path.to_path_buf();
    move |error| LockError::Io(path, error)
}
