//! The lock's directory, `blueprints/<lab>.lock/`: certificates and ciphertext. Other files in it are nobody's business here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

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
    // Each text goes as soon as it is parsed: together they are larger than the lock.
    let parse = |name: &String| {
        let source = Source::new(format!("{shown}/{name}"), text(dir, name)?);
        Ok(Lock::parse([(name.as_str(), source)]))
    };
    let parts: Vec<_> = names(dir)?.par_iter().map(parse).collect::<Result<_, _>>()?;
    let mut problems = Problems::default();
    let lock = parts.into_iter().filter_map(|part| problems.take(part)).collect();
    problems.or(lock).map_err(LockError::Problems)
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
    let names = names(dir)?.into_iter();
    names.map(|name| text(dir, &name).map(|text| (name, text))).collect()
}

fn text(dir: &Path, name: &str) -> Result<String, LockError> {
    let path = dir.join(name);
    fs::read_to_string(&path).map_err(at(&path))
}

/// The names of all files that a lock owns, sorted.
fn names(dir: &Path) -> Result<BTreeSet<String>, LockError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries.map_err(at(dir))?,
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let name = entry.map_err(at(dir))?.file_name();
        names.extend(name.into_string().ok().filter(|name| Lock::owns(name)));
    }
    Ok(names)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> LockError {
    let path = path.to_path_buf();
    move |error| LockError::Io(path, error)
}
