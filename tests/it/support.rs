//! Scratch repositories, runs of the binary, and goldens: what tests need to read like sentences.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

use assert_cmd::Command;
use rayon::prelude::*;
use regex_lite::Regex;
use tempfile::TempDir;
use walkdir::WalkDir;

/// Files by path, with `/`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The folder `tests/`.
pub(crate) fn tests() -> PathBuf {
    root().join("tests")
}

/// The repository of this program.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Says on the terminal that a test could not judge something here; not with `eprintln!`, which the test harness swallows.
pub(crate) fn skipped(what: &str, why: &str) {
    let line = format!("SKIPPED: {what}: {why}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// A lab repository of its own, gone when dropped.
pub(crate) struct Scratch {
    dir: TempDir,
}

impl Scratch {
    /// An empty repository: not even `blueprints/`.
    pub(crate) fn empty() -> Self {
        let dir = TempDir::with_prefix("meshlab-").unwrap();
        Self { dir }
    }

    /// A repository with this blueprint.
    pub(crate) fn of(lab: &str, blueprint: &str) -> Self {
        let scratch = Self::empty();
        scratch.write(&format!("blueprints/{lab}.yaml"), blueprint);
        scratch
    }

    /// A copy of a case's folder.
    pub(crate) fn of_case(case: &Path) -> Self {
        let scratch = Self::empty();
        for part in ["blueprints", "argo"] {
            scratch.add(part, &files(&case.join(part)));
        }
        scratch
    }

    /// A small lab `lab`, rendered: one manager, one cell, one cluster. Its keys are made once for all tests.
    pub(crate) fn rendered() -> Self {
        static RENDERED: LazyLock<Scratch> = LazyLock::new(|| {
            let scratch = Scratch::of("lab", SMALL);
            scratch.run("render").succeeds();
            scratch
        });
        RENDERED.duplicate()
    }

    /// A copy of all that is in it.
    pub(crate) fn duplicate(&self) -> Self {
        let scratch = Self::empty();
        copy(self.dir.path(), scratch.dir.path());
        scratch
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// Replaces text in a file; the text must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no `{from}`");
        self.write(path, text.replace(from, to));
    }

    /// Removes a file, or a directory with all in it.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        }
        .unwrap();
    }

    /// All files below a folder.
    pub(crate) fn files(&self, folder: &str) -> Files {
        files(&self.path(folder))
    }

    fn add(&self, folder: &str, files: &Files) {
        for (path, bytes) in files {
            self.write(&format!("{folder}/{path}"), bytes);
        }
    }

    /// Runs the binary in the repository; arguments are separated by spaces.
    pub(crate) fn run(&self, arguments: &str) -> Run {
        self.run_in("", arguments)
    }

    /// The same in a directory of the repository.
    pub(crate) fn run_in(&self, directory: &str, arguments: &str) -> Run {
        let output = Command::cargo_bin("meshlab")
            .unwrap()
            .args(arguments.split_whitespace())
            .current_dir(self.path(directory))
            .env_remove("MESHLAB_KEYSTORE")
            .output()
            .unwrap();
        self.said(arguments, output)
    }

    /// Runs the binary as it was prepared; `arguments` is what messages call it.
    pub(crate) fn told(&self, arguments: &str, command: &mut std::process::Command) -> Run {
        self.said(arguments, command.output().unwrap())
    }

    fn said(&self, arguments: &str, output: Output) -> Run {
        let text = |bytes| self.stable(&String::from_utf8(bytes).unwrap());
        Run {
            what: format!("meshlab {arguments}"),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The one place where what differs between two runs is made equal.
    fn stable(&self, text: &str) -> String {
        static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+ ms").unwrap());
        static FILES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+ files for").unwrap());
        static COMPONENTS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+ components are").unwrap());
        static HASH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"sha256:[0-9a-f]{64}").unwrap());
        let canonical = self.dir.path().canonicalize().unwrap();
        let text = text.replace(canonical.to_str().unwrap(), "[repository]");
        let text = text.replace(self.dir.path().to_str().unwrap(), "[repository]");
        let text = FILES.replace_all(&text, "[some] files for");
        let text = COMPONENTS.replace_all(&text, "[some] components are");
        let text = HASH.replace_all(&text, "sha256:[hash]");
        TIME.replace_all(&text, "[time]").into_owned()
    }
}

/// The lab of [`Scratch::rendered`].
pub(crate) const SMALL: &str = "\
apiVersion: meshlab.dev/v1alpha1
kind: Blueprint
metadata: {name: lab}
spec:
  domain: demo.lab
  git: {repoURL: https://example.org/lab.git}
  secrets: {key: rsa-2048}
  manager: {name: hub}
  cells:
  - {name: cell, clusters: [{name: one}]}
";

/// What a run of the binary said.
pub(crate) struct Run {
    what: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "`{}`\n{}{}", self.what, self.stdout, self.stderr);
        self
    }

    /// Something on standard error.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "`{}` does not say `{text}`:\n{}",
            self.what,
            self.stderr
        );
        self
    }

    /// Something on standard output.
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "`{}` does not print `{text}`:\n{}",
            self.what,
            self.stdout
        );
        self
    }

    /// Everything that a person sees, for a golden.
    pub(crate) fn transcript(&self) -> String {
        let code = self.code.map_or("killed".to_owned(), |code| code.to_string());
        format!("$ {}\n{}{}exit code {code}\n", self.what, self.stdout, self.stderr)
    }
}

/// All files below a directory.
pub(crate) fn files(top: &Path) -> Files {
    if !top.exists() {
        return Files::new();
    }
    let entries = WalkDir::new(top).into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let inside = entry.path().strip_prefix(top).unwrap().to_str().unwrap().to_owned();
            (inside, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// Copies a directory with the modes of its files.
fn copy(from: &Path, to: &Path) {
    for entry in WalkDir::new(from).min_depth(1).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Runs a test on each folder of `tests/<kind>/`, and names all that fail.
pub(crate) fn each_case(kind: &str, test: fn(&str, &Path)) {
    let folder = tests().join(kind);
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(!cases.is_empty(), "there is no case in {}", folder.display());
    let fails = |case: &&PathBuf| {
        let name = case.file_name().unwrap().to_str().unwrap();
        catch_unwind(AssertUnwindSafe(|| test(name, case))).is_err()
    };
    let failed: Vec<_> = cases.par_iter().filter(fails).map(|case| case.display()).collect();
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

/// Compares a text with `golden.snap` in the folder of its case.
pub(crate) fn golden(case: &Path, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(case);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("golden", text));
}
