//! Run-time facts: what only running machines can tell, and none of it secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::step::{Piece, Word};

/// The fact that is known without asking: the absolute path of the lab repository, for tools that do not stay where they are called.
pub const ROOT: &str = "root";

/// Facts by name: `pasta-1.address`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// What is known under a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Takes over what is newer; tells whether anything is new.
    pub fn learn(&mut self, newer: Self) -> bool {
        let mut changed = false;
        for (name, value) in newer.0 {
            if self.0.get(&name) != Some(&value) {
                self.0.insert(name, value);
                changed = true;
            }
        }
        changed
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// An argument with its facts filled in.
    ///
    /// # Errors
    /// The name of a fact that is not known.
    pub fn fill(&self, word: &Word) -> Result<String, String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Fact(name) => self.get(name).map(str::to_owned).ok_or_else(|| name.clone()),
        };
        word.0.iter().map(piece).collect()
    }
}

impl FromIterator<(String, String)> for Facts {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}
