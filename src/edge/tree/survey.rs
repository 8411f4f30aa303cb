//! What only the whole tells: what nothing wants any longer, what stands in the way for good, what is not ours.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::dir::{Dir, Found, Kind};
use super::dirs::Place;
use super::error::TreeError;
use super::stage::STAGE;
use super::{Offer, Tree, lock};
use crate::core::artefact::TreePath;
use crate::core::diff::{Refusal, Verdict};
use crate::core::manifest;

/// All offers of a render.
pub(super) type Offers = BTreeMap<TreePath, Offer>;

/// What the whole tells.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Files to delete.
    pub(super) removals: BTreeSet<TreePath>,
    /// Directories that are to go if they are empty by then, inner ones first.
    pub(super) emptied: Vec<String>,
    /// What must not be touched.
    pub(super) refusals: BTreeSet<(Arc<str>, Refusal)>,
    /// In a check: files that should not be there, with the diff that deletes them.
    pub(super) stale: Vec<(TreePath, Verdict, String)>,
}

impl Survey {
    /// Looks at everything that is listed but not wanted, and at what stands in the way of what is wanted.
    pub(super) fn of(tree: &Tree, offers: &mut Offers) -> Result<Self, TreeError> {
        let vanished: Vec<_> = tree
            .manifest
            .paths()
            .filter(|path| !offers.contains_key(*path))
            .collect();
        let mut survey = Self {
            emptied: emptied(&vanished, offers),
            ..Self::default()
        };
        let seen: Vec<_> = vanished
            .into_par_iter()
            .map(|path| Ok((path, tree.judge_vanished(path)?)))
            .collect::<Result<_, TreeError>>()?;
        for (path, (verdict, diff)) in seen {
            if verdict == Verdict::Remove {
                survey.removals.insert(path.clone());
            }
            if verdict != Verdict::Same {
                survey.stale.push((path.clone(), verdict, diff));
            }
        }
        for obstacle in std::mem::take(&mut *lock(&tree.obstacles)) {
            survey.settle_file(tree, &obstacle);
        }
        survey.refusals.append(&mut lock(&tree.refusals));
        for (path, offer) in offers
            .iter_mut()
            .filter(|(_, offer)| offer.verdict == Verdict::Refuse(Refusal::Directory))
        {
            if survey.leaves_nothing_in(tree, path.as_str())? {
                offer.verdict = Verdict::Create;
            } else {
                survey.refusals.insert((path.as_str().into(), Refusal::Directory));
            }
        }
        Ok(survey)
    }

    /// A file where a directory must be: fine if it goes anyway.
    fn settle_file(&mut self, tree: &Tree, obstacle: &Arc<str>) {
        let Ok(path) = TreePath::new(obstacle) else {
            return;
        };
        if tree.manifest.lists(obstacle) {
            return;
        }
        if tree.overwrites() {
            self.removals.insert(path);
        } else {
            self.stale
                .push((path, Verdict::Refuse(Refusal::Foreign), String::new()));
            self.refusals.insert((Arc::clone(obstacle), Refusal::Foreign));
        }
    }

    /// Whether a directory will be empty once the removals are gone.
    fn leaves_nothing_in(&self, tree: &Tree, directory: &str) -> Result<bool, TreeError> {
        let Some(dir) = tree.directory(directory)? else {
            return Ok(true);
        };
        if !self.emptied.iter().any(|emptied| emptied == directory) {
            return Ok(false);
        }
        for (name, kind) in dir.entries().map_err(tree.failed("list", directory))? {
            let goes = match (name.to_str().map(|name| format!("{directory}/{name}")), kind) {
                (Some(path), Kind::File) => self.removals.contains(path.as_str()),
                (Some(path), Kind::Directory) => self.leaves_nothing_in(tree, &path)?,
                _ => false,
            };
            if !goes {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The directories of what vanished that hold nothing wanted, inner ones first.
fn emptied(vanished: &[&TreePath], offers: &Offers) -> Vec<String> {
    let above: BTreeSet<&str> = vanished.iter().flat_map(|path| path.ancestors()).collect();
    above
        .into_iter()
        .rev()
        .filter(|directory| !is_above_any(directory, offers))
        .map(str::to_owned)
        .collect()
}

fn is_above_any(directory: &str, offers: &Offers) -> bool {
    let prefix = format!("{directory}/");
    let mut from = offers.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
    from.next().is_some_and(|(path, _)| path.as_str().starts_with(&prefix))
}

impl Tree {
    /// The verdict on a path that is listed but not wanted, and in a check the diff that deletes it.
    fn judge_vanished(&self, path: &TreePath) -> Result<(Verdict, String), TreeError> {
        let seen = self.look(path)?;
        let verdict = self.judge(path, None, seen.found.disk());
        self.note(path, &seen, verdict);
        let diff = match &seen.found {
            Found::File(_) if self.is_check() => super::difference(path, &seen.found, None),
            _ => String::new(),
        };
        Ok((verdict, diff))
    }

    /// A directory of the tree, if it is there.
    pub(super) fn directory(&self, path: &str) -> Result<Option<Arc<Dir>>, TreeError> {
        let Some(directories) = &self.directories else {
            return Ok(None);
        };
        match directories.find(path).map_err(self.failed("open", path))? {
            Place::Dir(dir) => Ok(Some(dir)),
            Place::Absent | Place::Blocked(..) => Ok(None),
        }
    }

    /// Everything in the tree that is neither wanted nor listed, sorted; a directory of which nothing is ours is named as a whole.
    pub(super) fn foreign(&self, offers: &Offers) -> Result<Vec<PathBuf>, TreeError> {
        let Some(root) = &self.root else { return Ok(Vec::new()) };
        let mut entries = self.entries(&root.dir, Path::new(""))?;
        entries.retain(|(name, _)| name != manifest::FILE && name != STAGE);
        self.foreign_among(&root.dir, Path::new(""), entries, offers)
    }

    fn foreign_among(
        &self,
        dir: &Dir,
        at: &Path,
        entries: Vec<(OsString, Kind)>,
        offers: &Offers,
    ) -> Result<Vec<PathBuf>, TreeError> {
        let found: Vec<Vec<PathBuf>> = entries
            .into_par_iter()
            .map(|(name, kind)| {
                let path = at.join(&name);
                if kind != Kind::Directory {
                    return Ok(if self.is_ours(&path, offers) {
                        Vec::new()
                    } else {
                        vec![path]
                    });
                }
                let inner = dir.enter(&name).map_err(self.failed("open", &path))?;
                let entries = self.entries(&inner, &path)?;
                if entries.is_empty() || self.has_ours(&path, offers) {
                    return self.foreign_among(&inner, &path, entries, offers);
                }
                Ok(vec![path.join("")])
            })
            .collect::<Result<_, TreeError>>()?;
        Ok(found.concat())
    }

    fn entries(&self, dir: &Dir, at: &Path) -> Result<Vec<(OsString, Kind)>, TreeError> {
        dir.entries().map_err(self.failed("list", at))
    }

    fn is_ours(&self, path: &Path, offers: &Offers) -> bool {
        path.to_str()
            .is_some_and(|path| offers.contains_key(path) || self.manifest.lists(path))
    }

    fn has_ours(&self, directory: &Path, offers: &Offers) -> bool {
        directory
            .to_str()
            .is_some_and(|path| is_above_any(path, offers) || self.manifest.lists_below(path))
    }
}
