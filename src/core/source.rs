//! Text that a person wrote, and a place in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What some editors put before the text; it is no part of it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file that a person wrote, under the name by which they know it, for example `blueprints/meshlab.yaml`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Path as shown in messages.
    pub name: String,
    /// The whole text, without a byte order mark.
    pub text: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}

impl Source {
    /// A source, shared because every problem found in it points to it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let mut text = text.into();
        if text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len_utf8());
        }
        Arc::new(Self {
            name: name.into(),
            text,
        })
    }
}

/// One step from a YAML node to its child.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a map.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<&String> for Step {
    fn from(key: &String) -> Self {
        Self::Key(key.clone())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A path from the root of a YAML document, shown as `spec.cells[1].name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The path one step further down.
    pub fn join(&self, step: impl Into<Step>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Builds a [`Path`] from keys and indices: `path!["spec", "cells", 1, "name"]`.
#[macro_export]
macro_rules! path {
    ($($step:expr),* $(,)?) => { $crate::core::source::Path(vec![$($crate::core::source::Step::from($step)),*]) };
}

/// What of a source a problem is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The file as a whole.
    File,
    /// The value at a path, or its nearest existing ancestor.
    Value(Path),
    /// The key at a path (its last step), or its nearest existing ancestor.
    Key(Path),
    /// A range of bytes: `start..end`.
    Bytes(usize, usize),
}

/// A spot in a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// Where in it.
    pub spot: Spot,
}

impl Place {
    /// The file as a whole.
    pub fn file(source: &Arc<Source>) -> Self {
        Self {
            source: Arc::clone(source),
            spot: Spot::File,
        }
    }

    /// The value at `path`.
    pub fn value(source: &Arc<Source>, path: Path) -> Self {
        Self {
            source: Arc::clone(source),
            spot: Spot::Value(path),
        }
    }

    /// The key at `path`.
    pub fn key(source: &Arc<Source>, path: Path) -> Self {
        Self {
            source: Arc::clone(source),
            spot: Spot::Key(path),
        }
    }

    /// A range of bytes.
    pub fn bytes(source: &Arc<Source>, range: Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            spot: Spot::Bytes(range.start, range.end),
        }
    }
}
