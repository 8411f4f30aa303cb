//! Texts with secrets: put together at the last moment, and never shown.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use super::Runner;
use crate::core::runner::{Content, Facts, Part};

/// A text with everything in its place.
pub(super) struct Filled {
    bytes: Zeroizing<Vec<u8>>,
    masks: Masks,
}

impl Filled {
    /// Puts it together.
    ///
    /// # Errors
    /// A sentence: a fact that is not known, a file that cannot be read, a secret that is not in the keystore.
    pub(super) fn of(content: &Content, runner: &Runner<'_>, facts: &Facts) -> Result<Self, String> {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut masks = Masks::default();
        for part in &content.0 {
            match part {
                Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Part::Fact(fact) => {
                    let value = facts.get(fact).ok_or_else(|| format!("`{fact}` is not known"))?;
                    bytes.extend_from_slice(value.as_bytes());
                }
                Part::Lines(lines) => {
                    for line in lines.iter().filter_map(|line| facts.fill(line).ok()) {
                        bytes.extend_from_slice(line.as_bytes());
                        bytes.push(b'\n');
                    }
                }
                Part::File(path) => {
                    let read = read(runner.root, path)?;
                    let end = read.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
                    bytes.extend_from_slice(&read[..end]);
                    masks.add(&read[..end]);
                }
                Part::Material(material) => {
                    let secret = (runner.materials)(&material.name).map_err(|error| format!("{error:#}"))?;
                    let text = secret.reveal().trim_end_matches('\n');
                    bytes.extend_from_slice(text.as_bytes());
                    masks.add(text.as_bytes());
                }
            }
        }
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        Ok(Self { bytes, masks })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn masks(self) -> Masks {
        self.masks
    }
}

/// What a file of the repository holds.
pub(super) fn read(root: &Path, path: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let bytes = fs::read(root.join(path)).map_err(|error| format!("cannot read {path}: {error}"))?;
    Ok(Zeroizing::new(bytes))
}

/// Secrets that no message may show.
#[derive(Default)]
pub(super) struct Masks(Vec<Zeroizing<Vec<u8>>>);

impl Masks {
    /// So much of a secret is enough to hide a line: messages may quote a part of what they could not read.
    const PART: usize = 10;

    fn add(&mut self, secret: &[u8]) {
        self.0.push(Zeroizing::new(secret.to_vec()));
    }

    /// A line, unless it shows a part of a secret.
    pub(super) fn hide<'a>(&self, line: &'a str) -> &'a str {
        let shows = |secret: &Zeroizing<Vec<u8>>| {
            let part = secret.len().min(Self::PART);
            part > 0
                && secret
                    .windows(part)
                    .any(|part| memchr::memmem::find(line.as_bytes(), part).is_some())
        };
        if self.0.iter().any(shows) {
            "[this line would show a secret]"
        } else {
            line
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_secret_hides_the_line() {
        let mut masks = Masks::default();
        masks.add(b"correct horse battery staple");
        assert_eq!(
            masks.hide("error near `horse battery`"),
            "[this line would show a secret]"
        );
        assert_eq!(masks.hide("error near a horse"), "error near a horse");
    }
}
