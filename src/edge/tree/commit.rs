//! The last step: from the old tree to the new one.

use std::ffi::OsStr;
use std::path::Path;

use rayon::prelude::*;

use super::error::{TreeError, failed, refused};
use super::outcome::{Difference, Outcome};
use super::root::Root;
use super::stage::Stage;
use super::survey::{Offers, Survey};
use super::{Edits, Mode, Tree, lock};
use crate::core::artefact::TreePath;
use crate::core::diff::{Verdict, unified};
use crate::core::manifest::{self, Digest, Entry, Manifest};
use crate::core::problem::Problem;

/// Under which names the stage holds the manifests.
const WIDE: &str = "wide.sum";
const NARROW: &str = "narrow.sum";

impl Tree {
    /// Moves what was offered into place and deletes what was not but used to be; in a check, tells what that would do.
    ///
    /// # Errors
    /// Refused: nothing was offered, or something must not be overwritten: all such paths are named. Failed: the environment.
    /// The tree is untouched, unless a failure says otherwise.
    pub fn finish(self) -> Result<Outcome, TreeError> {
        let mut offers = std::mem::take(&mut *lock(&self.offers));
        if offers.is_empty() {
            return Err(nothing_rendered(&self).into());
        }
        let survey = Survey::of(&self, &mut offers)?;
        let entry = |(path, offer): (&TreePath, &super::Offer)| Entry {
            path: path.clone(),
            digest: offer.digest,
        };
        let narrow: Manifest = offers.iter().map(entry).collect();
        if self.is_check() {
            return self.report(offers, survey, &narrow);
        }
        if !survey.refusals.is_empty() {
            return Err(refused(
                &self.path,
                survey.refusals.iter().map(|(path, refusal)| (&**path, *refusal)),
            ));
        }
        let manifest = self.commit(&offers, &survey, &narrow)?;
        Ok(Outcome {
            manifest,
            ..Outcome::of(offers, survey)
        })
    }

    pub(super) fn is_check(&self) -> bool {
        self.mode == Mode::Check
    }

    pub(super) fn overwrites(&self) -> bool {
        self.mode == Mode::Write(Edits::Overwrite)
    }

    /// What a check found. The manifest is a difference only when it is the only one: it changes with every file.
    fn report(&self, offers: Offers, survey: Survey, narrow: &Manifest) -> Result<Outcome, TreeError> {
        let foreign = self.foreign(&offers)?;
        let mut outcome = Outcome::of(offers, survey);
        let is_difference = |path: &Path| {
            outcome
                .differences
                .iter()
                .any(|difference| path == Path::new(&difference.path))
        };
        outcome.foreign = foreign.into_iter().filter(|path| !is_difference(path)).collect();
        let text = narrow.text();
        if outcome.differences.is_empty() && !self.is_manifest(&text) {
            let old = self.manifest_digest.map(|_| self.manifest.text());
            let diff = unified(
                manifest::FILE,
                old.as_ref().map(String::as_bytes),
                Some(text.as_bytes()),
            );
            outcome.differences.push(Difference {
                path: manifest::FILE.into(),
                verdict: Verdict::Replace,
                diff,
            });
        }
        Ok(outcome)
    }

    fn is_manifest(&self, text: &str) -> bool {
        self.manifest_digest == Some(Digest::of(text.as_bytes()))
    }

    /// Nothing to do: nothing is written. Otherwise all that needs room on the disk comes first. Gives the hash of the manifest.
    fn commit(&self, offers: &Offers, survey: &Survey, narrow: &Manifest) -> Result<Option<Digest>, TreeError> {
        let Some(root) = &self.root else { return Ok(None) };
        let is_quiet = survey.removals.is_empty() && offers.values().all(|offer| offer.verdict == Verdict::Same);
        if is_quiet && self.is_manifest(&narrow.text()) {
            return Ok(self.manifest_digest);
        }
        let file = self.path.join(manifest::FILE);
        let stage = self.stage().map_err(failed("stage files in", &self.path))?;
        // One after the other: the text of a large tree takes many megabytes.
        let aside = |name, manifest: &Manifest| {
            let text = manifest.text();
            let staged = stage.put_aside(name, text.as_bytes());
            staged
                .map_err(failed("stage", &file))
                .map(|()| Digest::of(text.as_bytes()))
        };
        let wide = aside(WIDE, &self.manifest.union(narrow))?;
        let narrow = aside(NARROW, narrow)?;
        if self.manifest_digest != Some(wide) {
            stage
                .place_aside(WIDE, &root.dir, manifest::FILE)
                .map_err(failed("replace", &file))?;
        }
        self.replace(root, &stage, survey).map_err(TreeError::midway)?;
        if narrow != wide {
            stage
                .place_aside(NARROW, &root.dir, manifest::FILE)
                .map_err(failed("replace", &file))
                .map_err(TreeError::midway)?;
        }
        Ok(Some(narrow))
    }

    /// From the old files to the new ones. What vanishes goes first: it may stand where something new belongs.
    fn replace(&self, root: &Root, stage: &Stage, survey: &Survey) -> Result<(), TreeError> {
        survey.removals.par_iter().try_for_each(|path| self.delete(path))?;
        for directory in &survey.emptied {
            let (above, name) = directory.rsplit_once('/').unwrap_or(("", directory));
            if let Some(dir) = self.directory(above)? {
                dir.rmdir_if_empty(OsStr::new(name))
                    .map_err(self.failed("delete", directory))?;
            }
        }
        stage.place(&root.dir).map_err(failed("move files into", &self.path))
    }

    fn delete(&self, path: &TreePath) -> Result<(), TreeError> {
        let (directory, name) = path.split();
        match self.directory(directory)? {
            Some(dir) => dir
                .unlink(OsStr::new(name))
                .map_err(self.failed("delete", path.as_str())),
            None => Ok(()),
        }
    }
}

fn nothing_rendered(tree: &Tree) -> Problem {
    let path = tree.path.display();
    Problem::new(format!(
        "nothing was rendered for `{path}`, and an empty result never deletes a tree"
    ))
    .help(format!(
        "if the lab is no longer wanted, remove it with `git rm -r {path}`"
    ))
}
