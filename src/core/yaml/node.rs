//! A document with the position of each key and value.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Number;

use super::compose;
use crate::core::problem::Problem;
use crate::core::source::{Path, Source, Step};
use crate::core::value::{Map, Value};

/// A node of a YAML document: its value and the bytes it takes in the source.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub(super) kind: Kind,
    pub(super) bytes: Range<usize>,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`, or one of YAML 1.1's other spellings.
    Bool(bool),
    /// A finite number: integers up to 64 bits stay integers.
    Number(Number),
    /// Text, and how it was written.
    Text(String, Style),
    /// A list.
    List(Vec<Node>),
    /// A map in the author's order; its keys differ from each other.
    Map(Vec<Entry>),
}

/// How a text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// After `|`, line by line.
    Literal,
    /// After `>`, lines folded into one.
    Folded,
}

impl Style {
    /// Whether the text is a block scalar.
    pub fn is_block(self) -> bool {
        matches!(self, Self::Literal | Self::Folded)
    }
}

/// A key of a map and what stands under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, as text.
    pub key: String,
    /// The bytes of the key in the source.
    pub key_bytes: Range<usize>,
    /// The value.
    pub value: Node,
}

/// The bytes of a node's key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Bytes of the key (of the value, where there is no key).
    pub key: Range<usize>,
    /// Bytes of the value.
    pub value: Range<usize>,
}

impl Node {
    /// Reads one document. An empty one is null.
    ///
    /// # Errors
    /// The first thing that is not YAML; equal keys, unknown anchors, tags and a second document are refused too.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Problem> {
        compose::document(source)
    }

    /// What the node holds.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The bytes of the node in its source; empty for a value that is not there.
    pub fn bytes(&self) -> Range<usize> {
        self.bytes.clone()
    }

    /// Whether the node is null.
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// The text of a text node.
    pub fn as_str(&self) -> Option<&str> {
        if let Kind::Text(text, _) = &self.kind {
            Some(text)
        } else {
            None
        }
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Kind::List(items) = &self.kind {
            Some(items)
        } else {
            None
        }
    }

    /// The entries of a map.
    pub fn as_map(&self) -> Option<&[Entry]> {
        if let Kind::Map(entries) = &self.kind {
            Some(entries)
        } else {
            None
        }
    }

    /// The entry of a map under `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| entry.key == key)
    }

    /// The value of a map under `key`.
    pub fn field(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The node at `path`.
    pub fn get(&self, path: &Path) -> Option<&Self> {
        path.0
            .iter()
            .try_fold(self, |node, step| node.step(step).map(|(_, child)| child))
    }

    /// Where the node at `path` stands, or its nearest existing ancestor.
    pub fn locate(&self, path: &Path) -> Located {
        let mut found = Located {
            key: self.bytes(),
            value: self.bytes(),
        };
        let mut node = self;
        for step in &path.0 {
            let Some((key, child)) = node.step(step) else { break };
            found = Located {
                key,
                value: child.bytes(),
            };
            node = child;
        }
        found
    }

    fn step(&self, step: &Step) -> Option<(Range<usize>, &Self)> {
        match step {
            Step::Key(key) => self.entry(key).map(|entry| (entry.key_bytes.clone(), &entry.value)),
            Step::Index(index) => self.as_list()?.get(*index).map(|item| (item.bytes(), item)),
        }
    }

    /// The value without its positions.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text, _) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.to_value()))
                .collect::<Map>()
                .into(),
        }
    }
}
