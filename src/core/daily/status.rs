//! How a running lab is: what its machines, API servers, Argo CD and certificates say, and whether that is good.

use std::collections::BTreeMap;

use serde::Serialize;

use super::selection::Application;
use crate::core::blueprint::Provider;
use crate::core::lab::{Cluster, Lab};
use crate::core::name::ClusterName;
use crate::core::pki::{CompleteLock, Subject};
use crate::core::value::Value;

/// Days before its end at which a certificate is no longer well.
pub const SOON: i64 = 30;

/// How a lab is.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub lab: String,
    /// Whether nothing is wrong.
    pub well: bool,
    /// Days left of the root that ends first.
    #[serde(rename = "rootDays")]
    pub root_days: i64,
    /// Every cluster, the manager first.
    pub clusters: Vec<ClusterReport>,
    /// Machines outside of Kubernetes.
    pub vms: Vec<VmReport>,
    /// What is wrong, a line each.
    pub problems: Vec<String>,
}

/// How a machine outside of Kubernetes is.
#[derive(Debug, Serialize)]
pub struct VmReport {
    /// Its name.
    pub vm: String,
    /// Its cell.
    pub cell: String,
    /// Its state; none where the runner does not make it.
    pub machine: Option<String>,
}

/// How a cluster is.
#[derive(Debug, Serialize)]
pub struct ClusterReport {
    /// Its name.
    pub cluster: String,
    /// Its cell.
    pub cell: String,
    /// Its machine; none where the runner does not make it.
    pub machine: Option<String>,
    /// The release of its API server; none if that does not answer.
    pub api: Option<String>,
    /// Its Applications; none while Argo CD cannot be asked.
    pub applications: Option<Tally>,
    /// Its certificate that ends first.
    pub certificate: Option<Lasting>,
}

/// Applications of a cluster, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// That Git says.
    pub expected: usize,
    /// Of these: in the state that Git says.
    pub synced: usize,
    /// Of these: healthy.
    pub healthy: usize,
}

/// A certificate and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lasting {
    /// What it is.
    pub what: String,
    /// Whole days until it ends; negative: it has ended.
    pub days: i64,
}

/// What was found out.
#[derive(Debug)]
pub struct Found {
    /// States by machine, or why nobody knows, by provider.
    pub machines: BTreeMap<&'static str, Result<BTreeMap<String, String>, String>>,
    /// What the clusters said; none: the lab has no kubeconfig.
    pub clusters: Option<Asked>,
    /// Seconds since 1970.
    pub now: i64,
}

/// What the clusters of a lab said.
#[derive(Debug)]
pub struct Asked {
    /// The release of each API server, or why it did not answer.
    pub releases: BTreeMap<String, Result<String, String>>,
    /// `kubectl get applications --output json` on the manager, or why there is none.
    pub applications: Result<Value, String>,
}

/// Judges what was found out about a lab.
pub fn report(lab: &Lab, lock: &CompleteLock, expected: &[Application], found: &Found) -> Report {
    let mut judge = Judge {
        expected,
        found,
        seen: None,
        problems: Vec::new(),
    };
    judge.lab(lab, lock);
    let clusters = lab
        .clusters
        .iter()
        .map(|cluster| judge.cluster(lab, lock, cluster))
        .collect();
    let vms = lab.vms.iter().map(|vm| VmReport {
        vm: vm.name.to_string(),
        cell: lab.cells[vm.cell].name.to_string(),
        machine: judge.machine(vm.name.as_str(), &vm.provider),
    });
    let vms = vms.collect();
    Report {
        vms,
        lab: lab.name.to_string(),
        well: judge.problems.is_empty(),
        root_days: root_days(lock, found.now),
        clusters,
        problems: judge.problems,
    }
}

fn root_days(lock: &CompleteLock, now: i64) -> i64 {
    let roots = lock.lock().roots.iter().map(|root| days(root.not_after(), now));
    roots.min().unwrap_or_default()
}

struct Judge<'a> {
    expected: &'a [Application],
    found: &'a Found,
    seen: Option<Seen>,
    problems: Vec<String>,
}

impl Judge<'_> {
    /// What concerns no cluster, or all of them.
    fn lab(&mut self, lab: &Lab, lock: &CompleteLock) {
        let root_days = root_days(lock, self.found.now);
        if root_days < SOON {
            self.problems
                .push(format!("the root of the lab: {}", ending(root_days)));
        }
        for (provider, states) in &self.found.machines {
            if let Err(why) = states {
                self.problems.push(format!("{provider} cannot be asked: {why}"));
            }
        }
        match &self.found.clusters {
            None => self
                .problems
                .push("there is no kubeconfig of the lab: `meshlab up` makes it".to_owned()),
            Some(asked) => match &asked.applications {
                Ok(list) => self.seen = Some(Seen::read(list)),
                // An API server that does not answer is told of already.
                Err(why) if matches!(asked.releases.get(lab.manager().name.as_str()), Some(Ok(_))) => {
                    self.problems
                        .push(format!("Argo CD's Applications cannot be listed: {why}"));
                }
                Err(_) => {}
            },
        }
    }

    fn cluster(&mut self, lab: &Lab, lock: &CompleteLock, cluster: &Cluster) -> ClusterReport {
        let name = cluster.name.as_str();
        let certificate = first_to_end(lock, &cluster.name, self.found.now);
        if let Some(soon) = certificate.as_ref().filter(|one| one.days < SOON) {
            self.problems
                .push(format!("{name}: {}: {}", soon.what, ending(soon.days)));
        }
        ClusterReport {
            machine: self.machine(name, &cluster.settings.provider),
            api: self.api(name),
            applications: self
                .seen
                .as_ref()
                .map(|seen| seen.tally(name, self.expected, &mut self.problems)),
            cluster: name.to_owned(),
            cell: lab.cell_label(cluster).to_owned(),
            certificate,
        }
    }

    fn machine(&mut self, name: &str, provider: &Provider) -> Option<String> {
        let states = self.found.machines.get(provider.name())?;
        let Ok(states) = states else {
            return Some("unknown".to_owned());
        };
        let state = states.get(name).map_or("absent", String::as_str);
        if !is_running(state) {
            self.problems.push(format!("{name}: its machine is {state}"));
        }
        Some(state.to_owned())
    }

    fn api(&mut self, name: &str) -> Option<String> {
        match self.found.clusters.as_ref()?.releases.get(name)? {
            Ok(release) => Some(release.clone()),
            Err(why) => {
                self.problems
                    .push(format!("{name}: its API server does not answer: {why}"));
                None
            }
        }
    }
}

/// Multipass says `Running`, minikube `Running` or `OK`, Docker `running`.
fn is_running(state: &str) -> bool {
    ["running", "ok"].contains(&state.to_lowercase().as_str())
}

fn ending(days: i64) -> String {
    match days {
        ..0 => format!("it ended {} days ago", -days),
        0..SOON => format!("it ends in {days} days"),
        _ => format!("{days} days left"),
    }
}

fn days(not_after: i64, now: i64) -> i64 {
    (not_after - now).div_euclid(24 * 60 * 60)
}

/// The certificate of a cluster that ends first. Sealing keys have certificates too, which nobody verifies.
fn first_to_end(lock: &CompleteLock, cluster: &ClusterName, now: i64) -> Option<Lasting> {
    let certificates = &lock.lock().clusters.get(cluster)?.certificates;
    let verified = certificates.iter().filter(|(subject, _)| **subject != Subject::Sealing);
    verified
        .map(|(subject, minted)| Lasting {
            what: subject.to_string(),
            days: days(minted.certificate.not_after(), now),
        })
        .min_by_key(|one| one.days)
}

/// Applications as Argo CD sees them, by name.
pub(crate) struct Seen(pub(crate) BTreeMap<String, State>);

/// How Argo CD sees an Application.
pub(crate) struct State {
    sync: String,
    health: String,
    message: String,
}

impl Seen {
    /// Reads what `kubectl get applications --output json` prints.
    pub(crate) fn read(list: &Value) -> Self {
        let items = list["items"].as_array().into_iter().flatten();
        Self(
            items
                .map(|item| (text(&item["metadata"]["name"]), State::read(item)))
                .collect(),
        )
    }

    fn tally(&self, cluster: &str, expected: &[Application], problems: &mut Vec<String>) -> Tally {
        let mut tally = Tally::default();
        for application in expected.iter().filter(|one| one.cluster == cluster) {
            tally.expected += 1;
            let Some(state) = self.0.get(&application.name) else {
                problems.push(format!("{}: there is no such Application yet", application.name));
                continue;
            };
            tally.synced += usize::from(state.is_synced());
            tally.healthy += usize::from(state.is_healthy());
            if !(state.is_synced() && state.is_healthy()) {
                problems.push(format!("{}: {state}", application.name));
            }
        }
        tally
    }
}

impl State {
    /// Whether it is what Git says.
    pub(crate) fn is_synced(&self) -> bool {
        self.sync == "Synced"
    }

    /// Whether what it deployed works.
    pub(crate) fn is_healthy(&self) -> bool {
        self.health == "Healthy"
    }

    fn read(item: &Value) -> Self {
        let status = &item["status"];
        let conditions = status["conditions"].as_array().into_iter().flatten();
        let said = std::iter::once(&status["health"]["message"])
            .chain(conditions.map(|condition| &condition["message"]))
            .chain([&status["operationState"]["message"]]);
        Self {
            sync: text(&status["sync"]["status"]),
            health: text(&status["health"]["status"]),
            message: said
                .filter_map(Value::as_str)
                .find(|said| !said.is_empty())
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or_unknown = |text: &str| {
            if text.is_empty() {
                "Unknown".to_owned()
            } else {
                text.to_owned()
            }
        };
        write!(f, "{}, {}", or_unknown(&self.sync), or_unknown(&self.health))?;
        match self.message.lines().next() {
            Some(line) => write!(f, ": {line}"),
            None => Ok(()),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// How to ask a provider for the state of its machines; none if it has none.
pub fn machines_command(provider: &Provider) -> Option<&'static [&'static str]> {
    match provider {
        Provider::Multipass(_) => Some(&["multipass", "list", "--format", "json"]),
        Provider::Minikube(_) => Some(&["minikube", "profile", "list", "--output", "json"]),
        Provider::Kind(_) => Some(&[
            "docker",
            "container",
            "list",
            "--all",
            "--filter=label=io.x-k8s.kind.role=control-plane",
            "--format=json",
        ]),
        Provider::Existing(_) => None,
    }
}

/// States by machine, as [`machines_command`] answers: one document, or (Docker) one for each machine.
pub fn read_machines(provider: &Provider, answers: &[Value]) -> BTreeMap<String, String> {
    let (lists, name, state): (&[&str], _, _) = match provider {
        Provider::Multipass(_) => (&["list"], "name", "state"),
        Provider::Minikube(_) => (&["valid", "invalid"], "Name", "Status"),
        Provider::Kind(_) => return answers.iter().map(node).collect(),
        Provider::Existing(_) => (&[], "", ""),
    };
    let lists = lists
        .iter()
        .flat_map(|list| answers.iter().map(|answer| &answer[*list]));
    let machines = lists.flat_map(|list| list.as_array().into_iter().flatten());
    machines.map(|one| (text(&one[name]), text(&one[state]))).collect()
}

/// The state of a cluster of kind: that of the container of its node.
fn node(container: &Value) -> (String, String) {
    let name = text(&container["Names"]);
    let cluster = name.strip_suffix("-control-plane").unwrap_or(&name);
    (cluster.to_owned(), text(&container["State"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expected() -> Vec<Application> {
        let application = |instance: &str| Application {
            name: format!("a-{instance}"),
            instance: instance.to_owned(),
            cell: "c".to_owned(),
            cluster: "a".to_owned(),
        };
        ["x", "y", "z"].map(application).to_vec()
    }

    #[test]
    fn every_application_that_is_not_well_is_named() {
        let list = json!({"items": [
            {"metadata": {"name": "a-x"}, "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}},
            {"metadata": {"name": "a-y"}, "status": {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"},
             "conditions": [{"message": "no such chart\nmore"}]}},
            {"metadata": {"name": "other"}, "status": {}},
        ]});
        let mut problems = Vec::new();
        let tally = Seen::read(&list).tally("a", &expected(), &mut problems);
        assert_eq!((tally.expected, tally.synced, tally.healthy), (3, 1, 1));
        assert_eq!(
            problems,
            [
                "a-y: OutOfSync, Degraded: no such chart",
                "a-z: there is no such Application yet"
            ]
        );
    }

    #[test]
    fn days_are_whole_and_may_have_passed() {
        assert_eq!(days(86_400 * 3 + 5, 0), 3);
        assert_eq!(days(-1, 0), -1);
        assert_eq!(ending(-2), "it ended 2 days ago");
    }

    #[test]
    fn machines_as_their_makers_list_them() {
        let multipass = Provider::Multipass(crate::core::blueprint::Multipass::default());
        let list = json!({"list": [{"name": "a", "state": "Running"}, {"name": "b", "state": "Stopped"}]});
        let found = read_machines(&multipass, &[list]);
        assert!(is_running(&found["a"]) && !is_running(&found["b"]));
        let minikube = Provider::Minikube(crate::core::blueprint::Minikube::default());
        let found = read_machines(
            &minikube,
            &[json!({"valid": [{"Name": "a", "Status": "OK"}], "invalid": []})],
        );
        assert!(is_running(&found["a"]));
    }
}
