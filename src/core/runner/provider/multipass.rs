//! Virtual machines of Canonical's Multipass, from the rendered cloud-init.

use super::{Context, Machines, after_registries, machine, without};
use crate::core::blueprint::{Distribution, Multipass as Size, Provider};
use crate::core::lab::Cluster;
use crate::core::runner::step::{Command, Content, Expect, Probe, Step, Word};

/// The client of the daemon that has the machines.
pub(super) struct Multipass;

/// Seconds that a machine may take to pull what it needs: for the first one that is its image, the distribution and the CNI.
const LAUNCH: u32 = 1800;

/// Marks the lines of `/etc/hosts` that the runner writes.
const MARK: &str = "# meshlab";

impl Machines for Multipass {
    fn id(&self, cluster: &Cluster) -> Option<String> {
        Some(format!("cluster/{}", cluster.name))
    }

    fn up(&self, context: Context<'_>, cluster: &Cluster) -> Vec<Step> {
        vec![
            launch(context, cluster),
            become_cluster(cluster),
            know_others(context, cluster),
        ]
    }

    fn kubeconfig(&self, _: Context<'_>, cluster: &Cluster) -> Command {
        match cluster.settings.kubernetes.distribution {
            Distribution::Microk8s => on(cluster, ["sudo", "microk8s", "config"]),
            _ => on(cluster, ["sudo", "cat", "/etc/rancher/k3s/k3s.yaml"]),
        }
    }

    /// The address that the machine has now. Its certificate is for the stable name.
    fn server(&self, context: Context<'_>, cluster: &Cluster) -> Option<Content> {
        let port = match cluster.settings.kubernetes.distribution {
            Distribution::Microk8s => 16443,
            _ => 6443,
        };
        let name = format!("{}.{}", cluster.name, context.lab.domain);
        let server = Content::new().text("server: https://").fact(address(cluster));
        Some(server.text(format!(":{port}\n    tls-server-name: {name}")))
    }

    fn suspend(&self, cluster: &Cluster) -> Option<Step> {
        let name = cluster.name.as_str();
        let step = Step::new(format!("suspend/{name}"), format!("suspend the machine {name}")).of(&cluster.name);
        let command = Command::new("multipass", ["suspend", name]).timeout(300);
        let rests = without(list(), "/list", &[("name", name), ("state", "Running")]);
        Some(step.check(rests).run(command).settle(10, 2))
    }

    fn down(&self, _: Context<'_>, cluster: &Cluster) -> Option<Step> {
        let name = cluster.name.as_str();
        let step = Step::new(format!("down/{name}"), format!("delete the machine {name}")).of(&cluster.name);
        let command = Command::new("multipass", ["delete", "--purge", name]).timeout(300);
        let gone = without(list(), "/list", &[("name", name)]);
        Some(step.check(gone).run(command).settle(5, 2))
    }
}

fn list() -> Command {
    Command::new("multipass", ["list", "--format", "json"])
}

/// The run-time fact: a machine's address.
fn address(cluster: &Cluster) -> String {
    format!("{}.address", cluster.name)
}

fn info(name: &str) -> Command {
    Command::new("multipass", ["info", name, "--format", "json"])
}

/// Where `multipass info` tells the state. A cluster's name has neither `~` nor `/`.
fn state(name: &str) -> String {
    format!("/info/{name}/state")
}

/// A command on a machine.
fn on<'a>(cluster: &'a Cluster, command: impl IntoIterator<Item = &'a str>) -> Command {
    Command::new("multipass", ["exec", cluster.name.as_str(), "--"]).args(command)
}

/// Makes the machine, or starts it again; learns its address.
fn launch(context: Context<'_>, cluster: &Cluster) -> Step {
    let name = cluster.name.as_str();
    let size = match &cluster.settings.provider {
        Provider::Multipass(size) => size.clone(),
        _ => Size::default(),
    };
    let is_running = || Probe::new(info(name)).json(state(name), "Running");
    let launch = Command::new("multipass", ["launch", size.image.as_str(), "--name", name])
        .args(["--cpus".to_owned(), size.cpus.to_string()])
        .args(["--memory", &size.memory, "--disk", &size.disk])
        // By its own default it gives up after 5 minutes.
        .args(["--timeout".to_owned(), LAUNCH.to_string()])
        // From standard input: the daemon of the snap reads no hidden directory.
        .args(["--cloud-init", "-"])
        .stdin_file(context.paths.of_cluster(cluster, "cloud-init.yaml"))
        .timeout(LAUNCH + 300)
        .patience(3, 10)
        .unless(Probe::new(info(name)));
    let start = Command::new("multipass", ["start", name, "--timeout", "600"])
        .timeout(660)
        .patience(3, 5)
        .unless(is_running());
    let address = format!("/info/{name}/ipv4/0");
    let mut step = Step::new(machine(cluster), format!("launch the machine {name}")).of(&cluster.name);
    step = after_registries(context, step).check(is_running().learn(self::address(cluster), address));
    if context.options.launch {
        step = step.run(launch);
    }
    step.run(start).settle(60, 2).hint(format!(
        "multipass info {name}; if it is `Deleted`: multipass recover {name}, or multipass delete --purge {name}"
    ))
}

/// Waits until cloud-init is done, and runs again what it ran if the machine is no cluster then.
fn become_cluster(cluster: &Cluster) -> Step {
    let name = cluster.name.as_str();
    let node = format!("node/{name}");
    let kubectl = match cluster.settings.kubernetes.distribution {
        Distribution::Microk8s => ["sudo", "microk8s", "kubectl"],
        _ => ["sudo", "k3s", "kubectl"],
    };
    let ready = on(cluster, kubectl).args(["wait", "--for=condition=Ready", "--timeout=5s", node.as_str()]);
    Step::new(format!("cluster/{name}"), format!("make {name} a cluster"))
        .of(&cluster.name)
        .needs(machine(cluster))
        .check(Probe::new(ready))
        .run(
            on(cluster, ["cloud-init", "status", "--wait"])
                .timeout(LAUNCH)
                .lenient(),
        )
        .run(on(cluster, ["sudo", "/usr/local/sbin/meshlab-machine"]).timeout(LAUNCH))
        .settle(10, 3)
        .hint(format!(
            "multipass exec {name} -- tail -n 50 /var/log/cloud-init-output.log"
        ))
}

/// Enters the other machines, as far as they have addresses, into `/etc/hosts`. Their resolver reads it, and so pods know them too.
fn know_others(context: Context<'_>, cluster: &Cluster) -> Step {
    let name = cluster.name.as_str();
    let others = || {
        let active = context.lab.active();
        active.filter(|other| other.name != cluster.name && matches!(other.settings.provider, Provider::Multipass(_)))
    };
    let domain = &context.lab.domain;
    let line = |other: &Cluster| Word::fact(address(other)).text(format!(" {}.{domain} {MARK}", other.name));
    let lines: Vec<Word> = others().map(line).collect();
    let known = Probe::new(on(cluster, ["cat", "/etc/hosts"])).expect(Expect::Lines {
        lines: lines.clone(),
        with: MARK.to_owned(),
    });
    let forget = format!("/{MARK}$/d");
    let step = Step::new(
        format!("hosts/{name}"),
        format!("tell {name} the addresses of the other machines"),
    )
    .of(&cluster.name)
    .needs(format!("cluster/{name}"))
    .check(known)
    .run(on(
        cluster,
        ["sudo", "sed", "--in-place", forget.as_str(), "/etc/hosts"],
    ))
    .run(on(cluster, ["sudo", "tee", "--append", "/etc/hosts"]).stdin(Content::new().lines(lines)));
    others().fold(step, |step, other| step.after(machine(other)))
}
