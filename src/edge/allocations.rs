//! `allocations.yaml` of a lock: slots and ids that must never move.

use std::io::ErrorKind;
use std::path::Path;
use std::{fs, io};

use super::durable;
use crate::core::problem::Problems;
use crate::core::resolve::{Allocations, read_allocations};
use crate::core::source::Source;
use crate::core::yaml;

const FILE: &str = "allocations.yaml";

/// Why allocations could not be read or written.
#[derive(Debug)]
pub enum Error {
    /// What is in the file is wrong.
    Problems(Problems),
    /// The file system failed.
    Io(io::Error),
}

/// Reads the allocations of the lock in `dir`, which messages call `name`; none if there is no such file yet.
///
/// # Errors
/// A file that is no list of allocations, or cannot be read.
pub fn read(dir: &Path, name: &str) -> Result<Allocations, Error> {
    match fs::read_to_string(dir.join(FILE)) {
        Ok(text) => read_allocations(&Source::new(format!("{name}/{FILE}"), text)).map_err(Error::Problems),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Allocations::default()),
        Err(error) => Err(Error::Io(error)),
    }
}

/// Writes the allocations of the lock in `dir`, whole or not at all.
///
/// # Errors
/// What the file system would not do.
pub fn write(dir: &Path, allocations: &Allocations) -> io::Result<()> {
    let value = serde_json::to_value(allocations)?;
    fs::create_dir_all(dir)?;
    let text = format!(
        "# Written by meshlab; keep it in Git. It keeps addresses where they are.\n{}",
        yaml::write(&value)
    );
    durable::replace(&dir.join(FILE), text.as_bytes(), 0o644)?;
    durable::sync(dir)
}
