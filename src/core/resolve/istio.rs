//! Rules about versions of Istio: what the table of the catalog does not know is refused, not guessed.

use std::sync::Arc;

use crate::core::blueprint::{Blueprint, Spec};
use crate::core::catalog::{IstioVersions, Minor};
use crate::core::lab::{Cell, Cluster, Instance, Lab};
use crate::core::problem::{Problem, Problems, closest};
use crate::core::source::{Path, Place, Source};
use crate::core::value::{Map, Value};
use crate::path;

use super::populate::place_of;
use super::settings::component_layers;

/// The component whose chart is istiod's.
const ISTIOD: &str = "istio-istiod";

/// Where values of istiod's chart hold its environment: the root, and what is copied over the root.
const ENVIRONMENTS: [&[&str]; 2] = [&["env"], &["pilot", "env"]];

/// Releases of minors that the table does not know, where the blueprint names them.
pub(super) fn unknown_minors(spec: &Spec, source: &Arc<Source>, versions: &IstioVersions) -> Vec<Problem> {
    let base = std::iter::once((path!["spec", "settings"], &spec.settings.istio));
    let overrides = spec.overrides.iter().enumerate();
    let layers = base.chain(overrides.map(|(i, over)| (path!["spec", "overrides", i], &over.istio)));
    let named = layers.filter_map(|(path, istio)| Some((path, istio.as_ref()?.version.as_deref()?)));
    named
        .filter_map(|(path, version)| {
            let place = Place::value(source, path.join("istio").join("version"));
            unknown(version, place, versions)
        })
        .collect()
}

fn unknown(version: &str, place: Place, versions: &IstioVersions) -> Option<Problem> {
    // What is no release at all is refused by the schema.
    let minor = Minor::of(version)?;
    versions.minor(minor).is_none().then(|| {
        let known: Vec<String> = versions.minors().map(|(minor, _)| minor.to_string()).collect();
        let help = format!(
            "known are {}; a blueprints/components/istio-versions.yaml of your own replaces the table of minors",
            known.join(", ")
        );
        Problem::at(place, format!("nothing is known here of Istio {minor}")).help(help)
    })
}

/// What is wrong with the versions of the istiods of a lab, and with their environments.
pub(super) fn check(blueprint: &Blueprint, lab: &Lab, versions: &IstioVersions) -> Problems {
    let mut problems: Problems = lab.cells.iter().filter_map(|cell| skew(lab, cell)).collect();
    for cluster in &lab.clusters {
        for istiod in istiods(cluster) {
            problems.extend(environment(blueprint, lab, cluster, istiod, versions));
        }
    }
    problems
}

/// The instances of istiod that Argo CD brings to a cluster.
fn istiods(cluster: &Cluster) -> impl Iterator<Item = &Instance> {
    let instances = cluster.instances.values();
    instances.filter(|instance| !instance.external && instance.component.name.as_str() == ISTIOD)
}

/// The istiods of a mesh are at most one minor apart: further is nothing that upstream tests or supports
/// (istio.io, "Supported releases": control plane and data plane skew).
fn skew(lab: &Lab, cell: &Cell) -> Option<Problem> {
    let active = lab.clusters_of(cell).filter(|cluster| cluster.active);
    let found = active.flat_map(|cluster| istiods(cluster).map(move |istiod| (cluster, istiod)));
    let mut found: Vec<(Minor, &Cluster, &Instance)> = found
        .filter_map(|(cluster, istiod)| Some((Minor::of(istiod.version()?)?, cluster, istiod)))
        .collect();
    found.sort_by_key(|(minor, cluster, istiod)| (*minor, cluster.index, istiod.name.clone()));
    let ((oldest, old, _), (newest, new, istiod)) = (found.first()?, found.last()?);
    if oldest.distance(*newest).is_some_and(|distance| distance <= 1) {
        return None;
    }
    let message = format!(
        "istiod of {} is at Istio {newest}, that of {} in the same mesh at {oldest}",
        new.name, old.name
    );
    let help = "the clusters of a cell may be one minor apart: take them there one minor after the other";
    let problem = Problem::at(place_of(lab, new, istiod), message);
    Some(problem.related(old.place.clone(), "the older one").help(help))
}

/// Variables that the blueprint gives to an istiod that does not know them.
fn environment(
    blueprint: &Blueprint,
    lab: &Lab,
    cluster: &Cluster,
    istiod: &Instance,
    versions: &IstioVersions,
) -> Vec<Problem> {
    let version = istiod.version().unwrap_or_default();
    let Some(minor) = Minor::of(version) else {
        return Vec::new();
    };
    if versions.minor(minor).is_none() {
        // That of `istio.version` was refused already; this instance has a version of its own.
        let at = Place::value(&lab.source, choice_path(cluster, istiod).join("version"));
        return unknown(version, at, versions).into_iter().collect();
    }
    let given = ENVIRONMENTS.iter().flat_map(|keys| {
        let names = below(&istiod.values, keys).into_iter().flat_map(Map::keys);
        names.map(move |name| (keys, name))
    });
    given
        .filter_map(|(keys, name)| {
            let (message, help) = objection(name, minor, versions)?;
            let layer = layer_of(blueprint, istiod, keys, name);
            let place = layer.map_or_else(
                || place_of(lab, cluster, istiod),
                |path| Place::key(&lab.source, path.join(name)),
            );
            Some(Problem::at(place, message).help(help))
        })
        .collect()
}

/// What is wrong with a variable for istiod of a minor, and what to do.
fn objection(name: &str, minor: Minor, versions: &IstioVersions) -> Option<(String, String)> {
    match versions.variable(name) {
        Some(known) if known.by(minor) => None,
        Some(known) => Some((
            format!("istiod of Istio {minor} does not know the variable {name}: it is there {known}"),
            "remove it, or move it to an override for clusters of a version that knows it".to_owned(),
        )),
        None if versions.is_other(name) => None,
        None => {
            let current = versions.variables().filter(|(_, known)| known.by(minor));
            let help = match closest(name, current.map(|(name, _)| name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it: istiod ignores what it does not know".to_owned(),
            };
            Some((format!("no known istiod reads the variable {name}"), help))
        }
    }
}

/// The map below some keys.
fn below<'a>(values: &'a Map, keys: &[&str]) -> Option<&'a Map> {
    keys.iter()
        .try_fold(values, |map, key| map.get(*key).and_then(Value::as_object))
}

fn choice_path(cluster: &Cluster, instance: &Instance) -> Path {
    cluster
        .settings
        .components
        .get(&instance.name)
        .map_or_else(Path::default, |choice| choice.path.clone())
}

/// The last environment in the blueprint that gives an istiod the variable `name`.
fn layer_of(blueprint: &Blueprint, istiod: &Instance, keys: &[&str], name: &str) -> Option<Path> {
    let layers = component_layers(&blueprint.spec).filter_map(|(path, components)| {
        let settings = components.get(istiod.name.as_str())?.as_ref()?;
        below(&settings.values, keys)?.get(name)?;
        let values = path.join(istiod.name.as_str()).join("values");
        Some(keys.iter().fold(values, |path, key| path.join(*key)))
    });
    layers.last()
}
