//! Small labs as folders of `tests/cases/`: which files their trees have, what stands in those that matter, and what holds for every lab.
//!
//! A case is `blueprints/<case>.yaml` (with components of its own, if need be), `README.md` (why it exists) and `show.txt` (globs of the
//! files whose text belongs to the golden). With `previous.yaml` the case is about a change: that blueprint is rendered before.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;

use globset::GlobBuilder;
use meshlab::core::source::Source;
use meshlab::core::value::Value;
use meshlab::core::yaml;

use crate::support::{Files, Scratch, each_case, golden, skipped};

#[test]
fn every_case_renders_its_golden_tree() {
    each_case("cases", |name, folder| {
        let scratch = Scratch::of_case(folder);
        let (out, blueprint) = (format!("out/{name}"), format!("blueprints/{name}.yaml"));
        let mut text = String::new();
        if let Ok(previous) = std::fs::read_to_string(folder.join("previous.yaml")) {
            let wanted = scratch.read(&blueprint);
            scratch.write(&blueprint, previous);
            scratch.run("render").succeeds();
            let before = scratch.files(&out);
            scratch.write(&blueprint, wanted);
            scratch.run("render").succeeds();
            text += &changes(&before, &scratch.files(&out));
        } else {
            scratch.run("render").succeeds();
        }
        let tree = scratch.files(&out);
        text += &listing(&tree);
        text += &shown(&tree, &std::fs::read_to_string(folder.join("show.txt")).unwrap());
        golden(folder, &text);
        every_document_parses(&tree);
        any_render_is_the_same(&scratch, name, &tree);
        assert!(folder.join("README.md").is_file(), "{name} does not say why it exists");
    });
}

/// What a change of the blueprint did to the tree, by file.
fn changes(before: &Files, after: &Files) -> String {
    let list = |title: &str, files: &Files, is_meant: &dyn Fn(&str, &[u8]) -> bool| {
        let meant = files.iter().filter(|(path, bytes)| is_meant(path, bytes));
        let lines: String = meant.map(|(path, _)| format!("  {path}\n")).collect();
        format!("# {title}\n{lines}\n")
    };
    let gone = list("removed", before, &|path, _| !after.contains_key(path));
    let new = list("new", after, &|path, _| !before.contains_key(path));
    let changed = list("changed", after, &|path, bytes| {
        before.get(path).is_some_and(|old| old != bytes)
    });
    gone + &new + &changed
}

/// Every path of the tree. Clusters with the same files share a list.
fn listing(tree: &Files) -> String {
    let mut text = "# files\n".to_owned();
    let mut clusters: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in tree.keys() {
        match path.strip_prefix("clusters/").and_then(|path| path.split_once('/')) {
            Some((cluster, inside)) => drop(clusters.entry(cluster).or_default().insert(inside)),
            None => text += &format!("{path}\n"),
        }
    }
    let mut alike: BTreeMap<BTreeSet<&str>, Vec<&str>> = BTreeMap::new();
    for (cluster, files) in clusters {
        alike.entry(files).or_default().push(cluster);
    }
    let mut groups: Vec<_> = alike.into_iter().collect();
    groups.sort_by(|a, b| a.1.cmp(&b.1));
    for (files, clusters) in groups {
        text += &format!("clusters/{{{}}}/\n", clusters.join(","));
        text += &files.iter().map(|file| format!("  {file}\n")).collect::<String>();
    }
    text
}

/// The text of the files that the case is about; each of the globs must mean one.
fn shown(tree: &Files, globs: &str) -> String {
    let mut meant = Files::new();
    for glob in globs.lines() {
        let matcher = GlobBuilder::new(glob)
            .literal_separator(true)
            .build()
            .unwrap()
            .compile_matcher();
        let of_glob: Files = tree
            .iter()
            .filter(|(path, _)| matcher.is_match(path))
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect();
        assert!(!of_glob.is_empty(), "show.txt: `{glob}` matches no file");
        meant.extend(of_glob);
    }
    let text = |(path, bytes): (String, Vec<u8>)| format!("\n# file: {path}\n{}", String::from_utf8(bytes).unwrap());
    meant.into_iter().map(text).collect()
}

/// Rendered again, with one thread or several, into another directory: the same bytes. And a check finds nothing.
pub(crate) fn any_render_is_the_same(scratch: &Scratch, lab: &str, tree: &Files) {
    scratch
        .run(&format!("render {lab}"))
        .succeeds()
        .says("nothing to change");
    for jobs in ["1", "4"] {
        scratch
            .run(&format!("render {lab} --jobs {jobs} --out elsewhere-{jobs}"))
            .succeeds();
        assert_eq!(
            scratch.files(&format!("elsewhere-{jobs}/{lab}")),
            *tree,
            "with {jobs} threads"
        );
    }
    let check = scratch.run(&format!("render {lab} --check")).succeeds();
    assert_eq!(check.stdout, "");
    assert_eq!(scratch.files(&format!("out/{lab}")), *tree);
}

/// Every YAML file is read by our reader, and by `PyYAML` to the same values.
pub(crate) fn every_document_parses(tree: &Files) {
    let yaml: BTreeMap<&str, &str> = tree
        .iter()
        .filter(|(path, _)| path.ends_with(".yaml"))
        .map(|(path, bytes)| (path.as_str(), std::str::from_utf8(bytes).unwrap()))
        .collect();
    let ours: BTreeMap<&str, Vec<Value>> = yaml
        .iter()
        .map(|(path, text)| (*path, yaml::read_all(&Source::new(*path, *text)).unwrap()))
        .collect();
    if let Some(theirs) = by_pyyaml(&yaml) {
        for (path, documents) in ours {
            assert_eq!(theirs[path], Value::Array(documents), "PyYAML reads {path} otherwise");
        }
    }
}

const PYYAML: &str = "\
import json, sys, yaml
Loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
files = json.load(sys.stdin)
json.dump({path: list(yaml.load_all(text, Loader)) for path, text in files.items()}, sys.stdout)
";

/// What `PyYAML` reads, by file; nothing where it is not installed.
fn by_pyyaml(files: &BTreeMap<&str, &str>) -> Option<Value> {
    static ONCE: Once = Once::new();
    let is_there = Command::new("python3").args(["-c", "import yaml"]).output();
    if !is_there.is_ok_and(|output| output.status.success()) {
        ONCE.call_once(|| skipped("a second YAML reader", "python3 has no module yaml"));
        return None;
    }
    let mut python = Command::new("python3")
        .args(["-c", PYYAML])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin
        .write_all(serde_json::to_string(files).unwrap().as_bytes())
        .unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "PyYAML cannot read the tree");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The folder itself holds what a case needs and nothing else.
#[test]
fn a_case_is_complete() {
    each_case("cases", |name, folder| {
        let known = |entry: &str| {
            matches!(
                entry,
                "README.md" | "show.txt" | "previous.yaml" | "blueprints" | "argo" | "golden.snap"
            )
        };
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap().file_name().into_string().unwrap();
            assert!(known(&entry), "{name} holds {entry}, which no test reads");
        }
        assert!(Path::new(&folder.join(format!("blueprints/{name}.yaml"))).is_file());
    });
}
