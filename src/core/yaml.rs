//! YAML: the one place that reads and writes it.

use std::ops::Range;
use std::sync::Arc;

use super::problem::Problem;
use super::source::{Path, Source};

/// The bytes of a node's key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Bytes of the key (of the value, where there is no key).
    pub key: Range<usize>,
    /// Bytes of the value.
    pub value: Range<usize>,
}

/// A YAML document with the position of each node.
#[derive(Debug)]
pub struct Node {}

impl Node {
    /// Reads one document.
    pub fn parse(_source: &Arc<Source>) -> Result<Self, Problem> {
        Ok(Self {})
    }

    /// Where the node at `path` stands, or its nearest existing ancestor.
    pub fn locate(&self, _path: &Path) -> Located {
        Located { key: 0..0, value: 0..0 }
    }
}
