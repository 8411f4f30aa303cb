//! Clusters of minikube, made by the rendered script.

use super::{Context, Machines, absolute, after_registries, installed, machine, without};
use crate::core::lab::Cluster;
use crate::core::runner::plan::Paths;
use crate::core::runner::step::{Command, Content, Probe, Step};

/// One profile per cluster.
pub(super) struct Minikube;

impl Machines for Minikube {
    fn id(&self, cluster: &Cluster) -> Option<String> {
        Some(machine(cluster))
    }

    fn up(&self, context: Context<'_>, cluster: &Cluster) -> Vec<Step> {
        let (paths, name) = (context.paths, cluster.name.as_str());
        let own = absolute(&kubeconfig(paths, cluster));
        let status = ["status", "--profile", name, "--output", "json"];
        let runs = Probe::new(Command::new("minikube", status).env("KUBECONFIG", own.clone()))
            .json("/Host", "Running")
            .json("/APIServer", "Running")
            .json("/Kubeconfig", "Configured");
        let node = ["--context", name, "get", "node", name, "--output", "json"];
        let labelled = Probe::new(Command::new("kubectl", node).env("KUBECONFIG", own.clone()))
            .json("/metadata/labels/topology.istio.io~1subzone", name);
        let script = Command::new("bash", [paths.of_cluster(cluster, "minikube.sh")]).timeout(1800);
        let step = Step::new(machine(cluster), format!("make the cluster {name}"))
            .of(&cluster.name)
            // The first one makes the network that all share.
            .lock("minikube")
            .check(runs)
            .check(labelled);
        let step = installed(cluster, &own).into_iter().fold(step, Step::check);
        let step = step
            .run(script.env("KUBECONFIG", own))
            .settle(10, 3)
            .hint(format!("minikube --profile {name} logs --lines 50"));
        vec![after_registries(context, step)]
    }

    fn kubeconfig(&self, context: Context<'_>, cluster: &Cluster) -> Command {
        let own = kubeconfig(context.paths, cluster);
        let view = ["config", "view", "--raw", "--minify", "--flatten"];
        Command::new(
            "kubectl",
            ["--kubeconfig", own.as_str(), "--context", cluster.name.as_str()],
        )
        .args(view)
    }

    fn server(&self, _: Context<'_>, _: &Cluster) -> Option<Content> {
        None
    }

    fn suspend(&self, cluster: &Cluster) -> Option<Step> {
        let name = cluster.name.as_str();
        // Older releases say `Running` where newer ones say `OK`.
        let runs = |status| without(list(), "/valid", &[("Name", name), ("Status", status)]);
        let step = Step::new(format!("suspend/{name}"), format!("stop the cluster {name}")).of(&cluster.name);
        let command = Command::new("minikube", ["stop", "--profile", name]).timeout(300);
        Some(step.check(runs("Running")).check(runs("OK")).run(command))
    }

    fn down(&self, _: Context<'_>, cluster: &Cluster) -> Option<Step> {
        let name = cluster.name.as_str();
        let gone = |list: Command, validity: &str| without(list, validity, &[("Name", name)]);
        let step = Step::new(format!("down/{name}"), format!("delete the cluster {name}")).of(&cluster.name);
        let command = Command::new("minikube", ["delete", "--profile", name]).timeout(300);
        let step = step
            .lock("minikube")
            .check(gone(list(), "/valid"))
            .check(gone(list(), "/invalid"));
        Some(step.run(command))
    }
}

fn list() -> Command {
    Command::new("minikube", ["profile", "list", "--output", "json"])
}

/// The file into which minikube writes: not the user's own.
fn kubeconfig(paths: &Paths, cluster: &Cluster) -> String {
    paths.run(&format!("kubeconfigs/{}.minikube", cluster.name))
}
