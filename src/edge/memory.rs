//! `.meshlab/.rendered/<lab>`: what the last render of a lab was made from. Nothing is lost when it is: the lab is rendered.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::core::manifest::Digest;
use crate::core::memo::Memo;

/// A hash of all code and of the whole catalog that this program was built from.
pub const PROGRAM: &str = env!("MESHLAB_PROGRAM");

/// What was remembered of a lab of the repository at `root`.
pub fn recall(root: &Path, lab: &str) -> Option<Memo> {
    Memo::parse(&fs::read_to_string(file(root, lab)).ok()?)
}

/// Remembers a render. A repository that cannot be written remembers nothing.
pub fn remember(root: &Path, lab: &str, memo: &Memo) {
    if recall(root, lab).as_ref() != Some(memo) {
        let _ = write(root, lab, memo);
    }
}

/// Every file of a lock by name and hash, sorted; none if there is no lock.
///
/// # Errors
/// What cannot be read.
pub fn lock(directory: &Path) -> io::Result<Vec<(String, Digest)>> {
    let mut names = Vec::new();
    match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        entries => {
            for entry in entries? {
                names.extend(entry?.file_name().into_string());
            }
        }
    }
    names.sort_unstable();
    let hash = |name: String| fs::read(directory.join(&name)).map(|bytes| (name, Digest::of(&bytes)));
    names.into_par_iter().map(hash).collect()
}

fn write(root: &Path, lab: &str, memo: &Memo) -> io::Result<()> {
    let path = file(root, lab);
    let directory = path.parent().unwrap_or(root);
    fs::create_dir_all(directory)?;
    let ignore = directory.join(".gitignore");
    if !ignore.exists() {
        fs::write(ignore, "*\n")?;
    }
    let staged = directory.join(format!(".{lab}.{}", std::process::id()));
    fs::write(&staged, memo.to_string())?;
    fs::rename(&staged, path)
}

fn file(root: &Path, lab: &str) -> PathBuf {
    root.join(".meshlab/.rendered").join(lab)
}
