//! All steps of a lab.

use super::graph::Graph;
use super::seed::Credentials;
use super::step::Step;
use super::{kubeconfig, machines, registries, seed};
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
    /// The state of the rendered tree, in a few hex digits: another tree has others.
    pub tree: &'a str,
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
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The user's own kubeconfig, if the lab's contexts shall be in it too.
    pub merge_kubeconfig: Option<String>,
    /// How Argo CD proves who it is to a private repository.
    pub repository: Option<Credentials>,
}

/// Every step of a lab, in order.
///
/// # Errors
/// Steps that do not fit together.
pub fn plan(context: Context<'_>) -> Result<Graph, Problems> {
    let mut steps: Vec<Step> = Vec::new();
    steps.extend(registries::steps(context));
    steps.extend(machines::steps(context));
    steps.extend(kubeconfig::steps(context));
    steps.extend(seed::steps(context));
    Graph::new(steps)
}
