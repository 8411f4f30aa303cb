//! Where clusters run: what differs between providers, behind one interface.

mod existing;
mod kind;
mod minikube;
pub(super) mod multipass;

use super::facts::ROOT;
use super::plan::Context;
use super::registries;
use super::step::{Command, Content, Expect, Probe, Step, Word};
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
    /// The step that frees processor and memory, and keeps the rest; none, if that is not ours to do.
    fn suspend(&self, cluster: &Cluster) -> Option<Step>;
    /// The step that removes the machine with all that is on it; none, if that is not ours to do.
    fn down(&self, context: Context<'_>, cluster: &Cluster) -> Option<Step>;
}

/// The provider of a cluster.
pub(super) fn of(cluster: &Cluster) -> &'static dyn Machines {
    match &cluster.settings.provider {
        Provider::Multipass(_) => &multipass::Multipass,
        Provider::Minikube(_) => &minikube::Minikube,
        Provider::Kind(_) => &kind::Kind,
        Provider::Existing(_) => &existing::Existing,
    }
}

/// The step that makes a machine.
fn machine(cluster: &Cluster) -> String {
    format!("machine/{}", cluster.name)
}

/// A step that comes after the registries, from which machines pull while they start.
fn after_registries(context: Context<'_>, step: Step) -> Step {
    registries::ids(context.lab).into_iter().fold(step, Step::needs)
}

/// What a cluster's script installs before Argo CD can act.
fn installed(cluster: &Cluster, kubeconfig: &Word) -> Vec<Probe> {
    let instances = cluster.instances.values();
    let first = instances.filter(|instance| instance.component.bootstrap.is_some() && instance.chart.is_some());
    let probe = |(release, namespace): (&str, &str)| {
        let place = ["--kube-context", cluster.name.as_str(), "status", release];
        let status = Command::new("helm", place).args(["--namespace", namespace, "--output", "json"]);
        Probe::new(status.env("KUBECONFIG", kubeconfig.clone())).json("/info/status", "deployed")
    };
    first
        .map(|instance| probe((instance.release.as_str(), instance.namespace.as_str())))
        .collect()
}

/// A path in the run-time directory for tools that do not stay where they are called.
pub(super) fn absolute(path: &str) -> Word {
    Word::fact(ROOT).text(format!("/{path}"))
}

/// Holds if a list in JSON has no object with these fields.
fn without(command: Command, pointer: &str, fields: &[(&str, &str)]) -> Probe {
    let fields = fields.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
    Probe::new(command).expect(Expect::Without {
        pointer: pointer.to_owned(),
        fields: fields.collect(),
    })
}
