//! The lab istio-basics at each of its stages: nothing but the stage changes, and the page about it shows what each adds.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cases::every_document_parses;
use crate::support::{Files, Scratch, root, skipped};

const LAB: &str = "istio-basics";
const PAGE: &str = "docs/labs/istio-basics.md";
const STAGES: [&str; 5] = ["install", "gateway", "observability", "secure", "traffic"];

/// A copy of the shipped lab at a stage, rendered with the shipped lock and no keys.
fn at(stage: &str) -> Scratch {
    let scratch = Scratch::empty();
    let file = format!("blueprints/{LAB}.yaml");
    scratch.write(&file, fs::read(root().join(&file)).unwrap());
    scratch.edit(
        &file,
        "    stage: traffic\n    provider",
        &format!("    stage: {stage}\n    provider"),
    );
    for (path, bytes) in lock() {
        scratch.write(&format!("blueprints/{LAB}.lock/{path}"), bytes);
    }
    scratch.run(&format!("render {LAB}")).succeeds();
    scratch
}

fn lock() -> Files {
    crate::support::files(&root().join(format!("blueprints/{LAB}.lock")))
}

#[test]
fn a_stage_needs_no_keys_and_changes_no_lock() {
    for stage in STAGES {
        let scratch = at(stage);
        assert_eq!(scratch.files(&format!("blueprints/{LAB}.lock")), lock(), "{stage}");
        let tree = scratch.files(&format!("out/{LAB}"));
        every_document_parses(&tree);
        scratch.run(&format!("render {LAB} --check")).succeeds();
    }
    let shipped = crate::support::files(&root().join(format!("out/{LAB}")));
    assert_eq!(at("traffic").files(&format!("out/{LAB}")), shipped);
}

/// What a stage added stays: only files of the lab as a whole, and those that the stage is about, change.
#[test]
fn a_stage_takes_nothing_away() {
    for pair in STAGES.windows(2) {
        let [before, after] = [pair[0], pair[1]].map(|stage| at(stage).files(&format!("out/{LAB}")));
        let gone: Vec<&String> = before.keys().filter(|path| !after.contains_key(*path)).collect();
        assert!(gone.is_empty(), "{} has no {gone:?}", pair[1]);
        let more = after.len() - before.len();
        assert!(more > 5, "{} adds {more} files", pair[1]);
    }
}

#[test]
fn the_page_shows_what_each_stage_adds() {
    let Some(diffs) = diffs() else {
        skipped(PAGE, "git is not installed");
        return;
    };
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let mut right = page.clone();
    for (title, diff) in diffs {
        let fence = format!("```console\n# {title}\n");
        let start = right
            .find(&fence)
            .unwrap_or_else(|| panic!("{PAGE} has no block `# {title}`"))
            + fence.len();
        let end = start + right[start..].find("```").unwrap();
        right.replace_range(start..end, &diff);
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(root().join(PAGE), &right).unwrap();
    } else {
        assert!(
            right == page,
            "{PAGE} is out of date: INSTA_UPDATE=always cargo test --test it -- stages"
        );
    }
}

/// `git diff --stat` between each stage and the one before, by title; none without git.
fn diffs() -> Option<Vec<(String, String)>> {
    let repository = Scratch::empty();
    let top = repository.path("");
    git(&top, &["init", "--quiet"])?;
    let mut found = Vec::new();
    for (i, stage) in STAGES.iter().enumerate() {
        let out = format!("out/{LAB}");
        for (path, bytes) in at(stage).files(&out) {
            repository.write(&format!("{out}/{path}"), bytes);
        }
        git(&top, &["add", "--all"])?;
        if i > 0 {
            let relative = format!("--relative={out}");
            let diff = git(&top, &["diff", "--cached", "--stat=100", &relative])?;
            found.push((format!("{} → {stage}", STAGES[i - 1]), diff));
        }
        git(&top, &["commit", "--quiet", "--message", stage])?;
    }
    Some(found)
}

fn git(top: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.org",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(top)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}
