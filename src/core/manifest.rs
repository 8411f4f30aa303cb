//! The ownership manifest `.meshlab.sum`: which files of a tree are meshlab's, by path and hash.
//!
//! Format 1 has no marker, because `sha256sum --strict -c` takes hash lines and nothing else. Whatever does not read as format 1
//! is therefore refused as newer or damaged; a later format only has to start with a line that is not a hash line.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::artefact::TreePath;
use super::problem::{Problem, Problems};

/// The manifest's own name, at the top of a tree.
pub const FILE: &str = ".meshlab.sum";

/// What a line has beside the path: 64 digits, two spaces, the line's end.
const LINE: usize = 64 + 2 + 1;

/// The SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(hash))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        let digits: String = self
            .0
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .collect();
        f.write_str(&digits)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One line: a file that was written with these bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Which file.
    pub path: TreePath,
    /// What its bytes hash to.
    pub digest: Digest,
}

/// The files that meshlab wrote, sorted by path, then hash, without repeats.
///
/// Narrow, it has one line per path. While a render moves files into place it is wide: it lists the old and the new hash of
/// each path, so that every file is known whichever of the two it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(Vec<Entry>);

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A problem that says what to do with a manifest that is newer, damaged, or in the middle of a merge; `name` is the file's name
    /// in that message.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Problems> {
        let text = std::str::from_utf8(bytes).map_err(|_| damaged(name, 1, "this is not text"))?;
        if let Some(line) = text.lines().position(is_conflict) {
            return Err(conflict(name, line + 1));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(damaged(name, text.lines().count(), "the last line is cut off"));
        }
        let entry = |(at, line)| parse_line(line).map_err(|why| damaged(name, at + 1, &why));
        let lines = text.split_terminator('\n').enumerate();
        lines.map(entry).collect::<Result<Vec<_>, _>>().map(Self::from_iter)
    }

    /// The entries of one path: none if it is not ours, several while the manifest is wide.
    pub fn entries_of(&self, path: &str) -> &[Entry] {
        let start = self.0.partition_point(|entry| entry.path.as_str() < path);
        let len = self.0[start..].partition_point(|entry| entry.path.as_str() == path);
        &self.0[start..start + len]
    }

    /// Whether a path is listed with this hash and no other.
    pub fn is_only(&self, path: &str, digest: Digest) -> bool {
        matches!(self.entries_of(path), [entry] if entry.digest == digest)
    }

    /// Whether a file of this path was ever written.
    pub fn lists(&self, path: &str) -> bool {
        !self.entries_of(path).is_empty()
    }

    /// Whether anything is listed below this directory.
    pub fn lists_below(&self, directory: &str) -> bool {
        let prefix = format!("{directory}/");
        let start = self.0.partition_point(|entry| entry.path.as_str() < prefix.as_str());
        self.0
            .get(start)
            .is_some_and(|entry| entry.path.as_str().starts_with(&prefix))
    }

    /// The listed paths, each once, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &TreePath> {
        self.0.chunk_by(|a, b| a.path == b.path).map(|entries| &entries[0].path)
    }

    /// The text of the file: what `sha256sum -c` reads.
    pub fn text(&self) -> String {
        // A large lab's is many megabytes: it must not grow by doubling.
        let length = self.0.iter().map(|entry| entry.path.as_str().len() + LINE).sum();
        let mut text = String::with_capacity(length);
        for entry in &self.0 {
            text.extend([&*entry.digest.to_string(), "  ", entry.path.as_str(), "\n"]);
        }
        text
    }

    /// What either lists.
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).cloned().collect()
    }
}

impl FromIterator<Entry> for Manifest {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_unstable();
        entries.dedup();
        Self(entries)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

fn parse_line(line: &str) -> Result<Entry, String> {
    let (digest, path) = line.split_once("  ").ok_or("not a line `<sha256>  <path>`")?;
    let digest = Digest::parse(digest).ok_or("not a line `<sha256>  <path>`")?;
    Ok(Entry {
        path: TreePath::new(path)?,
        digest,
    })
}

/// Whether Git left this line to mark a conflict.
fn is_conflict(line: &str) -> bool {
    ["<<<<<<<", "|||||||", "=======", ">>>>>>>"]
        .iter()
        .any(|marker| line.starts_with(marker))
}

fn damaged(name: &str, line: usize, why: &str) -> Problems {
    let message = format!("{name}:{line}: {why}: written by a newer meshlab, or damaged");
    let help = format!(
        "update meshlab, or restore the file with `git checkout -- {name}`, or delete it: \
         files that already are as wanted are then adopted, others refused"
    );
    Problem::new(message).help(help).into()
}

/// A merge of two manifests is their union: each line is a file that one of the two branches wrote. So no line has to be chosen.
fn conflict(name: &str, line: usize) -> Problems {
    let help = "delete the marker lines, keep the lines of both sides, and render again: what is no longer wanted goes \
                by itself (`merge=union` for this file in .gitattributes does the same)";
    Problem::new(format!("{name}:{line}: the file is in the middle of a Git merge"))
        .help(help)
        .into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    const B: &str = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

    fn refusal(text: &str) -> Problem {
        Manifest::parse("out/lab/.meshlab.sum", text.as_bytes())
            .unwrap_err()
            .into_iter()
            .next()
            .unwrap()
    }

    #[test]
    fn a_digest_is_what_sha256sum_prints() {
        assert_eq!(Digest::of(b"a").to_string(), A);
        assert_eq!(Digest::parse(A), Some(Digest::of(b"a")));
        assert_eq!(Digest::parse(&A.to_uppercase()), None);
    }

    #[test]
    fn a_path_may_have_several_hashes() {
        let manifest = Manifest::parse("", format!("{A}  x/y\n{B}  x/y\n{B}  x-y\n{A}  x/y\n").as_bytes()).unwrap();
        assert_eq!(manifest.to_string(), format!("{B}  x-y\n{B}  x/y\n{A}  x/y\n"));
        assert_eq!(manifest.entries_of("x/y").len(), 2);
        assert!(manifest.lists("x-y") && !manifest.lists("x"));
        assert!(manifest.lists_below("x") && !manifest.lists_below("x/y") && !manifest.lists_below("y"));
        assert_eq!(
            manifest.paths().map(TreePath::as_str).collect::<Vec<_>>(),
            ["x-y", "x/y"]
        );
    }

    #[test]
    fn what_is_not_format_1_is_refused_with_a_way_out() {
        for (text, why) in [
            (format!("# meshlab 2\n{A}  x\n"), ":1: not a line"),
            (format!("{A}  x\n{A} *y\n"), ":2: not a line"),
            (format!("{A}  x\n\n"), ":2: not a line"),
            (format!("{A}  x\r\n"), ":1: `x\\r` is not a path"),
            (format!("{A}  x\n{A}  y"), ":2: the last line is cut off"),
            (format!("{A}  ../x\n"), ":1: `../x` is not a path inside a tree"),
            (
                format!("{A}  /etc/passwd\n"),
                ":1: `/etc/passwd` is not a path inside a tree",
            ),
            (
                format!("{A}  .meshlab.sum\n"),
                ":1: `.meshlab.sum` is not a path inside a tree",
            ),
        ] {
            let problem = refusal(&text);
            assert!(problem.message.contains(why), "{}", problem.message);
            assert!(problem.help.unwrap().contains("git checkout -- out/lab/.meshlab.sum"));
        }
    }

    #[test]
    fn a_conflict_is_told_from_damage() {
        let problem = refusal(&format!(
            "{A}  x\n<<<<<<< HEAD\n{A}  y\n=======\n{B}  y\n>>>>>>> topic\n"
        ));
        assert_eq!(
            problem.message,
            "out/lab/.meshlab.sum:2: the file is in the middle of a Git merge"
        );
        assert!(problem.help.unwrap().contains("keep the lines of both sides"));
    }

    fn manifests() -> impl Strategy<Value = Manifest> {
        let entry = ("[a-c](/[a-c]){0,2}", any::<[u8; 2]>());
        proptest::collection::vec(entry, 0..8).prop_map(|entries| {
            let entry = |(path, bytes): (String, [u8; 2])| Entry {
                path: TreePath::new(&path).unwrap(),
                digest: Digest::of(&bytes),
            };
            entries.into_iter().map(entry).collect()
        })
    }

    proptest! {
        #[test]
        fn printing_and_reading_is_the_identity(manifest in manifests()) {
            prop_assert_eq!(Manifest::parse("", manifest.to_string().as_bytes()).unwrap(), manifest);
        }

        #[test]
        fn a_union_lists_what_either_lists(a in manifests(), b in manifests()) {
            let union = a.union(&b);
            prop_assert_eq!(&union, &b.union(&a));
            prop_assert!(union.0.iter().all(|entry| a.0.contains(entry) || b.0.contains(entry)));
            prop_assert!(a.0.iter().chain(&b.0).all(|entry| union.entries_of(entry.path.as_str()).contains(entry)));
        }
    }
}
