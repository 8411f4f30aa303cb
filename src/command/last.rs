//! The last render of a lab: if all that it was made from and all that it wrote is still there, nothing has to be rendered.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::select::Selection;
use crate::core::manifest::Digest;
use crate::core::memo::{self, Memo};
use crate::edge::memory;
use crate::edge::repository::BlueprintFile;
use crate::edge::tree::{Outcome, Tree};

/// A lab and what is known of its last render.
pub(super) struct Last<'a> {
    selection: &'a Selection,
    pub(super) file: &'a BlueprintFile,
    /// Where the tree is.
    pub(super) directory: PathBuf,
    catalog: Digest,
    /// What the tree is a function of; absent where it cannot be read, which a render will tell.
    inputs: Option<Digest>,
}

/// A tree that is as a render would leave it.
pub(super) struct Standing {
    pub(super) files: usize,
    pub(super) clusters: usize,
    pub(super) start: Instant,
}

impl<'a> Last<'a> {
    /// The lab of `file` with its tree below `out`; `catalog` is what the repository replaces in the catalog.
    pub(super) fn of(selection: &'a Selection, file: &'a BlueprintFile, out: &Path, catalog: Digest) -> Self {
        let mut last = Self {
            selection,
            file,
            directory: out.join(file.lab()),
            catalog,
            inputs: None,
        };
        last.inputs = last.read();
        last
    }

    /// The tree, if nothing has to be rendered. Whatever cannot be read or is refused a render will tell.
    pub(super) fn standing(&self) -> Option<Standing> {
        let start = Instant::now();
        let memo = memory::recall(self.selection.repository.root(), self.file.lab())?;
        if self.inputs != Some(memo.inputs) {
            return None;
        }
        let tree = Tree::read_only(&self.directory).ok()?;
        tree.is_as_left(memo.manifest).ok()?.then(|| Standing {
            files: tree.listed(),
            clusters: memo.clusters,
            start,
        })
    }

    /// Remembers a render; not if what it was made from has changed meanwhile, as by new entries of the lock.
    pub(super) fn remember(&self, outcome: &Outcome, clusters: usize) {
        let unchanged = self.inputs.filter(|inputs| self.read() == Some(*inputs));
        if let (Some(inputs), Some(manifest)) = (unchanged, outcome.manifest) {
            let memo = Memo {
                inputs,
                manifest,
                clusters,
            };
            memory::remember(self.selection.repository.root(), self.file.lab(), &memo);
        }
    }

    fn read(&self) -> Option<Digest> {
        let blueprint = self.file.read().ok()?;
        let lock = memory::lock(&self.file.lock()).ok()?;
        Some(memo::inputs(
            memory::PROGRAM,
            self.catalog,
            (&blueprint.name, &blueprint.text),
            &lock,
        ))
    }
}
