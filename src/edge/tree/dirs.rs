//! The directories of a tree by path, opened once and kept a while.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::sync::{Arc, Mutex};

use super::dir::{Child, Dir, Kind};
use super::lock;

/// How many handles are kept: well below the 256 that a process may have on macOS.
const KEPT: usize = 64;

/// A directory that was looked for.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// It is there.
    Dir(Arc<Dir>),
    /// It is not there, nor is anything else in its place.
    Absent,
    /// It cannot be there: at this path stands something else.
    Blocked(Arc<str>, Kind),
}

/// Directories below `root`, found with `open`. Neighbouring files share a directory, so few are looked for twice.
#[derive(Debug)]
pub(super) struct Dirs {
    root: Arc<Dir>,
    open: fn(&Dir, &OsStr) -> io::Result<Child>,
    kept: Mutex<HashMap<Box<str>, Place>>,
}

impl Dirs {
    /// Directories that are found or not.
    pub(super) fn existing(root: Arc<Dir>) -> Self {
        Self {
            root,
            open: Dir::child,
            kept: Mutex::default(),
        }
    }

    /// Directories that are made where they are not there.
    pub(super) fn made(root: Arc<Dir>) -> Self {
        Self {
            root,
            open: |dir, name| dir.make(name).map(Child::Dir),
            kept: Mutex::default(),
        }
    }

    /// Looks for a directory by its path below the root; the empty path is the root.
    pub(super) fn find(&self, path: &str) -> io::Result<Place> {
        if path.is_empty() {
            return Ok(Place::Dir(Arc::clone(&self.root)));
        }
        if let Some(place) = lock(&self.kept).get(path) {
            return Ok(place.clone());
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let place = match self.find(above)? {
            Place::Dir(dir) => match (self.open)(&dir, OsStr::new(name))? {
                Child::Dir(dir) => Place::Dir(Arc::new(dir)),
                Child::Absent => Place::Absent,
                Child::Blocked(kind) => Place::Blocked(path.into(), kind),
            },
            elsewhere => elsewhere,
        };
        let mut kept = lock(&self.kept);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(path.into(), place.clone());
        Ok(place)
    }
}
