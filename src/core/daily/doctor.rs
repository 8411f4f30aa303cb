//! Which programs of this machine a lab needs, in which version, and how to come by them here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::core::blueprint::{Distribution, Provider};
use crate::core::lab::{Cluster, Lab};

/// A release: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64, u64, u64);

impl Version {
    /// The first release in a program's answer: two or three numbers with dots, after a `v` or not.
    pub fn find(text: &str) -> Option<Self> {
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let number = &rest[start..];
            let end = number
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(number.len());
            if let Some(version) = Self::parse(number[..end].trim_end_matches('.')) {
                return Some(version);
            }
            rest = &number[end..];
        }
        None
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        Some(Self(major, minor, parts.next().flatten().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A program that the runner, or the runbook, calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// Kubernetes' command line.
    Kubectl,
    /// Argo CD's.
    Argocd,
    /// Helm, where nothing else installs Argo CD.
    Helm,
    /// Git.
    Git,
    /// Docker: nodes of clusters, pull-through registries.
    Docker,
    /// Canonical's Multipass.
    Multipass,
    /// Clusters in containers.
    Kind,
    /// Clusters of one node.
    Minikube,
    /// Argo Workflows' command line; only people use it.
    Argo,
    /// Istio's command line; only people use it.
    Istioctl,
}

impl Tool {
    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubectl => "kubectl",
            Self::Argocd => "argocd",
            Self::Helm => "helm",
            Self::Git => "git",
            Self::Docker => "docker",
            Self::Multipass => "multipass",
            Self::Kind => "kind",
            Self::Minikube => "minikube",
            Self::Argo => "argo",
            Self::Istioctl => "istioctl",
        }
    }

    /// Arguments with which it tells its version. Docker is asked for its server's: a client alone runs nothing.
    pub fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Kubectl => &["version", "--client", "--output=json"],
            Self::Argocd => &["version", "--client", "--short"],
            Self::Helm | Self::Argo | Self::Minikube => &["version", "--short"],
            Self::Git => &["--version"],
            Self::Docker => &["version", "--format={{.Server.Version}}"],
            Self::Multipass => &["version"],
            Self::Kind => &["version", "--quiet"],
            Self::Istioctl => &["version", "--remote=false", "--short"],
        }
    }

    /// The oldest release that has what is used of it.
    pub fn minimum(self) -> Version {
        match self {
            // `create token` (1.24), and `--server-side` that takes over what others wrote.
            Self::Kubectl => Version(1, 24, 0),
            // `account generate-token --core`, against the Argo CD 3 that the catalog installs.
            Self::Argocd => Version(3, 0, 0),
            Self::Helm => Version(3, 8, 0),
            // `rev-parse --path-format`.
            Self::Git => Version(2, 31, 0),
            Self::Docker => Version(20, 10, 0),
            // Images of Ubuntu 24.04.
            Self::Multipass => Version(1, 13, 0),
            // Nodes with containerd's `config_path`.
            Self::Kind => Version(0, 20, 0),
            // `--static-ip`.
            Self::Minikube => Version(1, 29, 0),
            // Workflows 4 are submitted by a client of 3.6 as well.
            Self::Argo => Version(3, 6, 0),
            Self::Istioctl => Version(1, 28, 0),
        }
    }

    /// How to install it on a system.
    pub fn install(self, system: &System) -> String {
        let command = |manager: &Manager| Some(manager.command(self.package(*manager)?));
        let packaged = system.managers.iter().find_map(command);
        packaged
            .or_else(|| self.download(system))
            .unwrap_or_else(|| format!("see {}", self.page()))
    }

    /// Where it is a single file: how to put that on the path.
    fn download(self, System { os, arch, .. }: &System) -> Option<String> {
        let url = match self {
            Self::Kubectl => format!("https://dl.k8s.io/release/v1.33.4/bin/{os}/{arch}/kubectl"),
            Self::Argocd => {
                format!("https://github.com/argoproj/argo-cd/releases/download/v3.4.4/argocd-{os}-{arch}")
            }
            Self::Kind => format!("https://kind.sigs.k8s.io/dl/latest/kind-{os}-{arch}"),
            Self::Minikube => {
                format!("https://storage.googleapis.com/minikube/releases/latest/minikube-{os}-{arch}")
            }
            _ => return None,
        };
        let place = format!("/usr/local/bin/{}", self.name());
        let known = ["linux", "darwin"].contains(&os.as_str()) && !arch.is_empty();
        known.then(|| format!("sudo curl -fLo {place} {url} && sudo chmod +x {place}"))
    }

    /// What a package manager calls it, where it has it in a version that will do.
    fn package(self, manager: Manager) -> Option<&'static str> {
        match (manager, self) {
            (Manager::Brew, Self::Kubectl) => Some("kubernetes-cli"),
            (Manager::Brew, Self::Docker) => Some("--cask docker-desktop"),
            (Manager::Brew, Self::Multipass) => Some("--cask multipass"),
            (Manager::Snap, Self::Kubectl) => Some("kubectl --classic"),
            (Manager::Snap, Self::Helm) => Some("helm --classic"),
            (Manager::Snap, Self::Multipass) => Some("multipass"),
            (Manager::Apt | Manager::Dnf, Self::Git) => Some("git"),
            (Manager::Pacman, Self::Argo | Self::Multipass) => None,
            (Manager::Brew | Manager::Pacman, _) => Some(self.name()),
            _ => None,
        }
    }

    fn page(self) -> &'static str {
        match self {
            Self::Kubectl => "https://kubernetes.io/docs/tasks/tools/",
            Self::Argocd => "https://argo-cd.readthedocs.io/en/stable/cli_installation/",
            Self::Helm => "https://helm.sh/docs/intro/install/",
            Self::Git => "https://git-scm.com/downloads",
            Self::Docker => "https://docs.docker.com/engine/install/",
            Self::Multipass => "https://canonical.com/multipass/install",
            Self::Kind => "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
            Self::Minikube => "https://minikube.sigs.k8s.io/docs/start/",
            Self::Argo => "https://github.com/argoproj/argo-workflows/releases",
            Self::Istioctl => "https://istio.io/latest/docs/setup/additional-setup/download-istio-release/",
        }
    }
}

impl Serialize for Tool {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Who installs programs on a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manager {
    /// Homebrew.
    Brew,
    /// Canonical's snaps.
    Snap,
    /// Debian's.
    Apt,
    /// Fedora's.
    Dnf,
    /// Arch's.
    Pacman,
}

impl Manager {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Brew, Self::Snap, Self::Apt, Self::Dnf, Self::Pacman];

    /// The program by which one knows that it is there.
    pub fn program(self) -> &'static str {
        match self {
            Self::Brew => "brew",
            Self::Snap => "snap",
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
        }
    }

    fn command(self, package: &str) -> String {
        match self {
            Self::Brew => format!("brew install {package}"),
            Self::Snap => format!("sudo snap install {package}"),
            Self::Apt => format!("sudo apt-get install {package}"),
            Self::Dnf => format!("sudo dnf install {package}"),
            Self::Pacman => format!("sudo pacman -S {package}"),
        }
    }
}

/// The machine, as far as it matters for installing programs.
#[derive(Debug, Clone, Default)]
pub struct System {
    /// `linux` or `darwin`, as download sites call them.
    pub os: String,
    /// `amd64` or `arm64`; empty: something else.
    pub arch: String,
    /// What installs programs.
    pub managers: BTreeSet<Manager>,
}

/// What a tool is for, and whether `up` can do without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// False: only people need it, to follow the runbook.
    pub by_runner: bool,
    /// What for, sorted.
    pub reasons: BTreeSet<String>,
}

/// The tools of some labs.
pub fn needs<'a>(labs: impl IntoIterator<Item = &'a Lab>) -> BTreeMap<Tool, Need> {
    let mut needs = Needs::default();
    for lab in labs {
        needs.lab(lab);
    }
    needs.0
}

#[derive(Default)]
struct Needs(BTreeMap<Tool, Need>);

impl Needs {
    fn lab(&mut self, lab: &Lab) {
        self.runner(Tool::Kubectl, "every cluster");
        self.runner(
            Tool::Git,
            if lab.git.serve {
                "serves the repository"
            } else {
                "tells trees apart"
            },
        );
        self.runner(Tool::Argocd, "the workflows' token; `sync`");
        for cluster in &lab.clusters {
            self.machine(cluster);
        }
        if !lab.registries.is_empty() || lab.registry_cache.is_some() {
            self.runner(Tool::Docker, "pull-through registries");
        }
        if installs_argo_cd(lab.manager()) {
            self.runner(Tool::Helm, "installs Argo CD");
        }
        self.people(Tool::Argo, "the runbook");
        self.people(Tool::Istioctl, "the runbook");
    }

    fn machine(&mut self, cluster: &Cluster) {
        match &cluster.settings.provider {
            Provider::Multipass(_) => self.runner(Tool::Multipass, "machines"),
            Provider::Minikube(minikube) => {
                self.runner(Tool::Minikube, "clusters");
                if minikube.driver == "docker" {
                    self.runner(Tool::Docker, "nodes of minikube");
                }
            }
            Provider::Kind(_) => {
                self.runner(Tool::Kind, "clusters");
                self.runner(Tool::Docker, "nodes of kind");
            }
            Provider::Existing(_) => {}
        }
    }

    fn runner(&mut self, tool: Tool, reason: &str) {
        let need = self.0.entry(tool).or_default();
        need.by_runner = true;
        need.reasons.insert(reason.to_owned());
    }

    fn people(&mut self, tool: Tool, reason: &str) {
        self.0.entry(tool).or_default().reasons.insert(reason.to_owned());
    }
}

/// Whether the runner installs Argo CD on the manager: k3s does it from the machine's cloud-init, and some have it already.
pub fn installs_argo_cd(manager: &Cluster) -> bool {
    let mut instances = manager.instances.values();
    !charts_come_with_machine(manager) && instances.any(|one| one.component.name.as_str() == "argo-cd" && !one.external)
}

/// Whether the machine's cloud-init hands charts to k3s, which installs them first.
pub fn charts_come_with_machine(cluster: &Cluster) -> bool {
    let settings = &cluster.settings;
    matches!(settings.provider, Provider::Multipass(_)) && settings.kubernetes.distribution == Distribution::K3s
}

/// What was found out about a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The tool.
    pub tool: Tool,
    /// Whether `up` cannot do without.
    pub needed: bool,
    /// What for.
    pub reasons: Vec<String>,
    /// Where it is.
    pub path: Option<String>,
    /// Its release.
    pub version: Option<Version>,
    /// The oldest that will do.
    pub minimum: Version,
    /// What is wrong; none: nothing.
    pub problem: Option<&'static str>,
    /// What to do about it, or what the program said; none where nothing is wrong.
    pub advice: Option<String>,
}

/// What a tool answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// No such program on the path.
    Absent,
    /// It ended well and said this.
    Said {
        /// Where it is.
        path: String,
        /// Its standard output.
        output: String,
    },
    /// It did not end well.
    Failed {
        /// Where it is.
        path: String,
        /// The last line of its standard error.
        why: String,
    },
}

/// Judges what a tool answered.
pub fn judge(tool: Tool, need: &Need, answer: &Answer, system: &System) -> Finding {
    let minimum = tool.minimum();
    let install = || Some(tool.install(system));
    let (path, version, problem, advice) = match answer {
        Answer::Absent => (None, None, Some("not found"), install()),
        Answer::Failed { path, why } => (Some(path), None, Some("does not work"), Some(why.clone())),
        Answer::Said { path, output } => match Version::find(output) {
            None => (Some(path), None, Some("tells no version"), Some(first_line(output))),
            Some(version) if version < minimum => (Some(path), Some(version), Some("too old"), install()),
            Some(version) => (Some(path), Some(version), None, None),
        },
    };
    Finding {
        tool,
        needed: need.by_runner,
        reasons: need.reasons.iter().cloned().collect(),
        path: path.cloned(),
        version,
        minimum,
        problem,
        advice,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_programs_tell_them() {
        for (said, version) in [
            ("argocd: v3.4.4+1f2a34b", "3.4.4"),
            (
                "{\"clientVersion\": {\"major\": \"1\", \"gitVersion\": \"v1.33.4-dispatcher\"}}",
                "1.33.4",
            ),
            ("multipass   1.16.1+mac\nmultipassd  1.16.1+mac\n", "1.16.1"),
            ("git version 2.39.5 (Apple Git-154)", "2.39.5"),
            ("v3.19.4+g2f5a6b1", "3.19.4"),
            ("v1.37.0\n", "1.37.0"),
            ("0.30.0\n", "0.30.0"),
            ("client version: 1.30.3", "1.30.3"),
            ("28.1\n", "28.1.0"),
        ] {
            assert_eq!(
                Version::find(said).map(|found| found.to_string()).as_deref(),
                Some(version),
                "{said}"
            );
        }
        assert_eq!(Version::find("no number at all, or 7"), None);
    }

    #[test]
    fn an_old_tool_is_a_problem_with_a_way_out() {
        let need = Need {
            by_runner: true,
            reasons: BTreeSet::new(),
        };
        let answer = Answer::Said {
            path: "/usr/bin/argocd".to_owned(),
            output: "argocd: v2.14.1".to_owned(),
        };
        let system = System {
            managers: BTreeSet::from([Manager::Apt, Manager::Brew]),
            ..System::default()
        };
        let finding = judge(Tool::Argocd, &need, &answer, &system);
        assert_eq!(finding.problem, Some("too old"));
        assert_eq!(finding.advice.as_deref(), Some("brew install argocd"));
        let nothing = judge(Tool::Kind, &need, &Answer::Absent, &System::default());
        assert!(nothing.advice.unwrap().contains("https://kind.sigs.k8s.io"));
        let linux = System {
            os: "linux".to_owned(),
            arch: "arm64".to_owned(),
            ..System::default()
        };
        assert!(
            Tool::Kubectl
                .install(&linux)
                .ends_with("chmod +x /usr/local/bin/kubectl")
        );
        let failed = Answer::Failed {
            path: "/usr/bin/docker".to_owned(),
            why: "no daemon".to_owned(),
        };
        assert_eq!(
            judge(Tool::Docker, &need, &failed, &linux).advice.as_deref(),
            Some("no daemon")
        );
    }
}
