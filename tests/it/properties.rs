//! Any small blueprint is either refused with problems, or its tree is right.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

use crate::cases::{any_render_is_the_same, every_document_parses};
use crate::support::Scratch;

/// One keystore for all blueprints: the same few names again and again need few keys.
static KEYS: LazyLock<Scratch> = LazyLock::new(Scratch::empty);

/// A name that is mostly legal.
fn name() -> impl Strategy<Value = &'static str> {
    let legal = prop::sample::select(vec!["a", "b", "a-1"]);
    let illegal = prop::sample::select(vec!["hub", "manager", "Bad_Name", ""]);
    prop_oneof![40 => legal, 1 => illegal]
}

fn cell() -> impl Strategy<Value = Value> {
    let listed = (name(), prop::collection::vec((name(), any::<bool>()), 1..3)).prop_map(|(cell, clusters)| {
        let state = |active| if active { "active" } else { "decommissioned" };
        let clusters: Vec<_> = clusters
            .into_iter()
            .enumerate()
            .map(|(i, (name, active))| json!({"name": format!("{cell}-{name}-{i}"), "state": state(active)}))
            .collect();
        json!({"name": cell, "clusters": clusters})
    });
    let counted = (name(), 1..3u16).prop_map(|(cell, count)| json!({"name": cell, "count": count}));
    let fleet = (name(), 1..3u16).prop_map(|(cell, cells)| json!({"name": cell, "cells": cells, "count": 1}));
    prop_oneof![listed, counted, fleet]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.:#{}'\" -]{0,12}",
        prop::sample::select(vec![
            "yes",
            "0x1f",
            "1e3",
            "~",
            "<{ lab.name }>",
            "a\nb\n",
            "- x",
            "2024-01-01"
        ])
        .prop_map(str::to_owned)
    ]
}

fn component() -> impl Strategy<Value = (String, Value)> {
    let anywhere = prop::sample::select(vec![
        "istio-istiod",
        "cilium",
        "metrics-server",
        "vault",
        "istio-nsgw",
        "no-such",
    ]);
    let what = prop_oneof![
        1 => any::<bool>().prop_map(|enabled| json!({"enabled": enabled})),
        2 => Just(json!({"managed": "external"})),
        6 => (text(), text()).prop_map(|(key, value)| json!({"values": {key: value, "list": [1, null], "gone": null}})),
        2 => Just(json!({"version": "1.2.3"})),
        1 => text().prop_map(|version| json!({"version": version})),
    ];
    let instance = (
        prop::sample::select(vec!["web", "1st", "other"]),
        prop::sample::select(vec!["demo-service"]),
    );
    prop_oneof![
        (anywhere, what).prop_map(|(name, what)| (name.to_owned(), what)),
        instance.prop_map(|(name, component)| (name.to_owned(), json!({"use": component}))),
    ]
}

fn settings() -> impl Strategy<Value = Value> {
    let components = prop::collection::vec(component(), 0..3);
    let network = (prop::sample::select(vec!["multi", "single"]), any::<bool>());
    let provider = prop::sample::select(vec![json!({"multipass": {}}), json!({"existing": {}})]);
    (components, network, provider).prop_map(|(components, (mode, mesh), provider)| {
        let components: BTreeMap<String, Value> = components.into_iter().collect();
        json!({"components": components, "network": {"mode": mode, "clusterMesh": mesh}, "provider": provider})
    })
}

fn blueprint() -> impl Strategy<Value = Value> {
    let overrides = prop::collection::vec((prop::sample::select(vec!["*", "*-*", "{hub,x}"]), settings()), 0..2);
    let sync = prop::sample::select(vec!["manual", "automated"]);
    let per_cell = prop::sample::select(vec![2u16, 10, 10]);
    (
        prop::collection::vec(cell(), 0..3),
        settings(),
        overrides,
        sync,
        per_cell,
    )
        .prop_map(|(cells, settings, overrides, sync, per_cell)| {
            let mut cells = cells;
            // Cells of one name would all be refused for that.
            if let [_, second] = &mut cells[..] {
                second["name"] = json!(format!("{}x", second["name"].as_str().unwrap_or_default()));
            }
            let over = |(glob, settings): (&str, Value)| {
                let mut over = settings;
                over["for"] = json!([glob]);
                over
            };
            json!({
                "apiVersion": "meshlab.dev/v1alpha1",
                "kind": "Blueprint",
                "metadata": {"name": "lab"},
                "spec": {
                    "domain": "demo.lab",
                    "git": {"repoURL": "https://example.org/lab.git"},
                    "argo": {"sync": sync},
                    "secrets": {"key": "rsa-2048"},
                    "addresses": {
                        "pods": {"first": "10.41.0.0/16", "perCell": per_cell},
                        "services": {"first": "10.141.0.0/16", "perCell": per_cell},
                    },
                    "manager": {"name": "hub"},
                    "cells": cells,
                    "settings": settings,
                    "overrides": overrides.into_iter().map(over).collect::<Vec<_>>(),
                },
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        max_shrink_iters: 40,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_blueprint_is_refused_or_renders_a_right_tree(blueprint in blueprint()) {
        let scratch = Scratch::of("lab", &format!("{blueprint:#}"));
        let keys = KEYS.path("keys");
        let run = scratch.run(&format!("render --keystore {}", keys.display()));
        match run.code {
            Some(2) => {
                prop_assert!(run.stderr.contains("error: ") && run.stderr.contains("problem"), "{}", run.stderr);
                prop_assert!(!scratch.exists("out") && !scratch.exists("blueprints/lab.lock"), "something was written");
            }
            Some(0) => {
                let tree = scratch.files("out/lab");
                every_document_parses(&tree);
                any_render_is_the_same(&scratch, "lab", &tree);
            }
            _ => prop_assert!(false, "{}", run.transcript()),
        }
    }
}
