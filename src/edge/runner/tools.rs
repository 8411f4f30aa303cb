//! Programs on PATH.

use std::env;
use std::path::PathBuf;

use rustix::fs::{Access, access};

/// Where a program is; none, if it is not on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|directory| directory.join(program));
    places.find(|place| place.is_file() && access(place, Access::EXEC_OK).is_ok())
}
