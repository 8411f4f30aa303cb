//! What lab-level templates see beside `lab`: instances, AppProjects, the bootstrap's tasks.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use minijinja::Value;
use serde::Serialize;

use crate::core::catalog::Each;
use crate::core::lab::{Cluster, Instance, Lab};
use crate::core::template::from_value;

/// An instance that has Applications.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceSet<'a> {
    /// Its name, and the ApplicationSet's.
    pub name: &'a str,
    component: &'a str,
    summary: &'a str,
    part_of: &'a str,
    project: &'a str,
    sync: &'a crate::core::catalog::SyncFile,
    ignore_differences: &'a [serde_json::Value],
    chart: bool,
    git: bool,
    manifests: bool,
    /// Where it has an Application.
    pub clusters: Vec<&'a str>,
}

/// All instances that have Applications, by name.
pub fn instance_sets(lab: &Lab) -> Vec<InstanceSet<'_>> {
    let mut found: BTreeMap<&str, InstanceSet<'_>> = BTreeMap::new();
    for cluster in lab.active() {
        for instance in cluster.applications() {
            let set = found
                .entry(instance.name.as_str())
                .or_insert_with(|| instance_set(instance));
            set.clusters.push(cluster.name.as_str());
        }
    }
    found.into_values().collect()
}

fn instance_set(instance: &Instance) -> InstanceSet<'_> {
    let component = &instance.component;
    InstanceSet {
        name: instance.name.as_str(),
        component: component.name.as_str(),
        summary: &component.file.summary,
        part_of: component.part_of(),
        project: component.project(),
        sync: &component.file.sync,
        ignore_differences: &component.file.ignore_differences,
        chart: component.chart.is_some(),
        git: component.git.is_some(),
        manifests: component.has_manifests(),
        clusters: Vec::new(),
    }
}

/// What Argo CD brings to the active clusters of a cell.
#[derive(Debug, Serialize)]
pub(super) struct CellSet<'a> {
    pub(super) name: &'a str,
    clusters: Vec<ClusterSet<'a>>,
}

#[derive(Debug, Serialize)]
struct ClusterSet<'a> {
    name: &'a str,
    /// Instances that have an Application there.
    applications: Vec<&'a str>,
}

/// All cells that have active clusters, the manager's first.
pub(super) fn cell_sets(lab: &Lab) -> Vec<CellSet<'_>> {
    let mut found: Vec<CellSet<'_>> = Vec::new();
    for cluster in lab.active() {
        let name = lab.cell_label(cluster);
        let applications = cluster.applications().map(|instance| instance.name.as_str()).collect();
        let set = ClusterSet {
            name: cluster.name.as_str(),
            applications,
        };
        match found.last_mut().filter(|cell| cell.name == name) {
            Some(cell) => cell.clusters.push(set),
            None => found.push(CellSet {
                name,
                clusters: vec![set],
            }),
        }
    }
    found
}

/// An AppProject: exactly what its Applications need.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Project<'a> {
    /// Its name.
    pub name: &'a str,
    repos: BTreeSet<&'a str>,
    destinations: BTreeSet<Destination<'a>>,
    cluster_scoped: BTreeSet<GroupKind<'a>>,
}

/// Where a project may deploy.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Destination<'a> {
    name: &'a str,
    namespace: &'a str,
}

/// A cluster-scoped kind that a project may create.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct GroupKind<'a> {
    group: &'a str,
    kind: &'a str,
}

/// The AppProjects of a lab, by name.
///
/// Decommissioned clusters count too: their Applications stay until somebody deletes them, and need their project for that.
pub fn projects(lab: &Lab) -> Vec<Project<'_>> {
    let mut found: BTreeMap<&str, Project<'_>> = BTreeMap::new();
    for cluster in &lab.clusters {
        for instance in cluster.applications() {
            let name = instance.component.project();
            let fresh = || Project {
                name,
                repos: BTreeSet::new(),
                destinations: BTreeSet::new(),
                cluster_scoped: BTreeSet::new(),
            };
            found.entry(name).or_insert_with(fresh).admit(lab, cluster, instance);
        }
    }
    found.into_values().collect()
}

impl<'a> Project<'a> {
    fn admit(&mut self, lab: &'a Lab, cluster: &'a Cluster, instance: &'a Instance) {
        self.repos.insert(&lab.git.repo_url);
        self.repos
            .extend(instance.chart.as_ref().map(|chart| chart.repo.as_str()));
        self.repos.extend(instance.git.as_ref().map(|git| git.repo.as_str()));
        // A fleet's clusters have one pattern: thousands of lines would be no easier to review.
        let name = lab
            .cell_of(cluster)
            .and_then(|cell| cell.fleet.as_deref())
            .unwrap_or(cluster.name.as_str());
        let file = &instance.component.file;
        let namespaces = std::iter::once(instance.namespace.as_str()).chain(file.namespaces.iter().map(String::as_str));
        // What is made for each machine lies where the machine does.
        let for_vms = instance
            .component
            .manifests
            .iter()
            .any(|file| file.each == Some(Each::Vm));
        let vms = lab.vms_of(cluster).filter(|_| for_vms).map(|vm| vm.namespace(lab));
        self.destinations
            .extend(namespaces.chain(vms).map(|namespace| Destination { name, namespace }));
        let kinds = file
            .cluster_scoped
            .iter()
            .flat_map(|(group, kinds)| kinds.iter().map(move |kind| (group, kind)));
        self.cluster_scoped
            .extend(kinds.map(|(group, kind)| GroupKind { group, kind }));
    }
}

/// A list as a template's variable.
pub(super) fn list<T: Serialize>(items: &[T]) -> Vec<Value> {
    items.iter().map(from_value).collect()
}

/// The parameters file of one Application, `clusters/<cluster>/apps/<instance>.yaml`.
#[derive(Debug, Serialize)]
pub struct ApplicationFile<'a> {
    name: String,
    cell: &'a str,
    cluster: &'a str,
    namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a str>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    source: IndexMap<&'static str, &'a str>,
}

impl<'a> ApplicationFile<'a> {
    /// The parameters of `instance` on `cluster`.
    pub fn new(lab: &'a Lab, cluster: &'a Cluster, instance: &'a Instance) -> Self {
        Self {
            name: application_name(cluster, instance),
            cell: lab.cell_label(cluster),
            cluster: cluster.name.as_str(),
            namespace: instance.namespace.as_str(),
            release: instance.chart.is_some().then_some(instance.release.as_str()),
            source: source(instance),
        }
    }
}

/// The name of an Application: `<cluster>-<instance>`.
pub fn application_name(cluster: &Cluster, instance: &Instance) -> String {
    format!("{}-{}", cluster.name, instance.name)
}

fn source(instance: &Instance) -> IndexMap<&'static str, &str> {
    let fields = match (&instance.chart, &instance.git) {
        (Some(chart), _) => vec![
            ("repoURL", &chart.repo),
            ("chart", &chart.name),
            ("targetRevision", &chart.version),
        ],
        (None, Some(git)) => vec![
            ("repoURL", &git.repo),
            ("path", &git.path),
            ("targetRevision", &git.r#ref),
        ],
        (None, None) => Vec::new(),
    };
    fields.into_iter().map(|(key, value)| (key, value.as_str())).collect()
}
