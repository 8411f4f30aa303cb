//! What a blueprint says of machines outside of Kubernetes, each with the cluster that it belongs to.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::core::blueprint::{Multipass, ProbeEntry, Provider, VmEntry};
use crate::core::lab::{Cluster, HttpGet, Lab, LocalitySettings, Probe, TcpSocket, Vm};
use crate::core::name::{InstanceName, Namespace, is_domain, is_label};
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place};
use crate::core::views::network_of;

use super::super::topology::NamedVm;
use super::place;

/// Ports of a machine that its proxy has, or leaves alone (`ISTIO_LOCAL_EXCLUDE_PORTS`; istio.io, "Ports used by Istio").
const RESERVED: [u16; 10] = [22, 15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

/// The machines of a lab whose clusters are known, but not what runs on them.
///
/// # Errors
/// Everything that is wrong with what the blueprint says of them alone.
pub(in crate::core::resolve) fn draft(lab: &Lab, named: Vec<(usize, NamedVm)>) -> Result<Vec<Vm>, Problems> {
    let mut problems = Problems::default();
    let mut vms = Vec::new();
    for (cell, vm) in named {
        let mut drafting = Drafting {
            lab,
            cell,
            path: &vm.path,
            problems: Problems::default(),
        };
        let drafted = drafting.vm(&vm);
        vms.extend(drafted.filter(|_| drafting.problems.is_empty()));
        problems.extend(drafting.problems);
    }
    problems.extend(addresses(lab, &vms));
    problems.or(vms)
}

struct Drafting<'a> {
    lab: &'a Lab,
    cell: usize,
    path: &'a Path,
    problems: Problems,
}

impl<'a> Drafting<'a> {
    fn vm(&mut self, vm: &NamedVm) -> Option<Vm> {
        let entry = &vm.entry;
        self.ports(entry);
        self.labels(entry);
        let home = self.home(entry);
        let service = self.name("service", entry.service.as_deref(), InstanceName::new);
        let own_namespace = self.name("namespace", entry.namespace.as_deref(), Namespace::new);
        let service_account = self.service_account(entry);
        let address = self.address(entry);
        let probe = self.probe(entry);
        let home = home?;
        let network = self.network(vm);
        Some(Vm {
            name: vm.name.clone(),
            cell: self.cell,
            cluster: home.index,
            service,
            own_namespace,
            service_account,
            own_labels: entry
                .labels
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            ports: entry.ports.clone(),
            probe,
            locality: locality(entry, home),
            network,
            address,
            provider: self.provider(entry, home),
            run: entry.run.clone(),
            path: self.path.clone(),
        })
    }

    /// The cluster that the blueprint names, or the first of the cell that is in use.
    fn home(&mut self, entry: &VmEntry) -> Option<&'a Cluster> {
        let cell = &self.lab.cells[self.cell];
        let ours = || self.lab.clusters_of(cell);
        let Some(name) = &entry.cluster else {
            let first = ours().find(|cluster| cluster.active);
            if first.is_none() {
                self.problem(
                    "name",
                    format!("`{}` has no cluster to ask: the cell has none in use", entry.name),
                    "remove the machine, or keep a cluster",
                );
            }
            return first;
        };
        match ours().find(|cluster| cluster.name.as_str() == name) {
            None => {
                let problem = self
                    .at("cluster", format!("the cell `{}` has no cluster `{name}`", cell.name))
                    .help("a machine asks the istiod of a cluster of its own cell")
                    .did_you_mean(name, ours().map(|cluster| cluster.name.as_str()));
                self.problems.push(problem);
                None
            }
            Some(cluster) if !cluster.active => {
                let message = format!("`{}` counts on {name}, which is decommissioned", entry.name);
                self.problem(
                    "cluster",
                    message,
                    "name a cluster that stays, or leave `cluster` out: the first in use",
                );
                None
            }
            found => found,
        }
    }

    fn name<T>(&mut self, key: &str, text: Option<&str>, new: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let result = new(text?);
        result.map_err(|why| self.problems.push(self.at(key, why))).ok()
    }

    fn service_account(&mut self, entry: &VmEntry) -> String {
        let name = entry.service_account.as_ref().unwrap_or(&entry.name);
        if !is_label(name) {
            let message = format!("`{name}` is not a legal name of a ServiceAccount");
            self.problem(
                "serviceAccount",
                message,
                "use a-z, 0-9 and -, starting and ending with a letter or digit",
            );
        }
        name.clone()
    }

    fn address(&mut self, entry: &VmEntry) -> Option<Ipv4Addr> {
        let text = entry.address.as_ref()?;
        let address = text.parse().ok();
        if address.is_none() {
            let message = format!("`{text}` is not an IPv4 address");
            let help =
                "write the address that the machine has, or leave it out: its proxy takes the first that it finds";
            self.problem("address", message, help);
        }
        address
    }

    fn ports(&mut self, entry: &VmEntry) {
        let mut seen: BTreeMap<u16, &str> = BTreeMap::new();
        for (name, port) in &entry.ports {
            let place = Place::value(&self.lab.source, self.path.join("ports").join(name));
            let mut problem = |message: String, help: &str| {
                self.problems.push(Problem::at(place.clone(), message).help(help));
            };
            if !is_label(name) {
                problem(
                    format!("`{name}` is not a legal name of a port"),
                    "use a-z, 0-9 and -, beginning with the protocol: http, grpc-api, tcp-db",
                );
            }
            if *port == 0 {
                problem("port 0 is no port".to_owned(), "write a port from 1 to 65535");
            }
            if RESERVED.contains(port) {
                problem(
                    format!("port {port} of a machine is never the mesh's: its proxy has it, or leaves it alone"),
                    "let the server listen on another port",
                );
            }
            if let Some(other) = seen.insert(*port, name) {
                problem(format!("`{name}` and `{other}` are one port: {port}"), "name it once");
            }
        }
    }

    fn labels(&mut self, entry: &VmEntry) {
        for (key, value) in &entry.labels {
            let (lab, path) = (self.lab, self.path.join("labels").join(key));
            if !is_label_key(key) {
                let problem = Problem::at(
                    Place::key(&lab.source, path.clone()),
                    format!("`{key}` is no key of a label"),
                );
                self.problems.push(
                    problem.help("write a name of at most 63 letters, digits, `-`, `_` and `.`, or `<domain>/<name>`"),
                );
            }
            if !(value.is_empty() || is_label_text(value)) {
                let problem = Problem::at(
                    Place::value(&lab.source, path),
                    format!("`{value}` is no value of a label"),
                );
                self.problems.push(problem.help(
                    "write at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit",
                ));
            }
        }
    }

    /// What the blueprint says, else a connection to the first port.
    fn probe(&mut self, entry: &VmEntry) -> Option<Probe> {
        let first = entry.ports.values().next().copied();
        let said = entry.probe.as_ref();
        let Some(port) = said.and_then(|probe| probe.port).or(first) else {
            if said.is_some() {
                let message = format!("the probe of `{}` has no port", entry.name);
                self.problem("probe", message, "add `port:`, or `ports:` to the machine");
            }
            return None;
        };
        Some(probe(said, port))
    }

    /// Machines are their own network: they reach each other, and pods through gateways.
    fn network(&mut self, vm: &NamedVm) -> String {
        let mut clusters = self.lab.clusters.iter();
        let Some(network) = &vm.entry.network else {
            let name = vm.name.as_str();
            if let Some(owner) = clusters.find(|cluster| network_of(self.lab, cluster) == name) {
                let message = format!(
                    "the network of `{name}`, called like it, would be that of {}",
                    owner.name
                );
                let help = "give the machine another name, or say `network:`";
                self.problem("name", message, help);
            }
            return name.to_owned();
        };
        if !is_label(network) {
            let message = format!("`{network}` is not a legal name of a network");
            self.problem(
                "network",
                message,
                "use a-z, 0-9 and -, starting and ending with a letter or digit",
            );
        }
        let mut strangers = clusters.filter(|cluster| cluster.cell != Some(self.cell));
        if let Some(owner) = strangers.find(|other| network_of(self.lab, other) == network) {
            let message = format!(
                "`{network}` is the network of {}, which is not of this cell",
                owner.name
            );
            let help = "leave `network` out, or name that of a cluster of the cell whose pods the machine routes to";
            self.problem("network", message, help);
        }
        network.clone()
    }

    fn provider(&mut self, entry: &VmEntry, home: &Cluster) -> Provider {
        match (&entry.provider, &home.settings.provider) {
            (None, Provider::Multipass(theirs)) => Provider::Multipass(Multipass {
                image: theirs.image.clone(),
                cpus: 1,
                memory: "1G".to_owned(),
                disk: "5G".to_owned(),
            }),
            (None, _) => Provider::Existing(crate::core::blueprint::Existing {}),
            (Some(said), _) => {
                if !matches!(said, Provider::Multipass(_) | Provider::Existing(_)) {
                    let message = format!("{} makes clusters, not machines", said.name());
                    self.problem("provider", message, "use `multipass: {}` or `existing: {}`");
                }
                said.clone()
            }
        }
    }

    fn at(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem::at(Place::value(&self.lab.source, self.path.join(key)), message)
    }

    fn problem(&mut self, key: &str, message: String, help: &str) {
        self.problems.push(self.at(key, message).help(help));
    }
}

/// Whether a text is a name in Kubernetes' labels: a value, or a key without its domain.
fn is_label_text(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let bytes = text.as_bytes();
    bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().copied().all(inner)
}

fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((domain, name)) => is_domain(domain) && is_label_text(name),
        None => is_label_text(key),
    }
}

fn probe(said: Option<&ProbeEntry>, port: u16) -> Probe {
    let path = said.and_then(|probe| probe.path.clone());
    let seconds = |get: fn(&ProbeEntry) -> Option<u16>| said.and_then(get);
    Probe {
        tcp_socket: path.is_none().then_some(TcpSocket { port }),
        http_get: path.map(|path| HttpGet { path, port }),
        initial_delay_seconds: seconds(|probe| probe.initial_delay_seconds),
        timeout_seconds: seconds(|probe| probe.timeout_seconds),
        period_seconds: seconds(|probe| probe.period_seconds),
        success_threshold: seconds(|probe| probe.success_threshold),
        failure_threshold: seconds(|probe| probe.failure_threshold),
    }
}

fn locality(entry: &VmEntry, home: &Cluster) -> LocalitySettings {
    let theirs = home.settings.locality.clone();
    let Some(own) = entry.locality.clone() else {
        return theirs;
    };
    LocalitySettings {
        region: own.region.unwrap_or(theirs.region),
        zone: own.zone.unwrap_or(theirs.zone),
    }
}

/// Two machines with one address, or a machine with a cluster's.
fn addresses(lab: &Lab, vms: &[Vm]) -> Vec<Problem> {
    let parsed = |cluster: &Cluster| cluster.reach.address.parse().ok();
    let mut taken: BTreeMap<Ipv4Addr, (&str, Place)> = lab
        .clusters
        .iter()
        .filter_map(|cluster| Some((parsed(cluster)?, (cluster.name.as_str(), cluster.place.clone()))))
        .collect();
    let mut problems = Vec::new();
    for vm in vms {
        let Some(address) = vm.address else { continue };
        let place = place(&lab.source, vm, "address");
        if let Some((owner, there)) = taken.get(&address) {
            let message = format!("`{}` has the address of `{owner}`: {address}", vm.name);
            let problem = Problem::at(place, message).related(there.clone(), "the other");
            problems.push(problem.help("every machine has an address of its own"));
        } else {
            taken.insert(address, (vm.name.as_str(), place));
        }
    }
    problems
}
