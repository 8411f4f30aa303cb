//! What came of a render or a check.

use std::path::PathBuf;

use super::survey::{Offers, Survey};
use crate::core::diff::Verdict;
use crate::core::manifest::Digest;

/// What came of a render, or what would come of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many files are wanted.
    pub files: usize,
    /// Hash of the manifest that lists them.
    pub manifest: Option<Digest>,
    /// How many of them were as wanted.
    pub unchanged: usize,
    /// How many were not there.
    pub created: usize,
    /// How many were there with other bytes.
    pub replaced: usize,
    /// How many files that nothing wants any longer were deleted.
    pub removed: usize,
    /// In a check: what a render would change or refuse to change, sorted by path.
    pub differences: Vec<Difference>,
    /// In a check: files, links and directories (with a trailing `/`) that are not ours, relative to the tree, sorted. A file in the way
    /// of one of ours is a difference instead.
    pub foreign: Vec<PathBuf>,
}

/// One path that is not as wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The path in the tree.
    pub path: String,
    /// What a render does about it: [`Verdict::Create`] for what is missing, [`Verdict::Replace`] for what changed,
    /// [`Verdict::Remove`] for what is stale, [`Verdict::Refuse`] for what a person has to settle.
    pub verdict: Verdict,
    /// The unified diff that makes it as wanted.
    pub diff: String,
}

impl Outcome {
    /// Whether the tree is as wanted. What is not ours does not count.
    pub fn is_clean(&self) -> bool {
        self.created + self.replaced + self.removed == 0 && self.differences.is_empty()
    }

    pub(super) fn of(offers: Offers, survey: Survey) -> Self {
        let count = |wanted: fn(Verdict) -> bool| offers.values().filter(|offer| wanted(offer.verdict)).count();
        let mut outcome = Self {
            files: offers.len(),
            unchanged: count(|verdict| verdict == Verdict::Same),
            created: count(|verdict| verdict == Verdict::Create),
            replaced: count(|verdict| verdict == Verdict::Replace),
            removed: survey.removals.len(),
            ..Self::default()
        };
        let offered = offers
            .into_iter()
            .map(|(path, offer)| (path, offer.verdict, offer.diff));
        let differing = offered.filter(|(_, verdict, diff)| *verdict != Verdict::Same && !diff.is_empty());
        let difference = |(path, verdict, diff): (crate::core::artefact::TreePath, _, _)| Difference {
            path: path.to_string(),
            verdict,
            diff,
        };
        outcome.differences = differing.chain(survey.stale).map(difference).collect();
        outcome.differences.sort_unstable();
        outcome
    }
}
