//! What the last render of a lab was made from. The tree is a pure function of blueprint, catalog, lock and program: when none of
//! these changed, and every file of the tree is as it was left, there is nothing to render.

use std::fmt;

use super::catalog::{Files, Origin};
use super::manifest::Digest;

/// What a render was made from, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memo {
    /// Hash of all that the tree is a function of: [`inputs`].
    pub inputs: Digest,
    /// Hash of the tree's manifest.
    pub manifest: Digest,
    /// How many clusters the lab has.
    pub clusters: usize,
}

impl Memo {
    /// Reads what [`fmt::Display`] writes; none if it is anything else, which only means that the lab is rendered.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let memo = Self {
            inputs: Digest::parse(words.next()?)?,
            manifest: Digest::parse(words.next()?)?,
            clusters: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(memo)
    }
}

impl fmt::Display for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {} {}", self.inputs, self.manifest, self.clusters)
    }
}

/// The hash of what a tree is a function of: the program with its catalog, what the repository replaces in that, the blueprint by
/// name and text, and the files of the lock by name and hash.
pub fn inputs<'a>(
    program: &str,
    catalog: Digest,
    blueprint: (&str, &str),
    lock: impl IntoIterator<Item = &'a (String, Digest)>,
) -> Digest {
    let mut all = Parts::default();
    all.add(program);
    all.add(&catalog.to_string());
    all.add(blueprint.0);
    all.add(blueprint.1);
    for (name, digest) in lock {
        all.add(name);
        all.add(&digest.to_string());
    }
    all.digest()
}

/// The hash of what a repository has of its own; the rest of the catalog is part of the program.
pub fn catalog(files: &Files) -> Digest {
    let mut all = Parts::default();
    let own = files
        .components
        .values()
        .filter(|folder| folder.origin == Origin::Repository)
        .flat_map(|folder| folder.files.values())
        .chain(files.argo.values())
        .chain([&files.istio]);
    for source in own {
        all.add(&source.name);
        all.add(&source.text);
    }
    all.digest()
}

/// Texts one after the other, each with its length, so that no two lists run into the same bytes.
#[derive(Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn add(&mut self, text: &str) {
        self.0.extend((text.len() as u64).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn what_is_written_is_read() {
        let memo = Memo {
            inputs: digest("inputs"),
            manifest: digest("manifest"),
            clusters: 5,
        };
        assert_eq!(Memo::parse(&memo.to_string()), Some(memo));
        for damaged in ["", "x", &format!("{memo} 5"), &memo.to_string()[1..]] {
            assert_eq!(Memo::parse(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn every_input_counts() {
        let lock = |name: &str, text: &str| vec![(name.to_owned(), digest(text))];
        let all = [
            inputs("program", digest("a"), ("lab", "text"), &lock("pasta.json", "{}")),
            inputs("other program", digest("a"), ("lab", "text"), &lock("pasta.json", "{}")),
            inputs("program", digest("b"), ("lab", "text"), &lock("pasta.json", "{}")),
            inputs("program", digest("a"), ("labt", "ext"), &lock("pasta.json", "{}")),
            inputs("program", digest("a"), ("lab", "text "), &lock("pasta.json", "{}")),
            inputs("program", digest("a"), ("lab", "text"), &lock("pizza.json", "{}")),
            inputs("program", digest("a"), ("lab", "text"), &lock("pasta.json", "{} ")),
            inputs("program", digest("a"), ("lab", "text"), &[]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other != one), "{i}");
        }
    }
}
