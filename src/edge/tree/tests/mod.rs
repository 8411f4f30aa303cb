//! The tree against a real directory.

mod check;
mod crash;
mod environment;
mod links;
mod ownership;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Edits, Outcome, Tree, TreeError};
use crate::core::artefact::TreePath;

/// A directory with a tree in it.
struct Lab {
    scratch: TempDir,
}

type Files<'a> = &'a [(&'a str, &'a str)];

impl Lab {
    fn new() -> Self {
        Self {
            scratch: tempfile::tempdir().unwrap(),
        }
    }

    fn rendered(files: Files<'_>) -> Self {
        let lab = Self::new();
        lab.render(files).unwrap();
        lab
    }

    fn root(&self) -> PathBuf {
        self.scratch.path().join("out/lab")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn render(&self, files: Files<'_>) -> Result<Outcome, TreeError> {
        finish(Tree::open(&self.root(), Edits::Keep)?, files)
    }

    fn force(&self, files: Files<'_>) -> Result<Outcome, TreeError> {
        finish(Tree::open(&self.root(), Edits::Overwrite)?, files)
    }

    fn check(&self, files: Files<'_>) -> Outcome {
        finish(Tree::read_only(&self.root()).unwrap(), files).unwrap()
    }

    /// What a refused render says. The tree must be as before, whatever the render was about to do.
    fn refused(&self, files: Files<'_>) -> String {
        let before = snapshot(self.scratch.path());
        let error = self.render(files).unwrap_err();
        assert!(matches!(error, TreeError::Refused(_)), "{error}");
        assert_eq!(snapshot(self.scratch.path()), before);
        error
            .to_string()
            .replace(&format!("{}/", self.scratch.path().display()), "")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Asserts that the tree holds these files, what is listed of them, and nothing else.
    fn assert_is(&self, files: Files<'_>) {
        let fresh = Self::rendered(files);
        assert_eq!(snapshot(&self.root()), snapshot(&fresh.root()));
    }
}

fn finish(tree: Tree, files: Files<'_>) -> Result<Outcome, TreeError> {
    for (path, text) in files {
        tree.offer(&TreePath::new(path).unwrap(), text.as_bytes())?;
    }
    tree.finish()
}

/// Everything below a directory: directories with a trailing slash, links as what they point to.
fn snapshot(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(directory).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(directory).unwrap().display().to_string();
        let kind = entry.file_type();
        if kind.is_dir() {
            found.insert(format!("{path}/"), String::new());
        } else if kind.is_symlink() {
            found.insert(path, format!("-> {}", fs::read_link(entry.path()).unwrap().display()));
        } else {
            found.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}
