//! The top directory of a tree: found or made, locked, and left as it was when nothing comes of it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dir::{Child, Dir, Kind};
use super::error::{TreeError, failed, problem};
use crate::core::diff::Refusal;
use crate::core::problem::Problem;

/// An open and locked directory that holds a tree.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) dir: Arc<Dir>,
    lock: File,
}

impl Drop for Root {
    /// Closing the handle would do, were it not for child processes: between fork and exec they hold it too.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl Root {
    /// Opens the directory to read a tree, if it is there.
    pub(super) fn to_read(path: &Path) -> Result<Option<Self>, TreeError> {
        find(path)?
            .map(|dir| Self::locked(dir, path, File::try_lock_shared))
            .transpose()
    }

    /// Opens the directory to write a tree, which must be there.
    pub(super) fn to_write(path: &Path) -> Result<Self, TreeError> {
        let dir = find(path)?.ok_or_else(|| failed("open", path)(io::ErrorKind::NotFound.into()))?;
        Self::locked(dir, path, File::try_lock)
    }

    fn locked(dir: Dir, path: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> Result<Self, TreeError> {
        let handle = dir.handle().map_err(failed("open", path))?;
        match lock(&handle) {
            Ok(()) => Ok(Self {
                dir: Arc::new(dir),
                lock: handle,
            }),
            Err(TryLockError::WouldBlock) => Err(failed("lock", path)(io::ErrorKind::WouldBlock.into())),
            Err(TryLockError::Error(cause)) => Err(failed("lock", path)(cause)),
        }
    }
}

fn find(path: &Path) -> Result<Option<Dir>, TreeError> {
    match Dir::at(path).map_err(failed("open", path))? {
        Child::Dir(dir) => Ok(Some(dir)),
        Child::Absent => Ok(None),
        Child::Blocked(Kind::Link) => Err(problem(Refusal::Link, path).into()),
        Child::Blocked(_) => {
            let message = format!("`{}` is not a directory, but a tree belongs there", path.display());
            Err(Problem::new(message).help("move it elsewhere").into())
        }
    }
}

/// Directories that were made for a tree: those that stay empty go again.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<PathBuf>);

impl Made {
    /// Makes a directory and those above it.
    pub(super) fn up_to(path: &Path) -> Result<Self, TreeError> {
        let missing = path
            .ancestors()
            .take_while(|above| above.symlink_metadata().is_err() && *above != Path::new(""));
        let made = Self(missing.map(Path::to_owned).collect());
        if !made.0.is_empty() {
            fs::create_dir_all(path).map_err(failed("make", path))?;
        }
        Ok(made)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = self.0.iter().try_for_each(fs::remove_dir);
    }
}
