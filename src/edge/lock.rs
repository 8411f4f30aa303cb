//! The lock's directory, `blueprints/<lab>.lock/`: certificates and ciphertext. Other files in it are nobody's business here.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// Reads the lock in `dir`; without such a directory, an empty one.
///
/// # Errors
/// What is wrong in its files, or the I/O error with its path.
pub fn read(dir: &Path) -> Result<Lock, LockError> {
    let texts = texts(dir)?;
    let sources = texts
        .iter()
        .map(|(name, text)| (name.as_str(), source(dir, name, text)));
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

fn source(dir: &Path, name: &str, text: &str) -> Arc<Source> {
    Source::new(dir.join(name).display().to_string(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::name::ClusterName;
    use crate::core::pki::ClusterLock;

    fn lock(clusters: &[&str]) -> Lock {
        let of = |name: &&str| (ClusterName::new(name).unwrap(), ClusterLock::default());
        Lock {
            roots: Vec::new(),
            clusters: clusters.iter().map(of).collect(),
        }
    }

    fn inode(path: &Path) -> u64 {
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap())
    }

    #[test]
    fn what_is_written_is_read_and_equal_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("meshlab.lock");
        assert!(read(&dir).unwrap().is_new());
        write(&dir, &lock(&["pasta-1"])).unwrap();
        let before = inode(&dir.join("pasta-1.json"));
        write(&dir, &lock(&["pasta-1", "pasta-2"])).unwrap();
        assert_eq!(read(&dir).unwrap(), lock(&["pasta-1", "pasta-2"]));
        assert_eq!(inode(&dir.join("pasta-1.json")), before);
    }

    #[test]
    fn clusters_leave_and_foreign_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &lock(&["pasta-1", "pasta-2"])).unwrap();
        for foreign in ["allocations.yaml", "Notes.json", "README.md"] {
            fs::write(dir.path().join(foreign), "mine").unwrap();
        }
        write(dir.path(), &lock(&["pasta-2"])).unwrap();
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["Notes.json", "README.md", "allocations.yaml", "pasta-2.json"]);
        assert_eq!(read(dir.path()).unwrap(), lock(&["pasta-2"]));
    }

    #[test]
    fn problems_name_the_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("pasta-1.json"), "{").unwrap();
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("pasta-1.json") && error.contains("restore it from Git"),
            "{error}"
        );
    }
}
