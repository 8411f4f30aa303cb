//! What a render has to do with one file: compares what is wanted with what is there and with what was written before.

use similar::TextDiff;

use super::artefact::TreePath;
use super::manifest::{Digest, Manifest};

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk<'a> {
    /// Nothing.
    Absent,
    /// A regular file with these bytes.
    File(&'a [u8]),
    /// A directory.
    Directory,
    /// A symbolic link, which is never followed.
    Link,
    /// A socket, a pipe, a device.
    Special,
}

/// What to do with one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing: it is as wanted.
    Same,
    /// Write a file that is not there.
    Create,
    /// Write over a file that meshlab wrote and nobody edited.
    Replace,
    /// Delete a file that meshlab wrote, nobody edited, and nothing wants any longer.
    Remove,
    /// Leave a file alone that is not meshlab's.
    Foreign,
    /// Touch nothing and tell the person.
    Refuse(Refusal),
}

/// Why a path is not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// A file of ours was edited by hand. `--force` overrides.
    Edited,
    /// A file that is not ours stands where one of ours belongs. `--force` overrides.
    Foreign,
    /// A directory stands where a file of ours belongs.
    Directory,
    /// A symbolic link stands where a file or directory of ours belongs.
    Link,
    /// A socket, pipe or device stands where a file or directory of ours belongs.
    Special,
}

impl Refusal {
    /// Whether `--force` goes ahead nevertheless: only where the loss is one file's text.
    pub fn yields_to_force(self) -> bool {
        matches!(self, Self::Edited | Self::Foreign)
    }
}

/// Compares one path: `wanted` is what it should hold, or `None` if nothing should be there.
///
/// A file is ours if its hash is any that the manifest lists for its path, or if its bytes are what we would write.
pub fn diff(path: &TreePath, wanted: Option<&[u8]>, disk: Disk<'_>, manifest: &Manifest) -> Verdict {
    let bytes = match (disk, wanted) {
        (Disk::File(bytes), Some(wanted)) if bytes == wanted => return Verdict::Same,
        (Disk::File(bytes), _) => bytes,
        (Disk::Absent, Some(_)) => return Verdict::Create,
        (Disk::Directory, Some(_)) => return Verdict::Refuse(Refusal::Directory),
        // What we wrote is gone; a directory in its place may hold files of ours.
        (Disk::Absent | Disk::Directory, None) => return Verdict::Same,
        (Disk::Link, _) => return Verdict::Refuse(Refusal::Link),
        (Disk::Special, _) => return Verdict::Refuse(Refusal::Special),
    };
    let listed = manifest.entries_of(path.as_str());
    let ours = !listed.is_empty() && {
        let digest = Digest::of(bytes);
        listed.iter().any(|entry| entry.digest == digest)
    };
    match (wanted, ours, listed) {
        (Some(_), true, _) => Verdict::Replace,
        (None, true, _) => Verdict::Remove,
        (Some(_), false, []) => Verdict::Refuse(Refusal::Foreign),
        (None, false, []) => Verdict::Foreign,
        (_, false, _) => Verdict::Refuse(Refusal::Edited),
    }
}

/// The unified diff that turns `old` into `new`, as `git apply` reads it; `None` is a file that does not exist.
///
/// Bytes that are not text are only said to differ.
pub fn unified(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> String {
    let name = |side: &str, bytes: Option<&[u8]>| bytes.map_or("/dev/null".into(), |_| format!("{side}/{path}"));
    let (before, after) = (name("a", old), name("b", new));
    let (Some(old), Some(new)) = (text(old), text(new)) else {
        return format!("Binary files {before} and {after} differ\n");
    };
    if old == new {
        return format!("--- {before}\n+++ {after}\n");
    }
    TextDiff::from_lines(old, new)
        .unified_diff()
        .header(&before, &after)
        .to_string()
}

fn text(bytes: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(bytes.unwrap_or_default())
        .ok()
        .filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Entry;
    use super::*;

    fn path() -> TreePath {
        TreePath::new("a/b").unwrap()
    }

    fn wrote(versions: &[&[u8]]) -> Manifest {
        versions
            .iter()
            .map(|bytes| Entry {
                path: path(),
                digest: Digest::of(bytes),
            })
            .collect()
    }

    #[test]
    fn every_case_has_its_verdict() {
        use Verdict::{Create, Foreign, Refuse, Remove, Replace, Same};
        let (never, once, wide) = (wrote(&[]), wrote(&[b"old"]), wrote(&[b"old", b"older"]));
        let (new, gone) = (Some(b"new".as_slice()), None);
        for (wanted, disk, manifest, verdict) in [
            (new, Disk::Absent, &never, Create),
            (new, Disk::Absent, &once, Create),
            (new, Disk::File(b"new"), &never, Same),
            (new, Disk::File(b"new"), &once, Same),
            (new, Disk::File(b"old"), &once, Replace),
            (new, Disk::File(b"old"), &wide, Replace),
            (new, Disk::File(b"older"), &wide, Replace),
            (new, Disk::File(b"mine"), &wide, Refuse(Refusal::Edited)),
            (new, Disk::File(b"mine"), &never, Refuse(Refusal::Foreign)),
            (new, Disk::Directory, &once, Refuse(Refusal::Directory)),
            (new, Disk::Link, &once, Refuse(Refusal::Link)),
            (new, Disk::Special, &once, Refuse(Refusal::Special)),
            (gone, Disk::Absent, &once, Same),
            (gone, Disk::Directory, &once, Same),
            (gone, Disk::File(b"old"), &wide, Remove),
            (gone, Disk::File(b"mine"), &once, Refuse(Refusal::Edited)),
            (gone, Disk::File(b"mine"), &never, Foreign),
            (gone, Disk::Link, &once, Refuse(Refusal::Link)),
            (gone, Disk::Special, &once, Refuse(Refusal::Special)),
        ] {
            assert_eq!(
                diff(&path(), wanted, disk, manifest),
                verdict,
                "{wanted:?} {disk:?} {manifest:?}"
            );
        }
    }

    #[test]
    fn a_diff_reads_like_git() {
        let changed = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n";
        assert_eq!(unified("x", Some(b"one\ntwo\n"), Some(b"one\nthree\n")), changed);
        assert_eq!(
            unified("x", None, Some(b"one\n")),
            "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+one\n"
        );
        assert_eq!(
            unified("x", Some(b"one\n"), None),
            "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"
        );
        assert_eq!(unified("x", None, Some(b"")), "--- /dev/null\n+++ b/x\n");
        assert_eq!(
            unified("x", Some(b"\xff"), Some(b"one\n")),
            "Binary files a/x and b/x differ\n"
        );
        assert!(unified("x", Some(b"one"), Some(b"one\n")).contains("\\ No newline at end of file"));
    }
}
