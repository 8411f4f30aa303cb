//! All steps of a lab.

use super::graph::Graph;
use super::seed::{self, Credentials};
use super::step::{Command, Probe, Step};
use super::{kubeconfig, provider, registries, vms};
use crate::core::catalog::Catalog;
use crate::core::lab::{Cluster, Lab};
use crate::core::pki::CompleteLock;
use crate::core::problem::Problems;

/// What steps are made from.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// Its components.
    pub catalog: &'a Catalog,
    /// Its certificates.
    pub lock: &'a CompleteLock,
    /// Where things lie.
    pub paths: &'a Paths,
    /// What the user wants.
    pub options: &'a Options,
}

/// Where things lie, relative to the lab repository, in which every command runs.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The rendered tree: `out/meshlab`.
    pub tree: String,
    /// What the runner keeps: `.meshlab/meshlab.run`. Git ignores it, and nobody else may read it.
    pub run: String,
    /// The keystore: `.meshlab/meshlab`.
    pub keystore: String,
}

impl Paths {
    /// The lab's kubeconfig; its contexts are named after the clusters.
    pub fn kubeconfig(&self) -> String {
        format!("{}/kubeconfig", self.run)
    }

    /// The kubeconfig of Argo CD's command line: the manager, and Argo CD's namespace.
    pub fn argocd_kubeconfig(&self) -> String {
        format!("{}/argocd.kubeconfig", self.run)
    }

    /// A file of the rendered tree.
    pub fn tree(&self, path: &str) -> String {
        format!("{}/{path}", self.tree)
    }

    /// A file of the tree that belongs to a cluster.
    pub fn of_cluster(&self, cluster: &Cluster, path: &str) -> String {
        format!("{}/clusters/{}/{path}", self.tree, cluster.name)
    }

    /// A file that the runner keeps.
    pub fn run(&self, path: &str) -> String {
        format!("{}/{path}", self.run)
    }
}

/// What the user wants beside the lab itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether machines that do not exist are made; otherwise those that do are started again.
    pub launch: bool,
    /// The user's own kubeconfig, if the lab's contexts shall be in it too.
    pub merge_kubeconfig: Option<String>,
    /// How Argo CD proves who it is to a private repository.
    pub repository: Option<Credentials>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            launch: true,
            merge_kubeconfig: None,
            repository: None,
        }
    }
}

/// Every step that brings a lab to life.
///
/// # Errors
/// Steps that do not fit together.
pub fn up(context: Context<'_>) -> Result<Graph, Problems> {
    let mut steps = machines(context);
    steps.extend(seed::steps(context));
    steps.extend(vms::join(context));
    Graph::new(steps)
}

/// Steps that start again what [`suspend`] stopped.
///
/// # Errors
/// Steps that do not fit together.
pub fn resume(context: Context<'_>) -> Result<Graph, Problems> {
    Graph::new(machines(context))
}

/// Registries, machines, and the way to talk to them.
fn machines(context: Context<'_>) -> Vec<Step> {
    let clusters = context.lab.active();
    let mut steps = registries::up(context);
    steps.extend(clusters.flat_map(|cluster| provider::of(cluster).up(context, cluster)));
    steps.extend(vms::up(context));
    steps.extend(kubeconfig::steps(context));
    steps
}

/// Steps that stop machines and keep what is on them.
///
/// # Errors
/// Steps that do not fit together.
pub fn suspend(context: Context<'_>) -> Result<Graph, Problems> {
    let clusters = context.lab.clusters.iter();
    let mut steps: Vec<Step> = clusters
        .filter_map(|cluster| provider::of(cluster).suspend(cluster))
        .collect();
    steps.extend(vms::guests(context.lab).map(|(_, guest)| guest.suspend()));
    Graph::new(steps)
}

/// Steps that remove machines, registries (not what they hold) and what the runner knows of them.
///
/// # Errors
/// Steps that do not fit together.
pub fn down(context: Context<'_>) -> Result<Graph, Problems> {
    let clusters = context.lab.clusters.iter();
    let mut steps: Vec<Step> = clusters
        .filter_map(|cluster| provider::of(cluster).down(context, cluster))
        .collect();
    steps.extend(vms::guests(context.lab).map(|(_, guest)| guest.down()));
    steps.extend(registries::down(context));
    steps.extend(seed::down(context));
    steps.push(forget(context, &steps));
    Graph::new(steps)
}

/// Removes credentials of clusters that are gone.
fn forget(context: Context<'_>, before: &[Step]) -> Step {
    let files = [
        "kubeconfig",
        "kubeconfigs",
        "argocd.kubeconfig",
        "argocd.token",
        "git",
        "runtime.json",
    ]
    .map(|file| context.paths.run(file));
    let find = ["-maxdepth", "1", "-name", "kubeconfig*", "!", "-empty"];
    let gone = Command::new("find", [context.paths.run.as_str()]).args(find);
    let step = Step::new("down/files", "remove kubeconfigs and run-time facts")
        .check(Probe::new(gone).output(""))
        .run(Command::new("rm", ["-r", "-f"]).args(files));
    before.iter().fold(step, |step, earlier| step.needs(&earlier.id))
}
