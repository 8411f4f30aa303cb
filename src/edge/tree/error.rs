//! Why a tree was not written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::core::diff::Refusal;
use crate::core::problem::{Problem, Problems};

/// How many files are named for one reason; the others are counted.
const NAMED: usize = 10;

/// Why a tree was not written.
#[derive(Debug)]
pub enum TreeError {
    /// Something there must not be overwritten or cannot be understood: exit code 2. The tree is untouched.
    Refused(Problems),
    /// The environment failed: exit code 3.
    Failed(Failure),
}

/// What the operating system would not do.
#[derive(Debug)]
pub struct Failure {
    /// Such as `write`.
    verb: &'static str,
    path: PathBuf,
    cause: io::Error,
    /// Whether files had begun to move into place.
    midway: bool,
}

impl TreeError {
    /// The error as problems for people.
    pub fn into_problems(self) -> Problems {
        match self {
            Self::Refused(problems) => problems,
            Self::Failed(failure) => Problem::new(failure.to_string()).help(failure.help()).into(),
        }
    }

    /// The same error, after files had begun to move into place.
    pub(super) fn midway(self) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(Failure {
                midway: true,
                ..failure
            }),
            refused @ Self::Refused(_) => refused,
        }
    }
}

/// For `map_err`: what was tried at which path.
pub(super) fn failed(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> TreeError {
    move |cause| {
        TreeError::Failed(Failure {
            verb,
            path: path.into(),
            cause,
            midway: false,
        })
    }
}

impl Failure {
    pub(super) fn help(&self) -> String {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WouldBlock};
        let cure = match self.cause.kind() {
            WouldBlock => "wait until it is done",
            StorageFull | QuotaExceeded => "make room",
            PermissionDenied | ReadOnlyFilesystem => "make it accessible to the user that runs meshlab",
            _ => "mend the cause",
        };
        if self.midway {
            format!(
                "{cure} and render again: some files are old, some new, each is whole, and any render finishes the job"
            )
        } else {
            format!("{cure} and run again: nothing in the tree was changed")
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.cause.kind() {
            io::ErrorKind::WouldBlock => write!(f, "cannot {} {path}: another meshlab is at work in it", self.verb),
            _ => write!(f, "cannot {} {path}: {}", self.verb, self.cause),
        }
    }
}

impl std::error::Error for Failure {}

impl std::error::Error for TreeError {}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problems) => f.write_str(&problems.report(false)),
            Self::Failed(failure) => write!(f, "{failure}\n  = help: {}", failure.help()),
        }
    }
}

impl From<Problems> for TreeError {
    fn from(problems: Problems) -> Self {
        Self::Refused(problems)
    }
}

impl From<Problem> for TreeError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.into())
    }
}

/// Refused paths of the tree at `root`, sorted, as problems: the first of each reason one by one, the others counted.
pub(super) fn refused<'a>(root: &Path, refusals: impl IntoIterator<Item = (&'a str, Refusal)>) -> TreeError {
    let mut refusals: Vec<_> = refusals.into_iter().map(|(path, refusal)| (refusal, path)).collect();
    refusals.sort_unstable();
    refusals.dedup();
    let mut problems = Problems::default();
    for group in refusals.chunk_by(|a, b| a.0 == b.0) {
        problems.extend(
            group
                .iter()
                .take(NAMED)
                .map(|(refusal, path)| problem(*refusal, &root.join(path))),
        );
        if let [(refusal, _), ..] = group.get(NAMED..).unwrap_or_default() {
            problems.push(Problem::new(format!(
                "and {} more {}",
                group.len() - NAMED,
                summary(*refusal)
            )));
        }
    }
    TreeError::Refused(problems)
}

/// One refused path.
pub(super) fn problem(refusal: Refusal, path: &Path) -> Problem {
    let path = path.display();
    let (message, help) = match refusal {
        Refusal::Edited => (
            format!("`{path}` was edited by hand"),
            format!(
                "`git diff -- {path}` (or `git log -p`) shows the edit: carry it over to the blueprint or the catalog, then `--force` drops it here"
            ),
        ),
        Refusal::Foreign => (
            format!("`{path}` is in the way: meshlab did not write it"),
            "move it elsewhere, or overwrite it with `--force`".into(),
        ),
        Refusal::Directory => (
            format!("`{path}` must become a file, but is a directory that holds more than meshlab's own files"),
            "move what is in it elsewhere".into(),
        ),
        Refusal::Link => (
            format!("`{path}` is a symbolic link; links are not followed"),
            "remove the link, or put in its place what it points to".into(),
        ),
        Refusal::Special => (
            format!("`{path}` is neither a file nor a directory"),
            "remove it".into(),
        ),
    };
    Problem::new(message).help(help)
}

fn summary(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Edited => "files that were edited by hand",
        Refusal::Foreign => "files in the way that meshlab did not write",
        Refusal::Directory => "directories that must become files",
        Refusal::Link => "symbolic links",
        Refusal::Special => "that are neither files nor directories",
    }
}
