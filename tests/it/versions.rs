//! Istio's minors: every one of the table renders, with nothing that its istiod would not read.

use std::collections::BTreeSet;
use std::fs;

use meshlab::core::source::Source;
use meshlab::core::yaml;
use serde_json::Value;

use crate::support::{Scratch, root};

fn lab(release: &str, dataplane: &str) -> String {
    format!(
        "\
apiVersion: meshlab.dev/v1alpha1
kind: Blueprint
metadata: {{name: lab}}
spec:
  domain: demo.lab
  git: {{repoURL: https://example.org/lab.git}}
  secrets: {{key: rsa-2048}}
  registries: {{}}
  manager: {{name: hub}}
  cells:
  - {{name: cell, count: 2}}
  settings:
    istio: {{version: {release}, dataplane: {dataplane}}}
"
    )
}

fn table(scratch: &Scratch) -> Vec<Value> {
    let printed = scratch.run("components --istio --format json").succeeds().stdout;
    serde_json::from_str(&printed).unwrap()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
}

#[test]
fn every_minor_renders_for_both_dataplanes() {
    let scratch = Scratch::of("lab", &lab("1.30.3", "sidecar"));
    let minors = table(&scratch);
    assert!(minors.len() >= 3);
    for minor in &minors {
        let release = texts(&minor["readFrom"]).last().unwrap();
        let known: BTreeSet<&str> = texts(&minor["variables"]).collect();
        for dataplane in ["sidecar", "ambient"] {
            scratch.write("blueprints/lab.yaml", lab(release, dataplane));
            scratch.run("render").succeeds();
            let values = scratch.read("out/lab/clusters/cell-1/values/istio-istiod.yaml");
            let values: Value = yaml::read(&Source::new("values", values)).unwrap();
            let env = values["env"].as_object().unwrap();
            for name in env.keys() {
                assert!(known.contains(name.as_str()), "{release}: {name}");
            }
            assert_eq!(env.contains_key("AMBIENT_ENABLE_MULTI_NETWORK"), dataplane == "ambient");
            let crds = scratch.read("out/lab/clusters/cell-1/apps/gateway-api.yaml");
            let release_of_crds = minor["features"]["gatewayAPI"].as_str().unwrap();
            assert!(crds.contains(&format!("targetRevision: {release_of_crds}\n")), "{crds}");
        }
    }
}

#[test]
fn a_table_of_ones_own_adds_a_minor() {
    let scratch = Scratch::of("lab", &lab("1.32.0", "sidecar"));
    scratch
        .run("render")
        .exits(2)
        .says("nothing is known here of Istio 1.32");
    let table = fs::read_to_string(root().join("blueprints/components/istio-versions.yaml")).unwrap();
    let path = "blueprints/components/istio-versions.yaml";
    scratch.write(path, table.replace("\"1.31\"", "\"1.32\""));
    scratch.run("render").succeeds();
    // The tree was made from it: a change of it is seen.
    scratch.run("render").succeeds().says("nothing to change");
    scratch.edit(path, "gatewayAPI: v1.6.1", "gatewayAPI: v1.6.2");
    scratch.run("render").succeeds().says("2 changed");
    scratch.edit(path, "variables:", "variabels:");
    scratch.run("render").exits(2).says(path);
}
