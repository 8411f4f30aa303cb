//! One run at a time.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::edge::durable;

/// The right to act on a lab; others have to wait until it is dropped, or its process has ended in any way.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "dropping it unlocks")] File);

/// Why a lab could not be held.
#[derive(Debug)]
pub enum HoldError {
    /// Another run holds it; its process, if it says so.
    Busy(String),
    /// The file system failed.
    Io(PathBuf, io::Error),
}

impl fmt::Display for HoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(who) => write!(f, "another run is at work on this lab{who}"),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for HoldError {}

impl Hold {
    /// Holds the lab whose runner keeps its files in `directory`, which only its owner may enter and Git ignores.
    ///
    /// # Errors
    /// Another run holds it, or the file system fails.
    pub fn take(directory: &Path) -> Result<Self, HoldError> {
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |error| HoldError::Io(path, error)
        };
        durable::make_dirs(&directory.join("kubeconfigs"), 0o700).map_err(at(directory))?;
        let ignore = directory.join(".gitignore");
        if !ignore.exists() {
            durable::replace(&ignore, b"*\n", 0o600).map_err(at(&ignore))?;
        }
        let path = directory.join("lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let mut file = options.open(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HoldError::Busy(holder(&path))),
            Err(TryLockError::Error(error)) => return Err(HoldError::Io(path, error)),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(at(&path))?;
        Ok(Self(file))
    }
}

/// Who holds it, for a message.
fn holder(path: &Path) -> String {
    match fs::read_to_string(path).unwrap_or_default().trim() {
        "" => String::new(),
        process => format!(" (process {process})"),
    }
}
