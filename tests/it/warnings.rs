//! Known limits of upstream: told, allowed by code, and never a reason to fail.

use crate::support::Scratch;

const LAB: &str = "\
apiVersion: meshlab.dev/v1alpha1
kind: Blueprint
metadata: {name: lab}
spec:
  domain: demo.lab
  git: {repoURL: https://example.org/lab.git}
  secrets: {key: rsa-2048}
  registries: {}
  allow: []
  manager: {name: hub}
  cells:
  - {name: cell, count: 2}
  settings:
    network: {mode: single, clusterMesh: true}
    istio: {dataplane: ambient}
";

#[test]
fn a_limit_is_told_and_changes_no_exit_code() {
    let scratch = Scratch::of("lab", LAB);
    for command in ["validate", "render", "render", "render --check", "validate"] {
        scratch
            .run(command)
            .succeeds()
            .says("lab: warning[ML102]: upstream does not test ambient clusters that share one network\n  = clusters: cell-1, cell-2\n")
            .says("https://istio.io/latest/docs/ambient/install/multicluster")
            .says("allow: [{code: ML102, reason: …}]");
    }
    let quiet = scratch.run("render --quiet").succeeds();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn what_is_allowed_is_told_to_the_curious_alone() {
    let scratch = Scratch::of("lab", LAB);
    scratch.edit(
        "blueprints/lab.yaml",
        "allow: []",
        "allow: [{code: ML102, reason: measured here}]",
    );
    let run = scratch.run("render").succeeds();
    assert!(!run.stderr.contains("ML102"), "{}", run.stderr);
    scratch
        .run("render --verbose")
        .succeeds()
        .says("ML102 is allowed: measured here");
}

#[test]
fn an_allowance_that_nothing_needs_is_told() {
    let scratch = Scratch::of("lab", LAB);
    scratch.edit("blueprints/lab.yaml", "dataplane: ambient", "dataplane: sidecar");
    scratch.edit(
        "blueprints/lab.yaml",
        "allow: []",
        "allow: [{code: ML102, reason: measured here}]",
    );
    scratch
        .run("render")
        .succeeds()
        .says("ML102 is allowed, but nothing here meets that limit");
}
