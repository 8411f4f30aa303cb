//! Virtual machines of Canonical's Multipass, from the rendered cloud-init.

use super::{Context, Machines, after_registries, without};
use crate::core::blueprint::{Distribution, Multipass as Size, Provider};
use crate::core::lab::{Cluster, Lab, Vm};
use crate::core::name::ClusterName;
use crate::core::runner::step::{Command, Content, Expect, Probe, Step, Word};

/// The client of the daemon that has the machines.
pub(super) struct Multipass;

/// Seconds that a machine may take to pull what it needs: for the first one that is its image, the distribution and the CNI.
pub(in crate::core::runner) const LAUNCH: u32 = 1800;

/// What cloud-init runs on a machine, and what may be run again.
pub(in crate::core::runner) const PREPARE: &str = "/usr/local/sbin/meshlab-machine";

/// Marks the lines of `/etc/hosts` that the runner writes.
const MARK: &str = "# meshlab";

/// A virtual machine: a cluster's, or one outside of Kubernetes.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::runner) struct Guest<'a> {
    /// Its name.
    pub(in crate::core::runner) name: &'a str,
    size: &'a Size,
    /// The cluster that it is, or whose istiod it asks.
    cluster: &'a ClusterName,
    is_cluster: bool,
}

impl<'a> Guest<'a> {
    fn of(cluster: &'a Cluster) -> Option<Self> {
        match &cluster.settings.provider {
            Provider::Multipass(size) => Some(Self {
                name: cluster.name.as_str(),
                size,
                cluster: &cluster.name,
                is_cluster: true,
            }),
            _ => None,
        }
    }

    /// A machine outside of Kubernetes; none, if something else has it.
    pub(in crate::core::runner) fn of_vm(lab: &'a Lab, vm: &'a Vm) -> Option<Self> {
        match &vm.provider {
            Provider::Multipass(size) => Some(Self {
                name: vm.name.as_str(),
                size,
                cluster: &vm.home(lab).name,
                is_cluster: false,
            }),
            _ => None,
        }
    }

    /// All of a lab.
    fn all(lab: &'a Lab) -> impl Iterator<Item = Self> {
        let clusters = lab.active().filter_map(Self::of);
        clusters.chain(lab.vms.iter().filter_map(|vm| Self::of_vm(lab, vm)))
    }

    /// The step that launches it.
    pub(in crate::core::runner) fn machine(&self) -> String {
        format!("machine/{}", self.name)
    }

    fn user_data(&self, context: Context<'_>) -> String {
        let folder = if self.is_cluster { "clusters" } else { "vms" };
        context.paths.tree(&format!("{folder}/{}/cloud-init.yaml", self.name))
    }

    /// A step of its own.
    pub(in crate::core::runner) fn step(&self, id: String, title: String) -> Step {
        Step::new(id, title).of(self.cluster)
    }

    /// Frees processor and memory.
    pub(in crate::core::runner) fn suspend(&self) -> Step {
        let name = self.name;
        let command = Command::new("multipass", ["suspend", name]).timeout(300);
        let rests = without(list(), "/list", &[("name", name), ("state", "Running")]);
        self.step(format!("suspend/{name}"), format!("suspend the machine {name}"))
            .check(rests)
            .run(command)
            .settle(10, 2)
    }

    /// Removes it.
    pub(in crate::core::runner) fn down(&self) -> Step {
        let name = self.name;
        let command = Command::new("multipass", ["delete", "--purge", name]).timeout(300);
        let gone = without(list(), "/list", &[("name", name)]);
        self.step(format!("down/{name}"), format!("delete the machine {name}"))
            .check(gone)
            .run(command)
            .settle(5, 2)
    }
}

impl Machines for Multipass {
    fn id(&self, cluster: &Cluster) -> Option<String> {
        Some(format!("cluster/{}", cluster.name))
    }

    fn up(&self, context: Context<'_>, cluster: &Cluster) -> Vec<Step> {
        let Some(guest) = Guest::of(cluster) else {
            return Vec::new();
        };
        let mut steps = vec![launch(context, &guest), become_cluster(cluster)];
        if Guest::all(context.lab).count() > 1 {
            steps.push(know_others(context, &guest, format!("cluster/{}", cluster.name)));
        }
        steps
    }

    fn kubeconfig(&self, _: Context<'_>, cluster: &Cluster) -> Command {
        match cluster.settings.kubernetes.distribution {
            Distribution::Microk8s => on(cluster.name.as_str(), ["sudo", "microk8s", "config"]),
            _ => on(cluster.name.as_str(), ["sudo", "cat", "/etc/rancher/k3s/k3s.yaml"]),
        }
    }

    /// The address that the machine has now. Its certificate is for the stable name.
    fn server(&self, context: Context<'_>, cluster: &Cluster) -> Option<Content> {
        let port = match cluster.settings.kubernetes.distribution {
            Distribution::Microk8s => 16443,
            _ => 6443,
        };
        let name = format!("{}.{}", cluster.name, context.lab.domain);
        let server = Content::new()
            .text("server: https://")
            .fact(address(cluster.name.as_str()));
        Some(server.text(format!(":{port}\n    tls-server-name: {name}")))
    }

    fn suspend(&self, cluster: &Cluster) -> Option<Step> {
        Guest::of(cluster).map(|guest| guest.suspend())
    }

    fn down(&self, _: Context<'_>, cluster: &Cluster) -> Option<Step> {
        Guest::of(cluster).map(|guest| guest.down())
    }
}

fn list() -> Command {
    Command::new("multipass", ["list", "--format", "json"])
}

/// The run-time fact: a machine's address.
fn address(name: &str) -> String {
    format!("{name}.address")
}

fn info(name: &str) -> Command {
    Command::new("multipass", ["info", name, "--format", "json"])
}

/// Where `multipass info` tells the state. A cluster's name has neither `~` nor `/`.
fn state(name: &str) -> String {
    format!("/info/{name}/state")
}

/// A command on a machine.
pub(in crate::core::runner) fn on<'a>(name: &'a str, command: impl IntoIterator<Item = &'a str>) -> Command {
    Command::new("multipass", ["exec", name, "--"]).args(command)
}

/// Makes the machine, or starts it again; learns its address.
pub(in crate::core::runner) fn launch(context: Context<'_>, guest: &Guest<'_>) -> Step {
    let (name, size) = (guest.name, guest.size);
    let is_running = || Probe::new(info(name)).json(state(name), "Running");
    let launch = Command::new("multipass", ["launch", size.image.as_str(), "--name", name])
        .args(["--cpus".to_owned(), size.cpus.to_string()])
        .args(["--memory", &size.memory, "--disk", &size.disk])
        // By its own default it gives up after 5 minutes.
        .args(["--timeout".to_owned(), LAUNCH.to_string()])
        // From standard input: the daemon of the snap reads no hidden directory.
        .args(["--cloud-init", "-"])
        .stdin_file(guest.user_data(context))
        .timeout(LAUNCH + 300)
        .patience(3, 10)
        .unless(Probe::new(info(name)));
    let start = Command::new("multipass", ["start", name, "--timeout", "600"])
        .timeout(660)
        .patience(3, 5)
        .unless(is_running());
    let address = format!("/info/{name}/ipv4/0");
    let mut step = guest.step(guest.machine(), format!("launch the machine {name}"));
    step = after_registries(context, step).check(is_running().learn(self::address(name), address));
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
    let ready = on(name, kubectl).args(["wait", "--for=condition=Ready", "--timeout=5s", node.as_str()]);
    Step::new(format!("cluster/{name}"), format!("make {name} a cluster"))
        .of(&cluster.name)
        .needs(format!("machine/{name}"))
        .check(Probe::new(ready))
        .run(on(name, ["cloud-init", "status", "--wait"]).timeout(LAUNCH).lenient())
        .run(on(name, ["sudo", PREPARE]).timeout(LAUNCH))
        .settle(10, 3)
        .hint(format!(
            "multipass exec {name} -- tail -n 50 /var/log/cloud-init-output.log"
        ))
}

/// Enters the other machines, as far as they have addresses, into `/etc/hosts`. Their resolver reads it, and so pods know them too.
pub(in crate::core::runner) fn know_others(context: Context<'_>, guest: &Guest<'_>, needs: String) -> Step {
    let name = guest.name;
    let others = || Guest::all(context.lab).filter(|other| other.name != name);
    let domain = &context.lab.domain;
    let line = |other: Guest<'_>| Word::fact(address(other.name)).text(format!(" {}.{domain} {MARK}", other.name));
    let lines: Vec<Word> = others().map(line).collect();
    let known = Probe::new(on(name, ["cat", "/etc/hosts"])).expect(Expect::Lines {
        lines: lines.clone(),
        with: MARK.to_owned(),
    });
    let forget = format!("/{MARK}$/d");
    let step = guest
        .step(
            format!("hosts/{name}"),
            format!("tell {name} the addresses of the other machines"),
        )
        .needs(needs)
        .check(known)
        .run(on(name, ["sudo", "sed", "--in-place", forget.as_str(), "/etc/hosts"]))
        .run(on(name, ["sudo", "tee", "--append", "/etc/hosts"]).stdin(Content::new().lines(lines)));
    others().fold(step, |step, other| step.after(other.machine()))
}
