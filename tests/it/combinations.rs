//! Every combination of the settings that decide what a mesh is: accepted, or refused with a reason before anything is written. Of
//! those that are accepted, a few that have every pair of values between them are rendered.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use meshlab::core::blueprint;
use meshlab::core::catalog::Catalog;
use meshlab::core::problem::Problems;
use meshlab::core::resolve::{Allocations, resolve};
use meshlab::core::source::Source;
use meshlab::core::wants::wants;
use meshlab::core::warnings::warnings;
use meshlab::edge::repository::Repository;
use rayon::prelude::*;
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::support::{Scratch, root};

/// A setting and the values that it is given.
struct Axis {
    name: &'static str,
    values: Vec<String>,
}

/// One value of each axis, by index.
type Combination = Vec<usize>;

/// The values of an enumeration, or the keys of a choice, as the schema of blueprints has them: a new one is tried as soon as it is built.
fn listed(schema: &Value, name: &str) -> Vec<String> {
    let definition = &schema["$defs"][name];
    let plain = definition["enum"].as_array().into_iter().flatten();
    let branches = definition["oneOf"].as_array().into_iter().flatten();
    let of_branch = |branch: &Value| match (&branch["const"], branch["properties"].as_object()) {
        (Value::String(text), _) => vec![text.clone()],
        (_, Some(properties)) => properties.keys().cloned().collect(),
        _ => texts(&branch["enum"]),
    };
    let found: Vec<String> = plain
        .filter_map(|value| value.as_str().map(str::to_owned))
        .chain(branches.flat_map(of_branch))
        .collect();
    assert!(!found.is_empty(), "{name}: {definition}");
    found
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn axes(catalog: &Catalog) -> Vec<Axis> {
    let schema = blueprint::json_schema();
    let axis = |name, definition| Axis {
        name,
        values: listed(&schema, definition),
    };
    let minors = catalog
        .istio
        .minors()
        .filter_map(|(_, facts)| facts.read_from.last().cloned());
    let mut dataplanes = axis("istio.dataplane", "Dataplane");
    dataplanes.values.push("ambient, sidecars".to_owned());
    let mut providers = axis("provider", "Provider");
    providers.values.push("multipass, microk8s".to_owned());
    vec![
        axis("network.mode", "NetworkMode"),
        dataplanes,
        axis("pki.issuer", "Issuer"),
        axis("secrets.backend", "Backend"),
        axis("network.cni", "Cni"),
        axis("network.loadBalancer", "LoadBalancer"),
        providers,
        Axis {
            name: "istio.version",
            values: minors.collect(),
        },
    ]
}

fn all(axes: &[Axis]) -> Vec<Combination> {
    axes.iter().fold(vec![Vec::new()], |found, axis| {
        let longer = |combination: &Combination, value| combination.iter().copied().chain([value]).collect();
        found
            .iter()
            .flat_map(|combination| (0..axis.values.len()).map(move |value| longer(combination, value)))
            .collect()
    })
}

/// A lab of a manager and a cell of two clusters with these settings.
fn lab(name: &str, axes: &[Axis], combination: &Combination) -> String {
    let value = |name: &str| {
        let at = axes.iter().position(|axis| axis.name == name).unwrap();
        axes[at].values[combination[at]].as_str()
    };
    let (provider, microk8s) = match value("provider").split_once(", ") {
        Some((provider, _)) => (provider, true),
        None => (value("provider"), false),
    };
    let (dataplane, sidecars) = match value("istio.dataplane").split_once(", ") {
        Some((dataplane, _)) => (dataplane, true),
        None => (value("istio.dataplane"), false),
    };
    let address = |number: u8| match provider {
        "existing" | "minikube" => json!({"address": format!("192.168.49.{number}")}),
        _ => json!({}),
    };
    let named = |name: &str, number| {
        let mut cluster = address(number);
        cluster["name"] = name.into();
        cluster
    };
    let kubernetes = if microk8s {
        json!({"distribution": "microk8s"})
    } else {
        json!({})
    };
    json!({
        "apiVersion": "meshlab.dev/v1alpha1",
        "kind": "Blueprint",
        "metadata": {"name": name},
        "spec": {
            "domain": "demo.lab",
            "git": {"repoURL": "https://example.org/lab.git"},
            "pki": {"issuer": value("pki.issuer")},
            "secrets": {"backend": value("secrets.backend"), "key": "rsa-2048"},
            "registries": {},
            "addresses": {
                "pods": {"first": "10.41.0.0/16"},
                "services": {"first": "10.141.0.0/16"},
                "loadBalancers": {"first": "192.168.49.128/28", "perCell": 2},
            },
            "manager": named("hub", 10),
            "cells": [{"name": "cell", "clusters": [named("cell-1", 11), named("cell-2", 12)]}],
            "settings": {
                "provider": {provider: {}},
                "kubernetes": kubernetes,
                "network": {
                    "mode": value("network.mode"),
                    "clusterMesh": value("network.mode") == "single" && value("network.cni") == "cilium",
                    "cni": value("network.cni"),
                    "loadBalancer": value("network.loadBalancer"),
                },
                "istio": {"version": value("istio.version"), "dataplane": dataplane, "sidecars": sidecars},
                "components": {"web": {"use": "demo-service"}, "sleep": {}},
            },
        },
    })
    .to_string()
}

/// What became of a combination: the codes of its warnings, or the rules that refuse it.
type Fate = Result<BTreeSet<String>, BTreeSet<String>>;

fn fate(catalog: &Catalog, text: &str) -> Fate {
    let source = Source::new("blueprints/lab.yaml", text);
    decide(catalog, &source).map_err(|problems| problems.into_iter().map(|problem| rule(&problem.message)).collect())
}

fn decide(catalog: &Catalog, source: &Arc<Source>) -> Result<BTreeSet<String>, Problems> {
    let blueprint = blueprint::read(source)?;
    let (lab, _) = resolve(&blueprint, source, catalog, &Allocations::default())?;
    wants(&lab)?;
    let warnings = warnings(&lab, "")?;
    Ok(warnings.met.iter().map(|warning| warning.limit.code.clone()).collect())
}

/// A message without the names of this lab.
fn rule(message: &str) -> String {
    let names = Regex::new(r"( on)? ?\b(hub|cell-[12])\b").unwrap();
    let addresses = Regex::new(r"\b\d+\.\d+\.\d+\.\d+\b").unwrap();
    let message = names.replace_all(message, "");
    let message = addresses.replace_all(message.trim_start_matches([':', ' ']), "one address");
    message.into_owned()
}

/// A few of the combinations that have every pair of values that any of them has: always the next that adds most.
fn pairwise(combinations: &[&Combination]) -> Vec<Combination> {
    let pairs = |combination: &Combination| -> BTreeSet<_> {
        let values = || combination.iter().copied().enumerate();
        values()
            .flat_map(|one| {
                values()
                    .filter(move |other| one.0 < other.0)
                    .map(move |other| (one, other))
            })
            .collect()
    };
    let having: Vec<(&Combination, BTreeSet<_>)> = combinations.iter().map(|one| (*one, pairs(one))).collect();
    let mut open: BTreeSet<_> = having.iter().flat_map(|(_, pairs)| pairs.iter().copied()).collect();
    let mut chosen = Vec::new();
    while !open.is_empty() {
        let adds = |pairs: &BTreeSet<_>| pairs.intersection(&open).count();
        let next = having.iter().rev().max_by_key(|(_, pairs)| adds(pairs)).unwrap();
        open = open.difference(&next.1).copied().collect();
        chosen.push(next.0.clone());
    }
    chosen
}

/// Everything that was tried, and what became of it.
struct Tried {
    axes: Vec<Axis>,
    fates: Vec<(Combination, Fate)>,
    chosen: Vec<Combination>,
}

fn tried() -> Tried {
    let nowhere = tempfile::tempdir().unwrap();
    let catalog = Catalog::read(Repository::at(nowhere.path()).catalog().unwrap())
        .map_err(|problems| problems.report(false))
        .unwrap();
    let axes = axes(&catalog);
    let fates: Vec<(Combination, Fate)> = all(&axes)
        .into_par_iter()
        .map(|combination| {
            let fate = fate(&catalog, &lab("lab", &axes, &combination));
            (combination, fate)
        })
        .collect();
    let accepted: Vec<&Combination> = fates
        .iter()
        .filter(|(_, fate)| fate.is_ok())
        .map(|(one, _)| one)
        .collect();
    let chosen = pairwise(&accepted);
    Tried { axes, fates, chosen }
}

/// The part of `docs/combinations.md` that is made from what was tried.
fn page(tried: &Tried) -> String {
    let (mut refusals, mut codes) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    let mut accepted = 0;
    for (_, fate) in &tried.fates {
        accepted += usize::from(fate.is_ok());
        match fate {
            Ok(met) => met.iter().for_each(|code| *codes.entry(code).or_default() += 1),
            Err(rules) => rules.iter().for_each(|rule| *refusals.entry(rule).or_default() += 1),
        }
    }
    let mut text = String::from("| setting | values |\n| --- | --- |\n");
    for axis in &tried.axes {
        text += &format!("| `{}` | {} |\n", axis.name, axis.values.join("; "));
    }
    text += &format!(
        "\n{} combinations: {accepted} accepted, {} refused. {} of the accepted ones have every pair of values that any of them has: these are rendered.\n",
        tried.fates.len(),
        tried.fates.len() - accepted,
        tried.chosen.len()
    );
    text += "\n| refused because | combinations |\n| --- | --- |\n";
    for (rule, count) in &refusals {
        text += &format!("| {} | {count} |\n", rule.replace('|', "\\|"));
    }
    text += "\n| accepted with the warning | combinations |\n| --- | --- |\n";
    for (code, count) in &codes {
        text += &format!("| {code} | {count} |\n");
    }
    text + "\n"
}

const BEGIN: &str = "<!-- combinations -->\n";
const END: &str = "<!-- end of combinations -->";

fn is_current(page: &str) {
    let path = root().join("docs/combinations.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let current = format!("{before}{BEGIN}{page}{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, current).unwrap();
    } else {
        assert!(
            text == current,
            "docs/combinations.md is not current: UPDATE_DOCS=1 cargo test --test it -- combinations"
        );
    }
}

/// Each in the same repository, so that keys are made once.
fn renders(tried: &Tried) {
    let scratch = Scratch::empty();
    for combination in &tried.chosen {
        scratch.write("blueprints/lab.yaml", lab("lab", &tried.axes, combination));
        scratch.run("render").succeeds();
        scratch.run("render --check").succeeds();
    }
}

/// One combination for each rule that refuses any: the program says the rule, and writes nothing.
fn refuses(tried: &Tried) {
    let scratch = Scratch::empty();
    let mut rules: BTreeMap<&str, (&Combination, usize)> = BTreeMap::new();
    for (combination, fate) in &tried.fates {
        let Err(broken) = fate else { continue };
        for rule in broken {
            let least = rules.entry(rule).or_insert((combination, broken.len()));
            if broken.len() < least.1 {
                *least = (combination, broken.len());
            }
        }
    }
    for (broken, (combination, _)) in rules {
        scratch.write("blueprints/lab.yaml", lab("lab", &tried.axes, combination));
        let run = scratch.run("render").exits(2);
        let told: BTreeSet<String> = run
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("error: "))
            .map(rule)
            .collect();
        assert!(told.contains(broken), "`{broken}` is not told:\n{}", run.stderr);
        assert_eq!(scratch.files("").len(), 1, "a refused combination wrote something");
    }
}

/// With `MESHLAB_COMBINATIONS=DIR` the blueprints of those that are rendered go there, for the judges: `tests/conformance/combinations`.
fn export(tried: &Tried, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (i, combination) in tried.chosen.iter().enumerate() {
        let name = format!("c{:02}", i + 1);
        fs::write(
            folder.join(format!("{name}.yaml")),
            lab(&name, &tried.axes, combination),
        )
        .unwrap();
    }
}

#[test]
fn each_is_accepted_and_renders_or_is_refused_with_a_reason() {
    let tried = tried();
    for (combination, fate) in &tried.fates {
        assert!(
            fate.as_ref().err().is_none_or(|rules| !rules.is_empty()),
            "{combination:?}"
        );
    }
    for (axis, number) in tried.axes.iter().zip(0..) {
        for (value, index) in axis.values.iter().zip(0..) {
            let is_possible = tried.chosen.iter().any(|combination| combination[number] == index);
            assert!(is_possible, "{}: nothing goes with {value}", axis.name);
        }
    }
    if let Some(folder) = std::env::var_os("MESHLAB_COMBINATIONS") {
        return export(&tried, Path::new(&folder));
    }
    is_current(&page(&tried));
    renders(&tried);
    refuses(&tried);
}
