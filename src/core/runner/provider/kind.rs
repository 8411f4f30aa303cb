//! Clusters of kind, made by the rendered script: each a container in Docker's network `kind`.

use super::{Context, Machines, absolute, after_registries, installed, machine};
use crate::core::lab::Cluster;
use crate::core::runner::plan::Paths;
use crate::core::runner::registries::CLOUD_PROVIDER;
use crate::core::runner::step::{Command, Content, Expect, Probe, Step, Word};

/// One node per cluster.
pub(super) struct Kind;

impl Machines for Kind {
    fn id(&self, cluster: &Cluster) -> Option<String> {
        Some(machine(cluster))
    }

    fn up(&self, context: Context<'_>, cluster: &Cluster) -> Vec<Step> {
        let (name, node) = (cluster.name.as_str(), node(cluster));
        let own = absolute(&kubeconfig(context.paths, cluster));
        let condition = ["wait", "--for=condition=Ready", "--timeout=5s"];
        let ready = Command::new("kubectl", ["--context", name]).args(condition);
        let ready = ready.arg(format!("node/{node}")).env("KUBECONFIG", own.clone());
        let step = Step::new(machine(cluster), format!("make the cluster {name}"))
            .of(&cluster.name)
            .check(Probe::new(inspect(&node)).json("/0/State/Running", true))
            .check(Probe::new(ready));
        let step = installed(cluster, &own).into_iter().fold(step, Step::check);
        let actions = if context.options.launch {
            make(context, cluster, &own)
        } else {
            vec![start(&node)]
        };
        let step = actions.into_iter().fold(step, Step::run);
        let step = step
            .settle(60, 3)
            .hint(format!("kind export logs --name {name} logs; docker logs {node}"));
        vec![after_registries(context, step)]
    }

    fn kubeconfig(&self, _: Context<'_>, cluster: &Cluster) -> Command {
        Command::new("kind", ["get", "kubeconfig", "--name", cluster.name.as_str()])
    }

    fn server(&self, _: Context<'_>, _: &Cluster) -> Option<Content> {
        None
    }

    fn suspend(&self, cluster: &Cluster) -> Option<Step> {
        let (name, node) = (cluster.name.as_str(), node(cluster));
        let running = Command::new("docker", ["container", "list", "--format", "{{.Names}}"]);
        let step = Step::new(format!("suspend/{name}"), format!("stop the cluster {name}")).of(&cluster.name);
        let rest = Command::new("docker", ["stop", node.as_str()]).timeout(120);
        Some(step.check(Probe::new(running).expect(Expect::NoLine(node))).run(rest))
    }

    fn down(&self, context: Context<'_>, cluster: &Cluster) -> Option<Step> {
        let name = cluster.name.as_str();
        let list = Command::new("kind", ["get", "clusters"]);
        let delete = Command::new("kind", ["delete", "cluster", "--name", name])
            .env("KUBECONFIG", absolute(&kubeconfig(context.paths, cluster)))
            .timeout(300);
        let step = Step::new(format!("down/{name}"), format!("delete the cluster {name}"))
            .of(&cluster.name)
            // Which removes the containers of its load balancers when it ends.
            .after(format!("down/{CLOUD_PROVIDER}"));
        Some(
            step.check(Probe::new(list).expect(Expect::NoLine(name.to_owned())))
                .run(delete),
        )
    }
}

/// The container of the node, as kind names it.
fn node(cluster: &Cluster) -> String {
    format!("{}-control-plane", cluster.name)
}

/// The file into which kind writes: not the user's own. As long as it is empty, kind has not told that the cluster is complete.
fn kubeconfig(paths: &Paths, cluster: &Cluster) -> String {
    paths.run(&format!("kubeconfigs/{}.kind", cluster.name))
}

fn inspect(container: &str) -> Command {
    Command::new("docker", ["container", "inspect", container])
}

/// Starts a node that was stopped.
fn start(node: &str) -> Command {
    let running = Probe::new(inspect(node)).json("/0/State/Running", true);
    Command::new("docker", ["start", node]).unless(running)
}

/// Makes the cluster, or what is left to do of it. kind itself knows nothing of half a cluster.
fn make(context: Context<'_>, cluster: &Cluster, own: &Word) -> Vec<Command> {
    let (paths, name, node) = (context.paths, cluster.name.as_str(), node(cluster));
    let file = kubeconfig(paths, cluster);
    let directory = paths.run("kubeconfigs");
    let half = ["-name", &format!("{name}.kind"), "-empty"].map(str::to_owned);
    let half = Command::new("find", [directory.as_str()]).args(half);
    let stopped = ["--filter", &format!("name=^{node}$"), "--filter", "status=exited"].map(str::to_owned);
    let stopped = Command::new("docker", ["container", "list", "--all", "--format", "{{.Names}}"]).args(stopped);
    let with = |command: Command| command.env("KUBECONFIG", own.clone());
    vec![
        // Begun and not completed.
        with(Command::new("kind", ["delete", "cluster", "--name", name]))
            .timeout(300)
            .unless(Probe::new(half).output("")),
        // There already, but the runner has lost its files.
        with(Command::new("kind", ["export", "kubeconfig", "--name", name]))
            .lenient()
            .unless(Probe::new(Command::new("test", ["-e", file.as_str()]))),
        Command::new("docker", ["start", node.as_str()]).unless(Probe::new(stopped).output("")),
        Command::new("touch", [file.as_str()]).unless(Probe::new(inspect(&node))),
        with(Command::new("bash", [paths.of_cluster(cluster, "kind.sh")])).timeout(1800),
    ]
}
