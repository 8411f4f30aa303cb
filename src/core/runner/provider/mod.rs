//! Where clusters run: what differs between providers, behind one interface.

mod existing;

use super::plan::Context;
use super::step::{Command, Content, Step};
use crate::core::blueprint::Provider;
use crate::core::lab::Cluster;

/// What a provider knows to do.
pub(super) trait Machines {
    /// The step after which the cluster runs; none, if it runs anyway.
    fn id(&self, cluster: &Cluster) -> Option<String>;
    /// Steps that make machines and clusters, or start them again.
    fn up(&self, context: Context<'_>, cluster: &Cluster) -> Vec<Step>;
    /// The command that prints a kubeconfig whose current context is the cluster.
    fn kubeconfig(&self, context: Context<'_>, cluster: &Cluster) -> Command;
    /// How the API server is reached from here, as fields of a kubeconfig's cluster in YAML (four spaces after a line break); none: as its kubeconfig says.
    fn server(&self, context: Context<'_>, cluster: &Cluster) -> Option<Content>;
}

/// The provider of a cluster.
pub(super) fn of(cluster: &Cluster) -> &'static dyn Machines {
    match &cluster.settings.provider {
        Provider::Multipass(_) | Provider::Minikube(_) | Provider::Existing(_) => &existing::Existing,
    }
}
