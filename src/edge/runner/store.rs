//! Run-time facts on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::core::runner::{Facts, ROOT};
use crate::edge::durable;

/// The facts of a lab, in `runtime.json`: whoever starts again knows what was learnt before.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    root: PathBuf,
    facts: Mutex<Facts>,
}

#[derive(Default, Serialize, Deserialize)]
struct File {
    /// What machines told; found again whenever it is needed.
    facts: Facts,
}

impl Store {
    /// Reads the facts that are kept in `directory`, for a lab repository whose absolute path is `root`.
    ///
    /// # Errors
    /// A file that cannot be read, or is no longer what was written.
    pub fn read(directory: &Path, root: &Path) -> anyhow::Result<Self> {
        let path = directory.join("runtime.json");
        let file: File = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => File::default(),
            text => serde_json::from_str(&text.with_context(|| format!("cannot read {}", path.display()))?)
                .with_context(|| format!("{} is not what was written; remove it", path.display()))?,
        };
        Ok(Self {
            path,
            root: root.to_path_buf(),
            facts: Mutex::new(file.facts),
        })
    }

    /// The facts as they are now, and where the lab repository is on this machine.
    pub fn facts(&self) -> Facts {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        facts.learn(
            [(ROOT.to_owned(), self.root.display().to_string())]
                .into_iter()
                .collect(),
        );
        facts
    }

    /// Takes over facts, and writes them if any is new.
    pub(super) fn learn(&self, newer: Facts) -> io::Result<()> {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if !facts.learn(newer) {
            return Ok(());
        }
        let file = File { facts: facts.clone() };
        let text = format!("{:#}\n", serde_json::json!(file));
        durable::replace(&self.path, text.as_bytes(), 0o600)
    }
}
