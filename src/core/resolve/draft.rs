//! A lab with its clusters, before anything is placed on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::addresses::{Blocks, Blockwise};
use super::allocation::{Allocations, CellAllocation};
use super::settings::Layers;
use super::topology::{NamedCell, NamedVm, Topology};
use super::{rules, vms};
use crate::core::blueprint::{Blueprint, Distribution, LoadBalancer, Provider};
use crate::core::catalog::IstioVersions;
use crate::core::lab::{Cell, Cluster, ClusterSettings, GitSource, Lab, MANAGER_CELL, Reach};
use crate::core::name::{CellName, ClusterName};
use crate::core::problem::Problems;
use crate::core::source::{Path, Place, Source};
use crate::path;

/// The lab without instances.
///
/// # Errors
/// Everything that is wrong with addresses, overrides and other texts of the blueprint.
pub(super) fn draft(
    blueprint: &Blueprint,
    source: &Arc<Source>,
    topology: Topology,
    numbers: &Allocations,
    versions: &IstioVersions,
) -> Result<Lab, Problems> {
    let mut problems: Problems = rules::of_texts(blueprint, source);
    let layers = problems.take(Layers::new(&blueprint.spec, source, &topology.targets(), versions));
    let blocks = problems.take(Blocks::new(&blueprint.spec.addresses, source));
    let (Some(layers), Some(blocks)) = (layers, blocks) else {
        return Err(problems);
    };
    let mut draft = Draft {
        source,
        domain: &blueprint.spec.domain,
        layers,
        blocks,
        clusters: Vec::new(),
        cells: Vec::new(),
        vms: Vec::new(),
        problems,
    };
    let spec = &blueprint.spec;
    let pods = draft.blocks.pods.of_manager(spec.manager.pod_cidr.as_deref());
    let services = draft.blocks.services.of_manager(spec.manager.service_cidr.as_deref());
    let own = topology.manager_cell.clone();
    draft.cells.extend(own.clone().map(cell_of_manager));
    let who = Who {
        name: topology.manager.clone(),
        cell: own.as_ref().map(|_| 0),
        id: 1,
        active: true,
        address: spec.manager.address.clone(),
        api_server: spec.manager.api_server.clone(),
        path: path!["spec", "manager", "name"],
    };
    let pool = draft.blocks.load_balancers.as_ref();
    let load_balancers = pool.map(|pool| pool.of_manager(None));
    draft.cluster(
        who,
        own.as_ref().map_or(MANAGER_CELL, CellName::as_str),
        Networks {
            pods,
            services,
            load_balancers,
        },
    );
    for cell in topology.cells {
        let numbers = &numbers.cells[cell.name.as_str()];
        draft.cell(cell, numbers);
    }
    let Some(manager) = draft.clusters.first() else {
        return Err(draft.problems);
    };
    let served = || GitSource::served(&topology.lab, &spec.domain, &manager.settings.provider);
    let git = GitSource {
        repo_url: spec.git.repo_url.clone().unwrap_or_else(served),
        revision: spec.git.revision.clone(),
        path: spec.git.path.clone().unwrap_or_else(|| format!("out/{}", topology.lab)),
        serve: spec.git.serve,
    };
    let mut lab = Lab {
        name: topology.lab,
        source: Arc::clone(source),
        domain: spec.domain.clone(),
        git,
        argo: spec.argo.clone(),
        pki: spec.pki.clone(),
        secrets: spec.secrets.clone(),
        hosts: spec.hosts.clone(),
        stages: spec.stages.clone(),
        allow: spec
            .allow
            .iter()
            .map(|one| (one.code.clone(), one.reason.clone()))
            .collect(),
        registries: spec.registries.clone().unwrap_or_default(),
        registry_cache: spec.registry_cache.clone(),
        cells: draft.cells,
        clusters: draft.clusters,
        vms: Vec::new(),
    };
    let mut problems = draft.problems;
    if problems.is_empty() {
        problems.extend(rules::of_topology(&lab));
        lab.vms = problems.take(vms::draft(&lab, draft.vms)).unwrap_or_default();
    }
    problems.or(lab)
}

/// The cell of which the manager is the only cluster. Its addresses are the first of the pools, as those of any manager.
fn cell_of_manager(name: CellName) -> Cell {
    Cell {
        name,
        slot: 0,
        clusters: vec![0],
        fleet: None,
    }
}

struct Draft<'a> {
    source: &'a Arc<Source>,
    domain: &'a str,
    layers: Layers<'a>,
    blocks: Blocks<'a>,
    clusters: Vec<Cluster>,
    cells: Vec<Cell>,
    /// With the index of their cell.
    vms: Vec<(usize, NamedVm)>,
    problems: Problems,
}

/// Who a cluster is, before its addresses and settings are known.
struct Who {
    name: ClusterName,
    cell: Option<usize>,
    id: u32,
    active: bool,
    address: Option<String>,
    api_server: Option<String>,
    path: Path,
}

/// The addresses of a cluster, as far as they are right.
struct Networks {
    pods: Result<Ipv4Net, Problems>,
    services: Result<Ipv4Net, Problems>,
    load_balancers: Option<Result<Ipv4Net, Problems>>,
}

impl Draft<'_> {
    fn cell(&mut self, cell: NamedCell, numbers: &CellAllocation) {
        let first = self.clusters.len();
        self.vms.extend(cell.vms.into_iter().map(|vm| (self.cells.len(), vm)));
        for cluster in cell.clusters {
            let id = numbers.clusters[cluster.name.as_str()];
            let of = |blocks: &Blockwise<'_>, explicit: &Option<String>| {
                blocks.of(explicit.as_deref(), numbers.slot, id, &cluster.path)
            };
            let pods = of(&self.blocks.pods, &cluster.pod_cidr);
            let services = of(&self.blocks.services, &cluster.service_cidr);
            let load_balancers = self.blocks.load_balancers.as_ref().map(|pool| of(pool, &None));
            let who = Who {
                path: cluster.path.join("name"),
                name: cluster.name,
                cell: Some(self.cells.len()),
                id,
                active: cluster.active,
                address: cluster.address,
                api_server: cluster.api_server,
            };
            let networks = Networks {
                pods,
                services,
                load_balancers,
            };
            self.cluster(who, cell.name.as_str(), networks);
        }
        let clusters = (first..self.clusters.len()).collect();
        self.cells.push(Cell {
            name: cell.name,
            slot: numbers.slot,
            clusters,
            fleet: cell.fleet,
        });
    }

    fn cluster(&mut self, who: Who, cell: &str, networks: Networks) {
        let settings = self.layers.of(who.name.as_str(), cell);
        let has_pool = settings.network.load_balancer == LoadBalancer::Metallb;
        let pool = networks.load_balancers.filter(|_| has_pool).transpose();
        let (pods, services) = (self.problems.take(networks.pods), self.problems.take(networks.services));
        let (Some(pod_cidr), Some(service_cidr), Some(load_balancers)) = (pods, services, self.problems.take(pool))
        else {
            return;
        };
        let fqdn = format!("{}.{}", who.name, self.domain);
        let reach = reach(&who, &fqdn, &settings);
        self.clusters.push(Cluster {
            index: self.clusters.len(),
            settings,
            name: who.name,
            cell: who.cell,
            id: who.id,
            fqdn,
            active: who.active,
            reach,
            pod_cidr,
            service_cidr,
            load_balancers,
            instances: BTreeMap::new(),
            later: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            place: Place::value(self.source, who.path),
        });
    }
}

/// What the blueprint declares, or the stable name that the lab's machines resolve. Docker's DNS knows the nodes of kind by the names that
/// kind gives their containers (`<cluster>-control-plane`), and so do the certificates of their API servers.
fn reach(who: &Who, fqdn: &str, settings: &ClusterSettings) -> Reach {
    let stable = || match settings.provider {
        Provider::Kind(_) => format!("{}-control-plane", who.name),
        Provider::Multipass(_) | Provider::Minikube(_) | Provider::Existing(_) => fqdn.to_owned(),
    };
    let address = who.address.clone().unwrap_or_else(stable);
    let port = api_port(settings);
    Reach {
        api_server: who
            .api_server
            .clone()
            .unwrap_or_else(|| format!("https://{address}:{port}")),
        declared: who.address.is_some(),
        address,
    }
}

/// The port of the API server: kubeadm's, which k3s and kind keep, or another of the distribution's own.
fn api_port(settings: &ClusterSettings) -> u16 {
    match (settings.kubernetes.distribution, &settings.provider) {
        (Distribution::K3s, _) | (Distribution::Provider, Provider::Kind(_)) => 6443,
        (Distribution::Microk8s, _) => 16443,
        (Distribution::Provider, _) => 8443,
    }
}
