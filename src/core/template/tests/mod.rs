//! Every sentence of `docs/templates.md` on syntax.

mod errors;
mod filters;
mod scalars;
mod structure;
mod text;

use serde_json::json;

use super::{Scope, Template, from_value};
use crate::core::problem::Problems;
use crate::core::source::Source;
use crate::core::value::Value;

/// A small model, shaped like the real one.
fn scope() -> Scope {
    Scope::new(from_value(&json!({
        "istio": {"version": "1.30.3", "revision": "1-30-3", "dataplane": "sidecar"},
        "network": {"mode": "multi", "clusterMesh": true, "none": null},
        "cell": {"name": "pasta", "clusters": [{"name": "pasta-1"}, {"name": "pasta-2"}], "vms": []},
        "cluster": {"name": "pasta-1", "id": 1, "ratio": 0.5, "nodes": ["a", "b", "c"], "peers": [{"name": "pasta-2", "port": 2379}]},
        "registries": {"docker.io": 5011, "quay.io": 5012},
        "provider": {"multipass": {"cpus": 2}},
        "hostile": "x\"\n  injected: true # {}[]&*!|>'%@`",
    })))
}

fn template(text: &str) -> Template {
    Template::parse(&Source::new("t.yaml", text)).unwrap_or_else(|problems| panic!("{}", problems.report(false)))
}

fn render(text: &str) -> Value {
    template(text)
        .render(&scope())
        .unwrap_or_else(|problem| panic!("{}", Problems::from(problem).report(false)))
}

/// What parsing reports.
fn refused(text: &str) -> String {
    Template::parse(&Source::new("t.yaml", text))
        .expect_err(text)
        .report(false)
}

/// What rendering reports.
fn fails(text: &str) -> String {
    let problem = template(text).render(&scope()).expect_err(text);
    Problems::from(problem).report(false)
}
