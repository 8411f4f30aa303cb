//! The tree on disk: compares what is rendered with what is there, and moves what differs into place, all or nothing.
//!
//! 1. [`Tree::open`] locks the directory and reads the manifest.
//! 2. [`Tree::offer`] compares one file, and stages it in `.meshlab.stage/` if it differs. Any error, refusal or full disk up to here:
//!    the stage is removed and the tree untouched.
//! 3. [`Tree::finish`] widens the manifest to what was and what will be, moves staged files into place, deletes what nothing wants any
//!    longer, and narrows the manifest.
//!
//! Until the manifest is wide the tree is the old one. After that every file is whole, and known by the manifest whether old or new, so
//! any later render finishes the job. Nothing is synced to the disk: what a power failure takes, a render brings back.

mod commit;
mod dir;
mod dirs;
mod error;
mod fault;
mod outcome;
mod root;
mod stage;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

pub use error::{Failure, TreeError};
pub use outcome::{Difference, Outcome};

use self::dir::{Child, Found, Kind};
use self::dirs::{Dirs, Place};
use self::error::{failed, refused};
use self::root::{Made, Root};
use self::stage::Stage;
use crate::core::artefact::TreePath;
use crate::core::diff::{Disk, Refusal, Verdict, diff, unified};
use crate::core::manifest::{self, Digest, Manifest};

/// What happens to files that a person edited, and to files of others that are in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// Nothing is written, and all of them are named.
    Keep,
    /// They are overwritten or, where nothing is wanted any longer, deleted: `--force`.
    Overwrite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Check,
    Write(Edits),
}

/// A tree in the making. Dropped before it is finished, it leaves the disk as it was.
#[derive(Debug)]
pub struct Tree {
    /// As the person named it, for messages.
    path: PathBuf,
    mode: Mode,
    /// Absent only in a check of a tree that is not there.
    root: Option<Root>,
    directories: Option<Dirs>,
    manifest: Manifest,
    /// The hash of the manifest's own bytes, if there is one.
    manifest_digest: Option<Digest>,
    stage: Mutex<Option<Arc<Stage>>>,
    offers: Mutex<BTreeMap<TreePath, Offer>>,
    /// What must not be touched, other than directories in the way: those may yet go.
    refusals: Mutex<BTreeSet<(Arc<str>, Refusal)>>,
    /// Files that stand where a directory of ours belongs.
    obstacles: Mutex<BTreeSet<Arc<str>>>,
    /// Dropped last, when the stage is gone.
    _made: Made,
}

/// One file that is wanted.
#[derive(Debug)]
struct Offer {
    digest: Digest,
    verdict: Verdict,
    /// In a check: the unified diff, empty if the file is as wanted.
    diff: String,
}

/// What stands at a path.
struct Seen {
    found: Found,
    /// The path above at which something stands that is no directory.
    blocked: Option<Arc<str>>,
}

impl Tree {
    /// Opens the tree at `path` to write it; the directory is made if it is not there. Links above it are followed, it must not be one.
    ///
    /// # Errors
    /// Refused: a link or file stands in its place, or its manifest cannot be understood. Failed: another process writes it, or the
    /// directory cannot be opened or made.
    pub fn open(path: &Path, edits: Edits) -> Result<Self, TreeError> {
        let path = without_trailing_slash(path);
        let made = Made::up_to(&path)?;
        let root = Root::to_write(&path)?;
        // We hold the lock: whoever left this was killed.
        Stage::remove(&root.dir).map_err(failed("remove the stage in", &path))?;
        Self::new(path, Mode::Write(edits), Some(root), made)
    }

    /// Opens the tree at `path`, which need not be there, to compare. Nothing is ever written.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read_only(path: &Path) -> Result<Self, TreeError> {
        let path = without_trailing_slash(path);
        let root = Root::to_read(&path)?;
        Self::new(path, Mode::Check, root, Made::default())
    }

    fn new(path: PathBuf, mode: Mode, root: Option<Root>, new_directories: Made) -> Result<Self, TreeError> {
        let directories = root.as_ref().map(|root| Dirs::existing(Arc::clone(&root.dir)));
        let (manifest, manifest_digest) = match &root {
            Some(root) => read_manifest(root, &path)?,
            None => Default::default(),
        };
        Ok(Self {
            path,
            mode,
            root,
            directories,
            manifest,
            manifest_digest,
            stage: Mutex::default(),
            offers: Mutex::default(),
            refusals: Mutex::default(),
            obstacles: Mutex::default(),
            _made: new_directories,
        })
    }

    /// Compares one file that is wanted with what is there, and stages it if it differs. To be called once for each path, from any thread.
    /// A refusal is a verdict, so that [`Self::finish`] can name all of them.
    ///
    /// # Errors
    /// Failed: what is there cannot be read, or the file cannot be staged. The tree is untouched.
    pub fn offer(&self, path: &TreePath, bytes: &[u8]) -> Result<Verdict, TreeError> {
        let seen = self.look(path)?;
        let verdict = self.judge(path, Some(bytes), seen.found.disk());
        self.note(path, &seen, verdict);
        let mut text = String::new();
        match self.mode {
            Mode::Check if verdict != Verdict::Same => text = difference(path, &seen.found, Some(bytes)),
            Mode::Write(_) if is_staged(verdict) => {
                let staged = self.stage().and_then(|stage| stage.put(path, bytes));
                staged.map_err(self.failed("stage", path.as_str()))?;
            }
            _ => {}
        }
        let offer = Offer {
            digest: Digest::of(bytes),
            verdict,
            diff: text,
        };
        lock(&self.offers).insert(path.clone(), offer);
        Ok(verdict)
    }

    /// Whether the manifest has this hash, and every file that it lists the one that it has there: nothing is missing, edited or half done.
    ///
    /// # Errors
    /// Failed: what is there cannot be read.
    pub fn is_as_left(&self, manifest: Digest) -> Result<bool, TreeError> {
        let Some(root) = &self.root else { return Ok(false) };
        if self.manifest_digest != Some(manifest)
            || !matches!(root.dir.child(OsStr::new(stage::STAGE)), Ok(Child::Absent))
        {
            return Ok(false);
        }
        let paths: Vec<&TreePath> = self.manifest.paths().collect();
        let stands = |path: &TreePath| match self.look(path)?.found {
            Found::File(bytes) => Ok(self.manifest.is_only(path.as_str(), Digest::of(&bytes))),
            _ => Ok(false),
        };
        paths
            .into_par_iter()
            .map(stands)
            .try_reduce(|| true, |all, one| Ok(all && one))
    }

    /// How many files the manifest lists.
    pub fn listed(&self) -> usize {
        self.manifest.paths().count()
    }

    /// The verdict on a path, with what `--force` makes of it.
    fn judge(&self, path: &TreePath, wanted: Option<&[u8]>, disk: Disk<'_>) -> Verdict {
        match diff(path, wanted, disk, &self.manifest) {
            Verdict::Refuse(refusal) if self.mode == Mode::Write(Edits::Overwrite) && refusal.yields_to_force() => {
                if wanted.is_some() {
                    Verdict::Replace
                } else {
                    Verdict::Remove
                }
            }
            verdict => verdict,
        }
    }

    /// Keeps what [`Self::finish`] has to settle or to tell.
    fn note(&self, path: &TreePath, seen: &Seen, verdict: Verdict) {
        match (verdict, &seen.blocked) {
            (Verdict::Refuse(Refusal::Directory), _) => {}
            (Verdict::Refuse(refusal), Some(by)) => drop(lock(&self.refusals).insert((Arc::clone(by), refusal))),
            (Verdict::Refuse(refusal), None) => drop(lock(&self.refusals).insert((path.as_str().into(), refusal))),
            (Verdict::Create, Some(by)) => drop(lock(&self.obstacles).insert(Arc::clone(by))),
            _ => {}
        }
    }

    /// What stands at a path. Behind a link nothing is looked at.
    fn look(&self, path: &TreePath) -> Result<Seen, TreeError> {
        let Some(directories) = &self.directories else {
            return Ok(Seen {
                found: Found::Absent,
                blocked: None,
            });
        };
        let (directory, name) = path.split();
        let place = directories.find(directory).map_err(self.failed("open", directory))?;
        let (found, blocked) = match place {
            Place::Dir(dir) => (
                dir.read(OsStr::new(name)).map_err(self.failed("read", path.as_str()))?,
                None,
            ),
            Place::Absent => (Found::Absent, None),
            Place::Blocked(by, Kind::Link) => (Found::Link, Some(by)),
            Place::Blocked(by, Kind::Special) => (Found::Special, Some(by)),
            Place::Blocked(by, Kind::File | Kind::Directory) => (Found::Absent, Some(by)),
        };
        Ok(Seen { found, blocked })
    }

    /// The stage, made when first needed.
    fn stage(&self) -> std::io::Result<Arc<Stage>> {
        let mut stage = lock(&self.stage);
        match (&*stage, &self.root) {
            (Some(stage), _) => Ok(Arc::clone(stage)),
            (None, None) => Err(std::io::ErrorKind::NotFound.into()),
            (None, Some(root)) => Ok(Arc::clone(stage.insert(Arc::new(Stage::begin(&root.dir)?)))),
        }
    }

    /// For `map_err`: what was tried at which path of the tree.
    fn failed(&self, verb: &'static str, at: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> TreeError {
        move |cause| failed(verb, self.path.join(at))(cause)
    }
}

fn read_manifest(root: &Root, path: &Path) -> Result<(Manifest, Option<Digest>), TreeError> {
    let name = path.join(manifest::FILE);
    let found = root.dir.read(OsStr::new(manifest::FILE));
    match found.map_err(failed("read", &name))? {
        Found::Absent => Ok(Default::default()),
        Found::File(bytes) => Ok((
            Manifest::parse(&name.display().to_string(), &bytes)?,
            Some(Digest::of(&bytes)),
        )),
        Found::Link => Err(refused(path, [(manifest::FILE, Refusal::Link)])),
        Found::Directory | Found::Special => Err(refused(path, [(manifest::FILE, Refusal::Special)])),
    }
}

/// A directory in the way may yet go: whether it does is known when all is offered.
fn is_staged(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Create | Verdict::Replace | Verdict::Refuse(Refusal::Directory)
    )
}

fn difference(path: &TreePath, found: &Found, wanted: Option<&[u8]>) -> String {
    let old = if let Found::File(bytes) = found {
        Some(bytes.as_slice())
    } else {
        None
    };
    unified(path.as_str(), old, wanted)
}

/// A trailing slash would make the system follow a link.
fn without_trailing_slash(path: &Path) -> PathBuf {
    let path: PathBuf = path.components().collect();
    if path.as_os_str().is_empty() { ".".into() } else { path }
}

/// A thread that panicked while it held the lock left a whole value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Tree {
    /// Removes the stage, if there is one; what cannot be removed now is removed by the next render.
    fn drop(&mut self) {
        if let (Mode::Write(_), Some(root)) = (self.mode, &self.root) {
            let _ = Stage::remove(&root.dir);
        }
    }
}
