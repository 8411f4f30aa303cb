//! Clusters that the user has: contexts of the user's own kubeconfig, named after the clusters.

use super::{Command, Context, Machines, Step};
use crate::core::lab::Cluster;
use crate::core::runner::step::Content;

/// Nothing to launch.
pub(super) struct Existing;

impl Machines for Existing {
    fn id(&self, _: &Cluster) -> Option<String> {
        None
    }

    fn up(&self, _: Context<'_>, _: &Cluster) -> Vec<Step> {
        Vec::new()
    }

    fn kubeconfig(&self, _: Context<'_>, cluster: &Cluster) -> Command {
        let name = cluster.name.as_str();
        Command::new(
            "kubectl",
            ["config", "view", "--raw", "--minify", "--flatten", "--context", name],
        )
    }

    fn server(&self, _: Context<'_>, _: &Cluster) -> Option<Content> {
        None
    }

    fn suspend(&self, _: &Cluster) -> Option<Step> {
        None
    }

    fn down(&self, _: Context<'_>, _: &Cluster) -> Option<Step> {
        None
    }
}
