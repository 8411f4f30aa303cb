//! The order of the bootstrap: `requires` and `after` of components, compiled to a DAG of tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::algo::{tarjan_scc, toposort, tred};
use petgraph::graph::{DiGraph, NodeIndex};
use serde::Serialize;

use super::blueprint::{Backend, Sync};
use super::catalog::{Catalog, Component};
use super::lab::Lab;
use super::problem::{Problem, Problems};
use super::resolve::NAMESPACES;
use super::source::Place;
use crate::path;

/// A task of the bootstrap: an instance over all its clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Its name in the DAG: letters, digits and `-`, not starting with a digit (Argo Workflows, `workflow/validate`).
    pub name: String,
    /// The instance.
    pub instance: String,
    /// Tasks that must have succeeded.
    pub depends: Vec<String>,
    /// How many Applications it expects, by cell; empty where there is nothing to sync.
    pub clusters: Vec<Expected>,
    /// Whether Argo CD syncs them by itself: the task only waits.
    pub automated: bool,
    /// The WorkflowTemplate that it runs when its Applications are healthy; empty if none.
    pub workflow: String,
}

/// How many Applications of an instance a cell has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The cell's name, `manager` for the manager.
    pub cell: String,
    /// Applications.
    pub count: usize,
}

/// The tasks of a lab in an order in which they can run; equal labs give equal orders.
///
/// # Errors
/// Cycles, each with the components that form it; task names used twice.
pub fn tasks(lab: &Lab, catalog: &Catalog) -> Result<Vec<Task>, Problems> {
    let stations = stations(lab);
    let order = Order {
        lab,
        catalog,
        stations: &stations,
    };
    let mut graph = DiGraph::<&str, ()>::new();
    let nodes: BTreeMap<&str, NodeIndex> = stations.keys().map(|name| (*name, graph.add_node(*name))).collect();
    for (name, station) in &stations {
        for before in order.before(station) {
            graph.add_edge(nodes[before], nodes[name], ());
        }
    }
    let sorted = toposort(&graph, None).map_err(|_| cycles(&graph, &stations))?;
    let reduced = reduced(&graph, &sorted);
    let steps = steps(&sorted, &reduced);
    let task = |node: NodeIndex| {
        let before: BTreeSet<&str> = reduced[&node].iter().map(|before| graph[*before]).collect();
        stations[graph[node]].task(lab, before.into_iter().map(|name| stations[name].task_name()).collect())
    };
    let mut order = sorted.clone();
    order.sort_by_key(|node| (steps[node], graph[*node]));
    let tasks: Vec<Task> = order.into_iter().map(task).collect();
    unique(&tasks, &stations)?;
    Ok(tasks)
}

/// An instance with the cells where it is.
struct Station<'a> {
    name: &'a str,
    component: &'a Arc<Component>,
    cells: BTreeMap<(usize, &'a str), usize>,
}

/// Instances that the bootstrap has to do something for, by name.
fn stations(lab: &Lab) -> BTreeMap<&str, Station<'_>> {
    let mut found = BTreeMap::new();
    for cluster in lab.active() {
        let cell = (cluster.cell.map_or(0, |index| index + 1), lab.cell_label(cluster));
        for instance in cluster.instances.values().filter(|instance| !instance.external) {
            let component = &instance.component;
            if !component.is_application() && component.file.workflow.is_none() {
                continue;
            }
            let fresh = || Station {
                name: instance.name.as_str(),
                component,
                cells: BTreeMap::new(),
            };
            let station = found.entry(instance.name.as_str()).or_insert_with(fresh);
            *station.cells.entry(cell).or_default() += 1;
        }
    }
    found
}

impl Station<'_> {
    fn task_name(&self) -> String {
        if self.name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("i-{}", self.name)
        } else {
            self.name.to_owned()
        }
    }

    fn task(&self, lab: &Lab, depends: Vec<String>) -> Task {
        let expected = self.cells.iter().filter(|_| self.component.is_application());
        Task {
            name: self.task_name(),
            instance: self.name.to_owned(),
            depends,
            clusters: expected
                .map(|((_, cell), count)| Expected {
                    cell: (*cell).to_owned(),
                    count: *count,
                })
                .collect(),
            automated: self.component.file.sync.automated || lab.argo.sync == Sync::Automated,
            workflow: self.component.file.workflow.clone().unwrap_or_default(),
        }
    }
}

struct Order<'a> {
    lab: &'a Lab,
    catalog: &'a Catalog,
    stations: &'a BTreeMap<&'a str, Station<'a>>,
}

impl<'a> Order<'a> {
    /// The stations that come before another. What is absent is bridged: its own predecessors count.
    fn before(&self, station: &Station<'a>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.predecessors(station.component);
        while let Some(component) = open.pop() {
            if !seen.insert(component.to_owned()) {
                continue;
            }
            let instances = self.instances_of(component);
            if !instances.is_empty() {
                found.extend(instances.into_iter().filter(|name| *name != station.name));
            } else if let Some(absent) = self.catalog.get(component) {
                open.extend(self.predecessors(absent));
            }
        }
        found
    }

    fn instances_of(&self, component: &str) -> Vec<&'a str> {
        self.stations
            .values()
            .filter(|station| station.component.satisfies(component))
            .map(|station| station.name)
            .collect()
    }

    fn predecessors<'c>(&self, component: &'c Component) -> Vec<&'c str> {
        let mut found: Vec<&str> = component
            .file
            .requires
            .iter()
            .chain(&component.file.after)
            .map(String::as_str)
            .collect();
        for name in implied(component, self.lab.secrets.backend) {
            found.push(name);
        }
        found
    }
}

/// Components that every component requires without saying so, or that its secrets do.
pub(crate) fn implied(component: &Component, backend: Backend) -> impl Iterator<Item = &'static str> + use<> {
    let decryptor = match backend {
        Backend::SealedSecrets => "sealed-secrets",
    };
    let secrets = (!component.secrets.is_empty()).then_some(decryptor);
    let namespaces = (component.name.as_str() != NAMESPACES).then_some(NAMESPACES);
    namespaces.into_iter().chain(secrets)
}

/// Direct predecessors of each node without those that others imply.
fn reduced(graph: &DiGraph<&str, ()>, sorted: &[NodeIndex]) -> BTreeMap<NodeIndex, Vec<NodeIndex>> {
    let (list, position) = tred::dag_to_toposorted_adjacency_list::<_, u32>(graph, sorted);
    let (reduction, _) = tred::dag_transitive_reduction_closure(&list);
    let mut before: BTreeMap<NodeIndex, Vec<NodeIndex>> = sorted.iter().map(|node| (*node, Vec::new())).collect();
    for edge in reduction.edge_indices() {
        if let Some((from, to)) = reduction.edge_endpoints(edge) {
            let node = |at: u32| sorted[at as usize];
            debug_assert_eq!(position[node(from).index()], from);
            before.entry(node(to)).or_default().push(node(from));
        }
    }
    before
}

/// How many tasks come before each at the least: the order in which a person reads them.
fn steps(sorted: &[NodeIndex], before: &BTreeMap<NodeIndex, Vec<NodeIndex>>) -> BTreeMap<NodeIndex, usize> {
    let mut steps: BTreeMap<NodeIndex, usize> = BTreeMap::new();
    for node in sorted {
        let step = before[node]
            .iter()
            .map(|earlier| steps[earlier] + 1)
            .max()
            .unwrap_or_default();
        steps.insert(*node, step);
    }
    steps
}

fn cycles(graph: &DiGraph<&str, ()>, stations: &BTreeMap<&str, Station<'_>>) -> Problems {
    let rings = tarjan_scc(graph).into_iter().filter(|ring| ring.len() > 1);
    rings
        .map(|ring| {
            let mut names: Vec<&str> = ring.iter().map(|node| graph[*node]).collect();
            names.sort_unstable();
            let message = format!("these components wait for each other: {}", names.join(", "));
            let component = stations[names[0]].component;
            let key = if component.file.requires.is_empty() {
                "after"
            } else {
                "requires"
            };
            Problem::at(Place::key(&component.source, path![key]), message)
                .help("remove one `requires` or `after` of the ring")
        })
        .collect()
}

/// A task with a workflow is two in the DAG: `<name>-sync`, and itself.
fn unique(tasks: &[Task], stations: &BTreeMap<&str, Station<'_>>) -> Result<(), Problems> {
    let mut seen = BTreeMap::new();
    let names = tasks.iter().flat_map(|task| {
        let sync = (!task.workflow.is_empty()).then(|| format!("{}-sync", task.name));
        sync.into_iter()
            .chain([task.name.clone()])
            .map(move |name| (name, &task.instance))
    });
    let mut problems = Problems::default();
    for (name, instance) in names {
        if let Some(first) = seen.insert(name.clone(), instance) {
            let source = &stations[instance.as_str()].component.source;
            let message = format!("`{first}` and `{instance}` would both be the bootstrap task `{name}`");
            problems.push(Problem::at(Place::file(source), message).help("rename one of the instances"));
        }
    }
    problems.or(())
}
