//! Rules across clusters, checked before anything is placed or written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::stages;
use crate::core::blueprint::{
    Blueprint, Cni, Dataplane, Distribution, Git, LoadBalancer, NetworkMode, Profile, Provider, RegistryCache,
};
use crate::core::lab::{Cell, Cluster, Lab};
use crate::core::name::is_domain;
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Path, Place, Source};
use crate::path;

/// The largest cluster ID that Cilium allows in a mesh without fewer identities (`cluster.id`, 1 to 255).
const CILIUM_MAX_ID: u32 = 255;

/// Rules of single texts: domain, repository, registries.
pub(super) fn of_texts(blueprint: &Blueprint, source: &Arc<Source>) -> Problems {
    let texts = Texts {
        source,
        problems: Problems::default(),
    };
    let mut problems = texts.check(blueprint);
    problems.extend(stages::of_texts(&blueprint.spec, source));
    problems
}

struct Texts<'a> {
    source: &'a Arc<Source>,
    problems: Problems,
}

impl Texts<'_> {
    fn check(mut self, blueprint: &Blueprint) -> Problems {
        let spec = &blueprint.spec;
        if !is_domain(&spec.domain) || !spec.domain.contains('.') {
            self.push(
                path!["spec", "domain"],
                format!("`{}` is not a DNS domain", spec.domain),
                "write two or more labels of a-z, 0-9 and -, for example demo.lab",
            );
        } else if spec.domain.ends_with(".local") {
            self.push(
                path!["spec", "domain"],
                format!("`{}` clashes with the clusters' own domains", spec.domain),
                "`.local` belongs to cells (`<cell>.local`); use another ending, for example .lab; gateways may serve `.local` names that `hosts` declares",
            );
        }
        self.hosts(blueprint);
        self.git(blueprint);
        self.registries(blueprint);
        self.addresses(blueprint);
        if spec.pki.intermediate_years > spec.pki.root_years {
            self.push(
                path!["spec", "pki", "intermediateYears"],
                "an intermediate cannot outlive its root".to_owned(),
                "lower `intermediateYears` or raise `rootYears`",
            );
        }
        self.problems
    }

    /// Names that gateways serve beside those of the domain: not those of the clusters, which their own DNS answers.
    fn hosts(&mut self, blueprint: &Blueprint) {
        for (i, host) in blueprint.spec.hosts.iter().enumerate() {
            let path = path!["spec", "hosts", i];
            let owner = owner_of(host, blueprint);
            if !is_domain(host) || !host.contains('.') {
                let help = "write a DNS name of two or more labels, for example shop.example";
                self.push(path, format!("`{host}` is not a DNS name"), help);
            } else if let Some(domain) = owner {
                let help = "use a name that no cluster answers, or another name for the cell";
                self.push(
                    path,
                    format!("`{host}` lies in the clusters' own domain `{domain}`"),
                    help,
                );
            }
        }
    }

    /// How other clusters reach the manager and the clusters that are listed.
    fn addresses(&mut self, blueprint: &Blueprint) {
        let manager = &blueprint.spec.manager;
        self.reach(
            &path!["spec", "manager"],
            manager.address.as_deref(),
            manager.api_server.as_deref(),
        );
        for (i, cell) in blueprint.spec.cells.iter().enumerate() {
            for (j, cluster) in cell.clusters.iter().flatten().enumerate() {
                let path = path!["spec", "cells", i, "clusters", j];
                self.reach(&path, cluster.address.as_deref(), cluster.api_server.as_deref());
            }
        }
    }

    fn reach(&mut self, path: &Path, address: Option<&str>, api_server: Option<&str>) {
        if let Some(text) = address.filter(|text| !is_domain(text)) {
            let help = "write a DNS name or an IPv4 address, without port or scheme";
            self.push(path.join("address"), format!("`{text}` is not an address"), help);
        }
        let is_url = |text: &str| {
            text.strip_prefix("https://")
                .is_some_and(|rest| !rest.is_empty() && !rest.contains(['@', ' ']))
        };
        if let Some(text) = api_server.filter(|text| !is_url(text)) {
            let help = "write https://<host>:<port>, without credentials";
            self.push(
                path.join("apiServer"),
                format!("`{text}` is not the URL of an API server"),
                help,
            );
        }
    }

    fn git(&mut self, blueprint: &Blueprint) {
        let git = &blueprint.spec.git;
        if let Some(url) = &git.repo_url {
            self.repository(url);
        }
        self.source_of_repository(git);
        if let Some(path) = &git.path
            && (path.is_empty()
                || path.starts_with('/')
                || path.ends_with('/')
                || path.split('/').any(|part| matches!(part, "" | "." | "..")))
        {
            self.push(
                path!["spec", "git", "path"],
                format!("`{path}` is not a folder of the repository"),
                "write it relative to the repository's root, for example out/meshlab",
            );
        }
        if git.revision.is_empty() {
            self.push(
                path!["spec", "git", "revision"],
                "the revision is empty".to_owned(),
                "write a branch, tag or commit",
            );
        }
    }

    /// The address of a repository.
    fn repository(&mut self, url: &str) {
        if holds_password(url) {
            // No frame: it would show the password, and messages end up in logs.
            let message = format!("{}: `spec.git.repoURL` holds a password", self.source.name);
            let help = "remove it: credentials reach Argo CD at run time, never through Git";
            self.problems.push(Problem::new(message).help(help));
            return;
        }
        let known = ["https://", "http://", "ssh://", "git://", "git@", "file://"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) || url.contains(char::is_whitespace) {
            self.push(
                path!["spec", "git", "repoURL"],
                format!("`{url}` is not a Git repository that Argo CD can read"),
                "write https://…, ssh://… or git@host:path",
            );
        }
    }

    /// A repository is somewhere, or served from here; never both.
    fn source_of_repository(&mut self, git: &Git) {
        match (&git.repo_url, git.serve) {
            (Some(_), true) => self.push(
                path!["spec", "git", "serve"],
                "two places for one repository: `repoURL`, and `serve`".to_owned(),
                "remove `repoURL`: where the repository is served is known",
            ),
            (None, false) => self.push(
                path!["spec", "git"],
                "nobody knows where the repository is".to_owned(),
                "add `repoURL: https://…`, or `serve: true` to serve this repository to the lab's machines",
            ),
            _ => {}
        }
    }

    /// Virtual machines that each pull every image themselves are slow, and soon refused by docker.io: so it is said, not forgotten.
    fn machines_without_registries(&mut self, blueprint: &Blueprint) {
        if let Some(Provider::Multipass(_)) = blueprint.spec.settings.provider {
            self.push(
                path!["spec", "settings", "provider"],
                "virtual machines, but no `registries` to pull images through".to_owned(),
                "add `registries: {docker.io: 5011}` or `registryCache: {zot: {}}` to `spec`, or `registries: {}` to let each machine pull from the Internet",
            );
        }
    }

    /// Names as the image's own: the nodes ask the cache for `docker.io/library/…`.
    fn registry_cache(&mut self, cache: &RegistryCache) {
        let RegistryCache::Zot(zot) = cache;
        let mut seen = BTreeSet::new();
        for (i, host) in zot.registries.iter().enumerate() {
            let path = path!["spec", "registryCache", "zot", "registries", i];
            if !is_domain(host) || !host.contains('.') {
                self.push(
                    path,
                    format!("`{host}` is not the name of a registry"),
                    "a registry's name is a DNS name with a dot, for example docker.io",
                );
            } else if !seen.insert(host) {
                self.push(path, format!("`{host}` is listed twice"), "remove one of them");
            }
        }
    }

    /// Names as k3s reads them: a name without dot or colon would mean docker.io.
    fn registries(&mut self, blueprint: &Blueprint) {
        match (&blueprint.spec.registry_cache, &blueprint.spec.registries) {
            (Some(_), Some(registries)) if !registries.is_empty() => {
                self.push(
                    path!["spec", "registries"],
                    "images come through `registryCache` or through `registries`, not both".to_owned(),
                    "remove one of them",
                );
                return;
            }
            (Some(cache), _) => return self.registry_cache(cache),
            (None, _) => {}
        }
        let Some(registries) = &blueprint.spec.registries else {
            return self.machines_without_registries(blueprint);
        };
        let mut ports: BTreeMap<u16, &str> = BTreeMap::new();
        for (host, port) in registries {
            let path = path!["spec", "registries", host];
            if !host.contains(['.', ':']) {
                self.push(
                    path.clone(),
                    format!("`{host}` is not the name of a registry"),
                    "a registry's name has a dot or a port, for example docker.io",
                );
            }
            if *port == 0 {
                self.push(
                    path.clone(),
                    "port 0 is no port".to_owned(),
                    "write a port from 1 to 65535",
                );
            }
            if let Some(other) = ports.insert(*port, host) {
                self.push(
                    path,
                    format!("`{host}` and `{other}` have one port: {port}"),
                    "each registry is a server of its own: give it its own port",
                );
            }
        }
    }

    fn push(&mut self, path: Path, message: String, help: &str) {
        self.problems
            .push(Problem::at(Place::value(self.source, path), message).help(help));
    }
}

/// The domain of clusters (`<cell>.local`, the manager's `cluster.local`) that a name belongs to.
fn owner_of(host: &str, blueprint: &Blueprint) -> Option<String> {
    let fleets = blueprint.spec.cells.iter().flat_map(|cell| match cell.cells {
        None => vec![cell.name.clone()],
        Some(count) => (1..=count).map(|i| format!("{}-{i}", cell.name)).collect(),
    });
    let own = blueprint.spec.manager.cell.clone();
    let mut domains = fleets
        .chain(own)
        .chain(["cluster".to_owned()])
        .map(|name| format!("{name}.local"));
    domains.find(|domain| {
        host.strip_suffix(domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether an address is `scheme://user:password@host…`. What follows the last `@` may be a port.
fn holds_password(url: &str) -> bool {
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    let user = authority.and_then(|authority| authority.rsplit_once('@'));
    user.is_some_and(|(user, _)| user.contains(':'))
}

/// Rules of addresses and numbers, within what can reach each other.
pub(super) fn of_topology(lab: &Lab) -> Problems {
    let mut problems = Problems::default();
    problems.extend(overlaps(std::iter::once(lab.manager()).flat_map(networks)));
    problems.extend(overlaps(lab.clusters.iter().filter_map(load_balancers)));
    problems.extend(unreachable(lab));
    problems.extend(unserved(lab));
    problems.extend(lab.clusters.iter().filter_map(misfit));
    problems.extend(lab.clusters.iter().flat_map(|cluster| foreign(lab, cluster)));
    problems.extend(lab.clusters.iter().filter_map(without_pool));
    problems.extend(
        lab.clusters
            .iter()
            .filter(|one| one.has_mesh())
            .filter_map(half_ambient),
    );
    for cell in &lab.cells {
        let others = lab.clusters_of(cell).filter(|cluster| !cluster.is_manager());
        problems.extend(overlaps(others.chain([lab.manager()]).flat_map(networks)));
        problems.extend(cilium_ids(lab.clusters_of(cell)));
        problems.extend(networks_of_cell(lab, cell));
    }
    problems
}

/// Clusters that the lab's machines are not are in nobody's /etc/hosts: whoever others must reach has a declared address. The manager
/// reaches the nodes of minikube, and each is started with the address that it is to have.
fn unreachable(lab: &Lab) -> Vec<Problem> {
    let open = lab.clusters.iter().filter(|cluster| !cluster.reach.declared);
    let needed = open.filter_map(|cluster| match cluster.settings.provider {
        // Names that every machine, or Docker's DNS, resolves.
        Provider::Multipass(_) | Provider::Kind(_) => None,
        Provider::Existing(_) => lab
            .peers(cluster)
            .next()
            .map(|_| (cluster, "the other clusters of its cell")),
        Provider::Minikube(_) => Some((cluster, "the manager")),
    });
    needed
        .map(|(cluster, who)| {
            let message = format!("{who} cannot reach {}: it has no address", cluster.name);
            let help =
                "add `address:` (a DNS name or IPv4 address), and `apiServer:` if that is not https://<address>:6443";
            Problem::at(cluster.place.clone(), message).help(help)
        })
        .collect()
}

/// Clusters of a cell are one Istio network or several, and somebody routes between the pods of one.
fn networks_of_cell(lab: &Lab, cell: &Cell) -> Vec<Problem> {
    let mode = |cluster: &Cluster| cluster.settings.network.mode;
    let single: Vec<&Cluster> = lab
        .clusters_of(cell)
        .filter(|cluster| mode(cluster) == NetworkMode::Single)
        .collect();
    if single.is_empty() || cell.clusters.len() == 1 {
        return Vec::new();
    }
    if single.len() < cell.clusters.len() {
        let message = format!(
            "some clusters of the cell {} are one Istio network, others are not",
            cell.name
        );
        let help = "give all clusters of a cell one `network: {mode: …}`";
        return vec![Problem::at(single[0].place.clone(), message).help(help)];
    }
    let apart = single.into_iter().filter(|cluster| !has_routes(cluster));
    apart
        .map(|cluster| {
            let message = format!(
                "{} is to be one Istio network with its siblings, but nobody routes between their pods",
                cluster.name
            );
            let help = "let Cilium do it (`network: {cni: cilium, clusterMesh: true}`), use kind with kindnet, or set `mode: multi`";
            Problem::at(cluster.place.clone(), message).help(help)
        })
        .collect()
}

/// Whether pods of a cluster reach those of its siblings: as its owner says of a cluster that exists already, through Cilium's
/// `ClusterMesh`, or by the routes of the component `sibling-routes`.
fn has_routes(cluster: &Cluster) -> bool {
    let network = &cluster.settings.network;
    match (&cluster.settings.provider, network.cni) {
        (Provider::Existing(_), _) | (Provider::Kind(_), Cni::Kindnet) => true,
        (_, Cni::Cilium) => network.cluster_mesh,
        (_, Cni::Calico | Cni::Kindnet) => false,
    }
}

/// Machines find the served repository by a name that was known when the tree was rendered. Not all have one for the host.
fn unserved(lab: &Lab) -> Option<Problem> {
    let manager = lab.manager();
    if !lab.git.serve || lab.git.is_served_to(&manager.settings.provider) {
        return None;
    }
    let message = format!(
        "the repository cannot be served to {}: it has no stable name for this host",
        manager.name
    );
    let help = "machines of Multipass have one; for others push the repository somewhere, and name it: `git: {repoURL: https://…}`";
    Some(Problem::at(Place::value(&lab.source, path!["spec", "git", "serve"]), message).help(help))
}

/// A provider makes the distributions that it can.
fn misfit(cluster: &Cluster) -> Option<Problem> {
    let distribution = cluster.settings.kubernetes.distribution;
    let (what, help) = match (&cluster.settings.provider, distribution) {
        (Provider::Multipass(_), Distribution::Provider) => (
            "Multipass makes machines, not Kubernetes",
            "set `kubernetes: {distribution: k3s}` or `microk8s`",
        ),
        (Provider::Minikube(_), Distribution::K3s | Distribution::Microk8s) => (
            "minikube brings its own Kubernetes",
            "set `kubernetes: {distribution: provider}`, or leave it out",
        ),
        (Provider::Kind(_), Distribution::K3s | Distribution::Microk8s) => (
            "kind brings its own Kubernetes",
            "set `kubernetes: {distribution: provider}`, or leave it out",
        ),
        _ => return None,
    };
    Some(Problem::at(cluster.place.clone(), format!("{}: {what}", cluster.name)).help(help))
}

/// What belongs to one provider or CNI does nothing for another.
fn foreign(lab: &Lab, cluster: &Cluster) -> Vec<Problem> {
    let settings = &cluster.settings;
    let is_kind = matches!(settings.provider, Provider::Kind(_));
    let rules = [
        (
            settings.network.cluster_mesh && settings.network.cni != Cni::Cilium,
            "`clusterMesh` is Cilium's",
            "set `network: {cni: cilium}`, or leave `clusterMesh` out",
        ),
        (
            settings.network.load_balancer == LoadBalancer::CloudProviderKind && !is_kind,
            "cloud-provider-kind serves kind's clusters alone",
            "set `network: {loadBalancer: …}` to what this cluster can have",
        ),
        (
            is_kind && !lab.registries.is_empty(),
            "kind's nodes are containers: they do not reach `registries` on the host by a stable name",
            "replace `registries` by `registryCache: {zot: {}}`, which is in their network",
        ),
    ];
    let broken = rules.into_iter().filter(|(broken, ..)| *broken);
    broken
        .map(|(_, what, help)| Problem::at(cluster.place.clone(), format!("{}: {what}", cluster.name)).help(help))
        .collect()
}

/// The profile `ambient` is the dataplane of that name.
fn half_ambient(cluster: &Cluster) -> Option<Problem> {
    let istio = &cluster.settings.istio;
    (istio.profile == Profile::Ambient && istio.dataplane != Dataplane::Ambient).then(|| {
        let message = format!(
            "{}: the profile `ambient` without the dataplane `ambient`",
            cluster.name
        );
        let help = "remove `dataplane`, which the profile sets, or choose another profile";
        Problem::at(cluster.place.clone(), message).help(help)
    })
}

/// MetalLB hands out what it is given.
fn without_pool(cluster: &Cluster) -> Option<Problem> {
    let wanted = cluster.settings.network.load_balancer == LoadBalancer::Metallb;
    (wanted && cluster.load_balancers.is_none()).then(|| {
        let message = format!("MetalLB on {} has no addresses to hand out", cluster.name);
        let help = "declare them: `addresses: {loadBalancers: {first: 192.168.64.224/28, perCell: 1}}`, in the network of the nodes and outside of DHCP";
        Problem::at(cluster.place.clone(), message).help(help)
    })
}

/// A network, what it is for, and whose it is.
type Owned<'a> = (Ipv4Net, &'static str, &'a Cluster);

fn networks(cluster: &Cluster) -> [Owned<'_>; 2] {
    [
        (cluster.pod_cidr, "pod", cluster),
        (cluster.service_cidr, "service", cluster),
    ]
}

fn load_balancers(cluster: &Cluster) -> Option<Owned<'_>> {
    Some((cluster.load_balancers?, "load-balancer", cluster))
}

/// Networks of clusters that can reach each other must be disjoint.
fn overlaps<'a>(networks: impl Iterator<Item = Owned<'a>>) -> Vec<Problem> {
    let mut nets: Vec<Owned<'_>> = networks.collect();
    nets.sort_by_key(|(net, kind, cluster)| (net.network(), net.prefix_len(), cluster.name.clone(), *kind));
    // Networks nest or are disjoint, so it is enough to remember the last one that encloses what follows.
    let mut problems = Vec::new();
    let mut enclosing: Option<(Ipv4Net, &str, &Cluster)> = None;
    for (net, kind, cluster) in nets {
        match enclosing {
            Some((outer, outer_kind, owner)) if outer.contains(&net) => {
                let message = format!(
                    "{kind} addresses {net} of {} overlap {outer_kind} addresses {outer} of {}",
                    cluster.name, owner.name
                );
                let help = "clusters that can reach each other need networks of their own: change `addresses`, or an explicit CIDR";
                problems.push(
                    Problem::at(cluster.place.clone(), message)
                        .related(owner.place.clone(), "the other")
                        .help(help),
                );
            }
            _ => enclosing = Some((net, kind, cluster)),
        }
    }
    problems
}

fn cilium_ids<'a>(clusters: impl Iterator<Item = &'a Cluster>) -> Vec<Problem> {
    let too_high = clusters.filter(|cluster| cluster.settings.network.cni == Cni::Cilium && cluster.id > CILIUM_MAX_ID);
    too_high
        .map(|cluster| {
            let message = format!(
                "{} is number {} of its cell; Cilium knows cluster IDs 1 to {CILIUM_MAX_ID}",
                cluster.name, cluster.id
            );
            Problem::at(cluster.place.clone(), message).help("spread the clusters over more cells")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_password() {
        for url in [
            "ssh://git@example.org:22/lab.git",
            "git@example.org:lab.git",
            "https://example.org:8443/a@b:c.git",
        ] {
            assert!(!holds_password(url), "{url}");
        }
        for url in [
            "https://me:secret@example.org/lab.git",
            "https://me:p@ss@example.org:8443/lab.git",
        ] {
            assert!(holds_password(url), "{url}");
        }
    }
}
