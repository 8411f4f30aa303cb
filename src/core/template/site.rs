//! Where a piece of template text stands in its file.

use std::ops::Range;
use std::sync::Arc;

use crate::core::problem::Problem;
use crate::core::source::{Place, Source};

/// Text taken from a source, and the bytes it was taken from: a scalar may stand there in quotes, indented or folded.
#[derive(Debug, Clone)]
pub(super) struct Site {
    source: Arc<Source>,
    bytes: Range<usize>,
}

impl Site {
    pub(super) fn new(source: &Arc<Source>, bytes: Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            bytes,
        }
    }

    pub(super) fn place(&self) -> Place {
        Place::bytes(&self.source, self.bytes.clone())
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.place(), message)
    }

    /// The site of a part of `text`, the text of this site; the whole site where the file spells that part differently.
    ///
    /// Quotes, indentation and line folding add or remove white space only, so the n-th occurrence of a part in the text is
    /// its n-th occurrence in the file.
    pub(super) fn part(&self, text: &str, part: Range<usize>) -> Self {
        let bytes = self.find(text, part).unwrap_or_else(|| self.bytes.clone());
        Self {
            source: Arc::clone(&self.source),
            bytes,
        }
    }

    fn find(&self, text: &str, part: Range<usize>) -> Option<Range<usize>> {
        let raw = self.source.text.get(self.bytes.clone())?;
        let wanted = text.get(part.clone())?.lines().next()?.trim_end();
        if wanted.is_empty() {
            return None;
        }
        let before = text
            .get(..part.start + wanted.len())?
            .matches(wanted)
            .count()
            .checked_sub(1)?;
        let same = raw.matches(wanted).count() == text.matches(wanted).count();
        let (at, _) = raw.match_indices(wanted).nth(before).filter(|_| same)?;
        let start = self.bytes.start + at;
        Some(start..start + wanted.len())
    }
}
