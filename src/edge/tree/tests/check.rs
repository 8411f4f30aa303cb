use std::fs;

use super::*;
use crate::core::diff::{Refusal, Verdict};
use crate::core::manifest;

fn verdicts(outcome: &Outcome) -> Vec<(&str, Verdict)> {
    outcome
        .differences
        .iter()
        .map(|difference| (difference.path.as_str(), difference.verdict))
        .collect()
}

#[test]
fn a_check_after_a_render_is_clean_and_writes_nothing() {
    let lab = Lab::rendered(&[("a/b", "1\n")]);
    let before = snapshot(lab.scratch.path());
    let outcome = lab.check(&[("a/b", "1\n")]);
    assert!(outcome.is_clean() && outcome.foreign.is_empty());
    assert_eq!(snapshot(lab.scratch.path()), before);
}

#[test]
fn a_check_of_nothing_makes_nothing() {
    let lab = Lab::new();
    let outcome = lab.check(&[("a", "1\n")]);
    assert_eq!(verdicts(&outcome), [("a", Verdict::Create)]);
    assert_eq!(
        outcome.differences[0].diff,
        "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+1\n"
    );
    assert!(snapshot(lab.scratch.path()).is_empty());
}

#[test]
fn a_check_names_everything_sorted() {
    let lab = Lab::rendered(&[("changed", "1\n"), ("edited", "1\n"), ("stale", "1\n"), ("same", "1\n")]);
    lab.write("edited", "mine\n");
    lab.write("blocked", "mine\n");
    lab.write("foreign/deep/file", "mine\n");
    lab.write("same-but-foreign", "mine\n");
    lab.write(".meshlab.stage/files/left", "by a killed render\n");
    fs::create_dir(lab.path("empty")).unwrap();
    let before = snapshot(lab.scratch.path());
    let outcome = lab.check(&[
        ("same", "1\n"),
        ("missing", "1\n"),
        ("edited", "1\n"),
        ("changed", "2\n"),
        ("blocked/x", "1\n"),
    ]);
    let expected = [
        ("blocked", Verdict::Refuse(Refusal::Foreign)),
        ("blocked/x", Verdict::Create),
        ("changed", Verdict::Replace),
        ("edited", Verdict::Refuse(Refusal::Edited)),
        ("missing", Verdict::Create),
        ("stale", Verdict::Remove),
    ];
    assert_eq!(verdicts(&outcome), expected);
    assert_eq!(
        outcome.differences[2].diff,
        "--- a/changed\n+++ b/changed\n@@ -1 +1 @@\n-1\n+2\n"
    );
    assert_eq!(
        outcome.differences[5].diff,
        "--- a/stale\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
    );
    assert_eq!(outcome.foreign, [Path::new("foreign/"), Path::new("same-but-foreign")]);
    assert_eq!(snapshot(lab.scratch.path()), before);
}

#[test]
fn a_check_tells_when_only_the_manifest_differs() {
    let lab = Lab::rendered(&[("a", "1\n")]);
    fs::remove_file(lab.path(manifest::FILE)).unwrap();
    let outcome = lab.check(&[("a", "1\n")]);
    assert!(!outcome.is_clean());
    assert!(
        outcome.differences[0]
            .diff
            .starts_with("--- /dev/null\n+++ b/.meshlab.sum\n")
    );
}

#[test]
fn the_diff_of_a_check_is_what_a_render_does() {
    let lab = Lab::rendered(&[("changed", "1\n2\n"), ("stale", "1\n")]);
    let wanted: Files<'_> = &[("changed", "1\n3\n"), ("new/one", "x")];
    let patch: String = lab
        .check(wanted)
        .differences
        .iter()
        .map(|difference| difference.diff.as_str())
        .collect();
    let file = lab.scratch.path().join("patch");
    fs::write(&file, patch).unwrap();
    let Ok(status) = std::process::Command::new("git")
        .arg("apply")
        .arg(&file)
        .current_dir(lab.root())
        .status()
    else {
        eprintln!("skipped: no git");
        return;
    };
    assert!(status.success());
    fs::remove_file(lab.path(manifest::FILE)).unwrap();
    lab.render(wanted).unwrap();
    lab.assert_is(wanted);
}
