//! Places instances on every cluster, and checks what only shows when they are together.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{entrances, global_names, placement, stages, vms};
use crate::core::blueprint::Backend;
use crate::core::catalog::{Catalog, On};
use crate::core::lab::{Cluster, Instance, Lab};
use crate::core::name::{InstanceName, Namespace};
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place, Step};
use crate::core::value::{Map, Value};
use crate::core::views::{Views, with_instance};
use crate::core::wants::SEALED_SECRETS;
use crate::path;

/// The component that owns the namespaces of all others, and therefore comes before each of them.
pub(crate) const NAMESPACES: &str = "namespaces";

/// Fills in what runs on each cluster.
///
/// # Errors
/// Problems of placement, unmet requirements, clashes between instances, failed assertions.
pub(super) fn populate(mut lab: Lab, catalog: &Catalog) -> Result<Lab, Problems> {
    let views = Views::new(&lab, "");
    let placed: Vec<_> = (0..lab.clusters.len())
        .into_par_iter()
        .map(|index| placement::place(&lab, catalog, &views, index))
        .collect();
    let mut problems = Problems::default();
    for (index, instances) in placed.into_iter().enumerate() {
        let (now, later) = problems.take(instances).unwrap_or_default();
        lab.clusters[index].instances = now;
        lab.clusters[index].later = later;
    }
    let lab = namespaces(problems.or(lab)?, &views)?;
    let views = Views::new(&lab, "");
    let mut problems: Problems = (0..lab.clusters.len())
        .into_par_iter()
        .flat_map_iter(|index| of_cluster(&lab, &views, index))
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    problems.extend(vms::of_lab(&lab));
    problems.extend(one_component_each(&lab));
    problems.extend(unplaced(&lab, catalog));
    problems.or(lab)
}

/// Collects the namespaces of each cluster with the labels that its instances ask for.
fn namespaces(mut lab: Lab, views: &Views) -> Result<Lab, Problems> {
    let found: Vec<_> = (0..lab.clusters.len())
        .into_par_iter()
        .map(|index| namespaces_of(&lab, views, index))
        .collect();
    let mut problems = Problems::default();
    for (index, namespaces) in found.into_iter().enumerate() {
        lab.clusters[index].namespaces = problems.take(namespaces).unwrap_or_default();
    }
    problems.or(lab)
}

fn namespaces_of(lab: &Lab, views: &Views, index: usize) -> Result<BTreeMap<Namespace, Map>, Problems> {
    let site = views.site(lab, index);
    let mut problems = Problems::default();
    let mut found: BTreeMap<Namespace, Map> = BTreeMap::new();
    let mut owners: BTreeMap<(Namespace, String), &Instance> = BTreeMap::new();
    let ours = lab.clusters[index]
        .instances
        .values()
        .filter(|instance| !instance.external && is_ours(instance.namespace.as_str()));
    for instance in ours {
        let labels = found.entry(instance.namespace.clone()).or_default();
        let wanted = match &instance.component.namespace_labels {
            Some(template) => problems.take(template.render(&with_instance(&site, instance)).map_err(Problems::from)),
            None => None,
        };
        for (key, value) in wanted.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let owner = owners
                .entry((instance.namespace.clone(), key.clone()))
                .or_insert(instance);
            match labels.insert(key.clone(), value.clone()) {
                Some(other) if other != *value => problems.push(label_clash(instance, owner, key, value, &other)),
                _ => {}
            }
        }
    }
    problems.or(found)
}

/// Kubernetes's own namespaces belong to nobody.
fn is_ours(namespace: &str) -> bool {
    namespace != "default" && !namespace.starts_with("kube-")
}

fn label_clash(instance: &Instance, owner: &Instance, key: &str, value: &Value, other: &Value) -> Problem {
    let labels = |instance: &Instance| Place::value(&instance.component.source, path!["namespaceLabels"]);
    let message = format!(
        "namespace `{}`: `{}` wants label {key}={value}, `{}` wants {other}",
        instance.namespace, instance.name, owner.name
    );
    Problem::at(labels(instance), message).help("put them in different namespaces, or agree on one value")
}

fn of_cluster(lab: &Lab, views: &Views, index: usize) -> Vec<Problem> {
    let cluster = &lab.clusters[index];
    let mut problems = requirements(lab, cluster);
    problems.extend(releases(lab, cluster));
    problems.extend(entrances::of_cluster(lab, cluster));
    problems.extend(global_names::of_cluster(lab, cluster));
    let scope = views.cluster_scope(lab, index);
    for instance in cluster.instances.values() {
        let scope = with_instance(&scope, instance);
        for assertion in &instance.component.asserts {
            match assertion.that.truth(&scope) {
                Ok(true) => {}
                Ok(false) => {
                    let message = format!("{} on {}: {}", instance.name, cluster.name, assertion.say);
                    problems.push(
                        Problem::at(cluster.place.clone(), message).related(assertion.place.clone(), "this must hold"),
                    );
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    problems
}

/// Each requirement must be met by an enabled instance on the same cluster.
fn requirements(lab: &Lab, cluster: &Cluster) -> Vec<Problem> {
    let components = || cluster.instances.values().map(|instance| &instance.component);
    let provided = components().flat_map(|component| component.file.provides.iter().map(String::as_str));
    let present: BTreeSet<&str> = components()
        .map(|component| component.name.as_str())
        .chain(provided)
        .collect();
    let mut problems = Vec::new();
    for instance in cluster.instances.values().filter(|instance| !instance.external) {
        let implicit = std::iter::once(NAMESPACES).filter(|_| is_ours(instance.namespace.as_str()));
        let declared = instance.component.file.requires.iter().map(String::as_str);
        let decrypts = decryption(lab, instance);
        for wanted in declared
            .chain(implicit)
            .chain(decrypts)
            .filter(|wanted| !present.contains(wanted))
        {
            let message = format!(
                "`{}` on {} requires `{wanted}`, which is not enabled there",
                instance.name, cluster.name
            );
            let help = format!(
                "enable it (`components: {{{wanted}: {{enabled: true}}}}`), say `{wanted}: {{managed: external}}` if you run it already, or disable `{}`",
                instance.name
            );
            problems.push(Problem::at(place_of(lab, cluster, instance), message).help(help));
        }
    }
    problems
}

/// The component that decrypts the secrets of an instance.
fn decryption(lab: &Lab, instance: &Instance) -> Option<&'static str> {
    let component = match lab.secrets.backend {
        Backend::SealedSecrets => SEALED_SECRETS,
    };
    (!instance.component.secrets.is_empty()).then_some(component)
}

/// Two Helm releases of one name in one namespace would overwrite each other.
fn releases(lab: &Lab, cluster: &Cluster) -> Vec<Problem> {
    let mut seen: BTreeMap<(&str, &str), &Instance> = BTreeMap::new();
    let mut problems = Vec::new();
    for instance in cluster
        .instances
        .values()
        .filter(|instance| instance.chart.is_some() && !instance.external)
    {
        if let Some(first) = seen.insert((instance.namespace.as_str(), instance.release.as_str()), instance) {
            let message = format!(
                "`{}` and `{}` on {} are both the Helm release `{}` in namespace `{}`",
                first.name, instance.name, cluster.name, instance.release, instance.namespace
            );
            problems.push(
                Problem::at(place_of(lab, cluster, instance), message)
                    .help("give one of them another `release` or `namespace`"),
            );
        }
    }
    problems
}

/// An ApplicationSet serves one component: its instances have the same everywhere.
fn one_component_each(lab: &Lab) -> Vec<Problem> {
    let mut seen: BTreeMap<&str, (&Instance, &Cluster)> = BTreeMap::new();
    let mut problems = Vec::new();
    for cluster in &lab.clusters {
        for instance in cluster.instances.values() {
            let (first, at) = seen.entry(instance.name.as_str()).or_insert((instance, cluster));
            if first.component.name != instance.component.name {
                let message = format!(
                    "`{}` is component `{}` on {} and `{}` on {}",
                    instance.name, first.component.name, at.name, instance.component.name, cluster.name
                );
                problems.push(
                    Problem::at(place_of(lab, cluster, instance), message)
                        .help("an instance name stands for one component in the whole lab"),
                );
            }
        }
    }
    problems
}

/// Instances that the blueprint enables by name but that no cluster can have.
fn unplaced(lab: &Lab, catalog: &Catalog) -> Vec<Problem> {
    let mut problems = Vec::new();
    for cluster in &lab.clusters {
        for (name, choice) in cluster
            .settings
            .components
            .iter()
            .filter(|(_, choice)| choice.enabled == Some(true))
        {
            let component = choice.component.as_deref().unwrap_or(name.as_str());
            if catalog
                .get(component)
                .is_some_and(|component| stages::awaited(lab, cluster, component, choice))
            {
                continue;
            }
            let nowhere = !lab.clusters.iter().any(|other| has_by(other, name, &choice.path));
            if let Some(component) = catalog.get(component).filter(|_| nowhere) {
                let on = match component.file.on {
                    On::Manager => "the manager",
                    On::Clusters | On::All => "clusters of cells",
                };
                let message = format!("`{name}` is enabled, but no cluster here can have it: it runs on {on}");
                problems.push(
                    Problem::at(Place::key(&lab.source, choice.path.clone()), message)
                        .help("move it to settings or an override that includes such a cluster"),
                );
            }
        }
    }
    problems
}

/// Whether a cluster has an instance; if `path` is in an override, by that override.
fn has_by(cluster: &Cluster, name: &InstanceName, path: &Path) -> bool {
    let is_override = path.0.get(1) == Some(&Step::from("overrides"));
    let choice = cluster.settings.components.get(name);
    cluster.instances.contains_key(name) && (!is_override || choice.is_some_and(|choice| choice.path == *path))
}

/// Where the blueprint names an instance, else where it declares the cluster.
pub(crate) fn place_of(lab: &Lab, cluster: &Cluster, instance: &Instance) -> Place {
    match cluster.settings.components.get(&instance.name) {
        Some(choice) => Place::key(&lab.source, choice.path.clone()),
        None => cluster.place.clone(),
    }
}
