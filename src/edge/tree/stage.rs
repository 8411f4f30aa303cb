//! `.meshlab.stage/`: what is about to move into the tree. It lies in the tree, so that moving is renaming.

use std::ffi::OsStr;
use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use rustix::io::Errno;

use super::dir::{Dir, Kind};
use super::dirs::{Dirs, Place};
use crate::core::artefact::TreePath;

/// The stage's name, at the top of a tree.
pub(super) const STAGE: &str = ".meshlab.stage";

/// Under which name the stage holds the staged files, each at its path in the tree.
const FILES: &str = "files";

/// New files beside the old tree.
#[derive(Debug)]
pub(super) struct Stage {
    home: Arc<Dir>,
    files: Dirs,
}

impl Stage {
    /// Makes an empty stage.
    pub(super) fn begin(root: &Dir) -> io::Result<Self> {
        let home = Arc::new(root.make(OsStr::new(STAGE))?);
        let files = Dirs::made(Arc::new(home.make(OsStr::new(FILES))?));
        Ok(Self { home, files })
    }

    /// Deletes a stage and all that is in it, if there is one.
    pub(super) fn remove(root: &Dir) -> io::Result<()> {
        root.clear(OsStr::new(STAGE))
    }

    /// Stages a file of the tree.
    pub(super) fn put(&self, path: &TreePath, bytes: &[u8]) -> io::Result<()> {
        let (directory, name) = path.split();
        match self.files.find(directory)? {
            Place::Dir(dir) => dir.create(OsStr::new(name), bytes),
            Place::Absent | Place::Blocked(..) => Err(Errno::NOTDIR.into()),
        }
    }

    /// Stages a file that is not an artefact.
    pub(super) fn put_aside(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.home.create(OsStr::new(name), bytes)
    }

    /// Moves such a file to the top of the tree.
    pub(super) fn place_aside(&self, name: &str, root: &Dir, new_name: &str) -> io::Result<()> {
        self.home.rename(OsStr::new(name), root, OsStr::new(new_name))
    }

    /// Moves all staged files into the tree.
    pub(super) fn place(&self, root: &Dir) -> io::Result<()> {
        place(&self.home.enter(OsStr::new(FILES))?, root)
    }
}

/// Moves all that is in one directory into another: a directory that the other lacks moves as a whole.
///
/// In parallel, since some file systems write a file out before they let it take another's place.
fn place(from: &Dir, to: &Dir) -> io::Result<()> {
    let entries = from.entries()?;
    entries
        .into_par_iter()
        .try_for_each(|(name, kind)| match from.rename(&name, to, &name) {
            Err(error) if kind == Kind::Directory && is_occupied(&error) => {
                place(&from.enter(&name)?, &to.enter(&name)?)
            }
            done => done,
        })
}

fn is_occupied(error: &io::Error) -> bool {
    // POSIX allows either.
    matches!(Errno::from_io_error(error), Some(Errno::NOTEMPTY | Errno::EXIST))
}
