//! Artefacts: where the files of a tree may lie, and that no two get in each other's way.

use std::borrow::{Borrow, Cow};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use super::problem::{Problem, Problems};

/// Names that Windows keeps for devices, with any extension (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// The longest name of one file or directory, in bytes, on every common file system.
const LONGEST_NAME: usize = 255;

/// The path of a file inside a tree: relative, with `/` between names, legal on every system that can check out the repository.
///
/// Names consist of `a-z A-Z 0-9 . _ -`. Paths are ordered by their bytes. A clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Arc<str>);

impl TreePath {
    /// Checks a path.
    ///
    /// # Errors
    /// A sentence that says which rule `text` breaks.
    pub fn new(text: &str) -> Result<Self, String> {
        for name in text.split('/') {
            check_name(name)
                .map_err(|rule| format!("`{}` is not a path inside a tree: {rule}", text.escape_debug()))?;
        }
        if text.starts_with(".meshlab") {
            return Err(format!(
                "`{text}` is not a path inside a tree: names that start with `.meshlab` are meshlab's own"
            ));
        }
        Ok(Self(text.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory (empty for the top of the tree) and the name in it.
    pub fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }

    /// The directories above, from the top down: `a`, `a/b` for `a/b/c`.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for TreePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() {
        return Err("it has an empty name (a leading, trailing or double `/`)".into());
    }
    if let Some(c) = name.chars().find(|c| !legal(*c)) {
        return Err(format!("`{}` is none of a-z A-Z 0-9 . _ - /", c.escape_debug()));
    }
    if name.ends_with('.') {
        return Err("no name may end with a dot".into());
    }
    let stem = name.split('.').next().unwrap_or(name);
    if DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem)) {
        return Err(format!("Windows keeps the name `{stem}` for a device"));
    }
    if name.eq_ignore_ascii_case(".git") {
        return Err("`.git` belongs to Git".into());
    }
    if name.len() > LONGEST_NAME {
        return Err(format!("a name has at most {LONGEST_NAME} characters"));
    }
    Ok(())
}

/// Whether Argo CD applies what lies at `path` in a tree, whoever put it there: manifests below `argocd/`, `workflows/` and `clusters/*/manifests/`.
pub fn is_applied(path: &str) -> bool {
    let is_manifest = [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending));
    let in_cluster = path
        .strip_prefix("clusters/")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(_, rest)| rest.starts_with("manifests/"));
    // A directory of others (`…/`) may hold anything.
    (is_manifest || path.ends_with('/'))
        && (in_cluster || path.starts_with("argocd/") || path.starts_with("workflows/"))
}

/// What gets in the way of what: a path written twice, paths that differ only in case, a file where another needs a directory.
///
/// `files` are paths with their owners (instances, or whatever a person knows them by), in any order.
pub fn collisions<'a>(files: impl IntoIterator<Item = (&'a TreePath, &'a str)>) -> Problems {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut taken = Taken::default();
    let mut previous = "";
    for &(path, owner) in &files {
        // Sorted neighbours share directories; those were entered with the neighbour.
        for directory in path.ancestors().filter(|directory| !is_below(previous, directory)) {
            taken.enter(Name {
                spelling: directory,
                owner,
                kind: Kind::Directory,
            });
        }
        taken.enter(Name {
            spelling: path.as_str(),
            owner,
            kind: Kind::File,
        });
        previous = path.as_str();
    }
    taken.problems
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
}

#[derive(Clone, Copy)]
struct Name<'a> {
    spelling: &'a str,
    owner: &'a str,
    kind: Kind,
}

/// Every name so far, by its spelling in lower case.
#[derive(Default)]
struct Taken<'a> {
    names: HashMap<Cow<'a, str>, Name<'a>>,
    problems: Problems,
}

impl<'a> Taken<'a> {
    fn enter(&mut self, new: Name<'a>) {
        match self.names.entry(lower(new.spelling)) {
            Entry::Vacant(free) => drop(free.insert(new)),
            Entry::Occupied(old) => self.problems.extend(collision(*old.get(), new)),
        }
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}

fn collision(old: Name<'_>, new: Name<'_>) -> Option<Problem> {
    let (path, first, second) = (old.spelling, old.owner, new.owner);
    if old.spelling != new.spelling {
        let message = format!(
            "`{path}` of `{first}` and `{}` of `{second}` differ only in case",
            new.spelling
        );
        return Some(Problem::new(message).help("macOS and Windows cannot hold both: rename one"));
    }
    match (old.kind, new.kind) {
        (Kind::Directory, Kind::Directory) => None,
        (Kind::File, Kind::File) => {
            let message = format!("both `{first}` and `{second}` write `{path}`");
            Some(Problem::new(message).help("rename one of the two, or let one of them go"))
        }
        (Kind::File, Kind::Directory) => Some(in_the_way(path, first, second)),
        (Kind::Directory, Kind::File) => Some(in_the_way(path, second, first)),
    }
}

fn in_the_way(path: &str, file: &str, directory: &str) -> Problem {
    let message = format!("`{path}` is a file of `{file}`, but `{directory}` needs a directory of that name");
    Problem::new(message).help("rename one of the two")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files
            .iter()
            .map(|(path, owner)| (TreePath::new(path).unwrap(), *owner))
            .collect();
        collisions(files.iter().map(|(path, owner)| (path, *owner)))
            .into_iter()
            .map(|p| p.message)
            .collect()
    }

    #[test]
    fn ordinary_paths_are_legal() {
        for path in [
            "README.md",
            "clusters/pasta-1/apps/istio-istiod.yaml",
            "a/.meshlab.sum",
            ".gitattributes",
            "a/console.yaml",
        ] {
            assert_eq!(TreePath::new(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn what_another_system_or_meshlab_cannot_hold_is_refused() {
        for (path, rule) in [
            ("", "empty name"),
            ("/etc/passwd", "empty name"),
            ("a//b", "empty name"),
            ("a/", "empty name"),
            ("..", "end with a dot"),
            ("a/../../b", "end with a dot"),
            ("./a", "end with a dot"),
            ("a./b", "end with a dot"),
            ("a b", "` ` is none of"),
            ("a\\b", "`\\\\` is none of"),
            ("a\nb", "`\\n` is none of"),
            ("käse", "`ä` is none of"),
            ("C:x", "`:` is none of"),
            ("a/NUL", "device"),
            ("aux.yaml/b", "device"),
            ("Com1.tar.gz", "device"),
            ("a/.GIT/config", "belongs to Git"),
            (".meshlab.sum", "meshlab's own"),
            (".meshlab.stage/a", "meshlab's own"),
            (&"x".repeat(256), "at most 255"),
        ] {
            let sentence = TreePath::new(path).unwrap_err();
            assert!(sentence.contains(rule), "{path}: {sentence}");
        }
    }

    #[test]
    fn a_path_knows_what_is_above_it() {
        let path = TreePath::new("a/b/c.yaml").unwrap();
        assert_eq!(path.split(), ("a/b", "c.yaml"));
        assert_eq!(path.ancestors().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(TreePath::new("c.yaml").unwrap().split(), ("", "c.yaml"));
    }

    #[test]
    fn neighbours_do_not_collide() {
        assert!(
            messages(&[
                ("a/b", "one"),
                ("a/c", "two"),
                ("a-b", "three"),
                ("a.b/c", "four"),
                ("b/a/b", "five")
            ])
            .is_empty()
        );
    }

    #[test]
    fn collisions_name_both_owners() {
        assert_eq!(
            messages(&[("a/x", "two"), ("a/x", "one")]),
            ["both `one` and `two` write `a/x`"]
        );
        assert_eq!(
            messages(&[("a/x", "one"), ("a/X", "two")]),
            ["`a/X` of `two` and `a/x` of `one` differ only in case"]
        );
        assert_eq!(
            messages(&[("A/x", "one"), ("a/y", "two")]),
            ["`A` of `one` and `a` of `two` differ only in case"]
        );
        let in_the_way = "`a/x` is a file of `one`, but `two` needs a directory of that name";
        assert_eq!(
            messages(&[("a/x", "one"), ("a/x-1", "three"), ("a/x/y", "two")]),
            [in_the_way]
        );
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_tree(text in "[a./A-]{0,12}") {
            if let Ok(path) = TreePath::new(&text) {
                prop_assert!(path.as_str().split('/').all(|name| !matches!(name, "" | "." | "..")));
            }
        }

        #[test]
        fn collisions_are_what_a_case_insensitive_file_system_would_refuse(paths in proptest::collection::vec("[aA](/[bB]){0,2}", 0..5)) {
            let paths: Vec<_> = paths.iter().map(|text| TreePath::new(text).unwrap()).collect();
            let clash = |a: &TreePath, b: &TreePath| {
                let (x, y) = (lower(a.as_str()), lower(b.as_str()));
                x == y || is_below(&x, &y) || is_below(&y, &x) || a.ancestors().any(|d| b.ancestors().any(|e| lower(d) == lower(e) && d != e))
            };
            let expected = paths.iter().enumerate().any(|(i, a)| paths[..i].iter().any(|b| clash(a, b)));
            prop_assert_eq!(!collisions(paths.iter().map(|path| (path, "owner"))).is_empty(), expected);
        }
    }
}
