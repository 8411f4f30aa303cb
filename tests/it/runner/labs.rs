//! Labs to run, with stand-ins on PATH.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Run, Scratch, tests};

const HEAD: &str = "\
apiVersion: meshlab.dev/v1alpha1
kind: Blueprint
metadata: {name: lab}
spec:
  domain: demo.lab
  git: {repoURL: https://example.org/lab.git}
  secrets: {key: rsa-2048}
";

const MULTIPASS: &str = "  registries: {docker.io: 5011}
  manager: {name: hub}
  cells:
  - {name: cell, clusters: [{name: one}, {name: two}]}
";

const SERVED: &str = "  registries: {}
  manager: {name: hub}
  cells:
  - {name: cell, clusters: [{name: one}]}
  settings:
    provider: {multipass: {}}
";

const MACHINE: &str = "  registries: {}
  manager: {name: hub}
  cells:
  - name: cell
    clusters: [{name: one}]
    vms:
    - {name: vm, cluster: one, service: httpbin, labels: {version: vm}, ports: {http: 8000}}
  settings:
    provider: {multipass: {}}
    components:
      httpbin: {use: demo-service}
";

const MINIKUBE: &str = "  addresses: {loadBalancers: {first: 192.168.58.192/28, perCell: 1}}
  manager: {name: hub, address: 192.168.58.10}
  cells:
  - {name: cell, clusters: [{name: one, address: 192.168.58.11}]}
  settings:
    provider: {minikube: {}}
    kubernetes: {distribution: provider, version: v1.33.4}
    network: {cni: calico, loadBalancer: metallb}
";

const KIND: &str = "  registryCache: {zot: {}}
  manager: {name: hub}
  cells:
  - {name: cell, clusters: [{name: one}]}
  settings:
    provider: {kind: {}}
    kubernetes: {version: v1.33.4}
    network: {cni: kindnet, loadBalancer: cloud-provider-kind}
";

const EXISTING: &str = "  manager: {name: hub, address: hub.example.org}
  cells:
  - {name: cell, clusters: [{name: one, address: one.example.org}]}
  settings:
    provider: {existing: {}}
    kubernetes: {distribution: provider, version: v1.33.4}
    network: {cni: calico, loadBalancer: provider}
";

/// A rendered lab with a world of its own.
pub(super) struct Lab {
    pub(super) scratch: Scratch,
}

impl Lab {
    /// Two clusters and their manager on Multipass. cloud-init leaves machines that are no clusters yet.
    pub(super) fn multipass() -> Self {
        static RENDERED: LazyLock<Scratch> = LazyLock::new(|| rendered(MULTIPASS));
        Self::copy_of(&RENDERED)
    }

    /// A cluster and its manager on Multipass, whose repository the runner serves.
    pub(super) fn served() -> Self {
        static RENDERED: LazyLock<Scratch> = LazyLock::new(|| rendered(SERVED));
        Self::copy_of(&RENDERED)
    }

    /// A cluster, its manager, and a machine outside of Kubernetes.
    pub(super) fn with_machine() -> Self {
        static RENDERED: LazyLock<Scratch> = LazyLock::new(|| rendered(MACHINE));
        Self::copy_of(&RENDERED)
    }

    /// A cluster and its manager on minikube.
    pub(super) fn minikube() -> Self {
        static RENDERED: LazyLock<Scratch> = LazyLock::new(|| rendered(MINIKUBE));
        Self::copy_of(&RENDERED)
    }

    /// A cluster and its manager on kind.
    pub(super) fn kind() -> Self {
        static RENDERED: LazyLock<Scratch> = LazyLock::new(|| rendered(KIND));
        Self::copy_of(&RENDERED)
    }

    /// A cluster and its manager that the user has.
    pub(super) fn existing() -> Self {
        static RENDERED: LazyLock<Scratch> = LazyLock::new(|| rendered(EXISTING));
        let lab = Self::copy_of(&RENDERED);
        lab.scratch.write(
            "world/users-kubeconfig",
            "clusters:\n- name: hub\n- name: one\n- name: other\n",
        );
        lab
    }

    fn copy_of(rendered: &Scratch) -> Self {
        let lab = Self {
            scratch: rendered.duplicate(),
        };
        fs::create_dir(lab.world()).unwrap();
        lab
    }

    /// Where stand-ins keep their state.
    pub(super) fn world(&self) -> PathBuf {
        self.scratch.path("world")
    }

    /// The binary, with stand-ins before all else on PATH and next to no pauses.
    pub(super) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshlab"));
        command.args(arguments.split_whitespace());
        self.prepare(&mut command);
        command
    }

    pub(super) fn prepare(&self, command: &mut Command) {
        let path = format!(
            "{}:{}",
            tests().join("stand-ins").display(),
            std::env::var("PATH").unwrap()
        );
        command
            .current_dir(self.scratch.path(""))
            .env("PATH", path)
            .env("STAND_INS", self.world())
            .env("STAND_IN_UNREADY", "1")
            .env("MESHLAB_PACE", "0.01")
            .env_remove("MESHLAB_KEYSTORE")
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null());
    }

    /// Runs it to its end.
    pub(super) fn run(&self, arguments: &str) -> Run {
        self.scratch.told(arguments, &mut self.command(arguments))
    }

    /// Runs it with a fault.
    pub(super) fn run_with(&self, arguments: &str, fault: &str) -> Run {
        let _ = fs::remove_dir(self.world().join("fault"));
        self.scratch
            .told(arguments, self.command(arguments).env("STAND_IN_FAULT", fault))
    }

    /// Starts it, and waits until the stand-in hangs that is told to; gives the stand-in's process too.
    pub(super) fn start(&self, arguments: &str, fault: &str) -> (Child, String) {
        let mut command = self.command(arguments);
        command.env("STAND_IN_FAULT", fault);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        let hanging = self.world().join("hanging");
        while !hanging.exists() && start.elapsed() < Duration::from_mins(1) {
            sleep(Duration::from_millis(5));
        }
        let process = fs::read_to_string(&hanging).unwrap_or_default();
        assert!(!process.is_empty(), "nothing hangs at `{fault}`");
        (child, process.trim().to_owned())
    }

    /// The lines of a file of the stand-ins.
    pub(super) fn noted(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.world().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Every change of state, sorted: steps run side by side.
    pub(super) fn effects(&self) -> Vec<String> {
        let mut effects = self.noted("effects");
        effects.sort();
        effects
    }

    /// No tool was called as the real one cannot be.
    pub(super) fn understood(&self) {
        assert_eq!(self.noted("refused"), [] as [String; 0]);
    }
}

fn rendered(spec: &str) -> Scratch {
    let head = if spec == SERVED {
        HEAD.replace("repoURL: https://example.org/lab.git", "serve: true")
    } else {
        HEAD.to_owned()
    };
    let scratch = Scratch::of("lab", &format!("{head}{spec}"));
    scratch.run("render").succeeds();
    scratch
}

/// What is there more than once, with how often.
pub(super) fn repeated(lines: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line.as_str()).or_default() += 1;
    }
    counts.retain(|_, count| *count > 1);
    counts
}

/// Ends a process that nobody else will.
pub(super) fn kill(process: &str) {
    let status = Command::new("kill")
        .args(["-9", process])
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok());
}

/// Whether a process still is.
pub(super) fn lives(process: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(process).join("stat")).unwrap_or_default();
    // One that has ended and that nobody has asked for stays as `Z`.
    !stat.is_empty() && !stat.contains(") Z ")
}
