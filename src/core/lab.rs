//! What a blueprint means: the lab, with every name, address and setting decided.

mod vm;

pub use vm::{Delivery, FILES, HttpGet, Joinable, ONBOARD, Probe, TOKEN, TOKEN_AUDIENCE, TcpSocket, Vm};

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::blueprint::{
    Argo, Cni, Dataplane, Distribution, LoadBalancer, NetworkMode, Pki, Profile, Provider, RegistryCache, Secrets,
};
use super::catalog::Component;
use super::manifest::Digest;
use super::name::{CellName, ClusterName, InstanceName, LabName, Namespace, ReleaseName};
use super::source::{Path, Place, Source};
use super::value::Map;

/// The label of the manager where other clusters have their cell's.
pub const MANAGER_CELL: &str = "manager";

/// A lab: the manager, its cells, and what runs where.
#[derive(Debug)]
pub struct Lab {
    /// Its name.
    pub name: LabName,
    /// The blueprint.
    pub source: Arc<Source>,
    /// DNS domain of machines and published services.
    pub domain: String,
    /// Where Argo CD reads the tree.
    pub git: GitSource,
    /// How Applications are synced.
    pub argo: Argo,
    /// Who signs certificates.
    pub pki: Pki,
    /// How secrets are kept.
    pub secrets: Secrets,
    /// Names outside of the domain that gateways serve too.
    pub hosts: Vec<String>,
    /// Steps of adoption, first to last; empty if there are none.
    pub stages: Vec<String>,
    /// Pull-through registries on the host, in the blueprint's order.
    pub registries: IndexMap<String, u16>,
    /// Limits of upstream that are accepted: code to reason.
    pub allow: BTreeMap<String, String>,
    /// Or one pull-through cache for several of them.
    pub registry_cache: Option<RegistryCache>,
    /// Cells in the blueprint's order.
    pub cells: Vec<Cell>,
    /// All clusters: the manager first, then by cell in the blueprint's order.
    pub clusters: Vec<Cluster>,
    /// Machines outside of Kubernetes, in the blueprint's order.
    pub vms: Vec<Vm>,
}

impl Lab {
    /// Whether a name lies below the lab's domain, where its machines resolve it.
    pub fn is_below_domain(&self, host: &str) -> bool {
        host.strip_suffix(self.domain.as_str())
            .is_some_and(|rest| rest.ends_with('.'))
    }

    /// The container of the pull-through cache, and its name in Docker's network.
    pub fn registry_cache_name(&self) -> String {
        format!("{}-registry", self.name)
    }

    /// The cluster that runs Argo CD.
    pub fn manager(&self) -> &Cluster {
        &self.clusters[0]
    }

    /// Clusters whose Applications are generated.
    pub fn active(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter().filter(|cluster| cluster.active)
    }

    /// The cell of a cluster; none for a manager without a mesh.
    pub fn cell_of(&self, cluster: &Cluster) -> Option<&Cell> {
        cluster.cell.map(|index| &self.cells[index])
    }

    /// The clusters of a cell.
    pub fn clusters_of<'a>(&'a self, cell: &'a Cell) -> impl Iterator<Item = &'a Cluster> {
        cell.clusters.iter().map(|index| &self.clusters[*index])
    }

    /// The machines that ask a cluster's istiod.
    pub fn vms_of<'a>(&'a self, cluster: &'a Cluster) -> impl Iterator<Item = &'a Vm> {
        self.vms.iter().filter(|vm| vm.cluster == cluster.index)
    }

    /// The clusters that serve a `.global` name.
    pub fn servers(&self, host: &str) -> impl Iterator<Item = &Cluster> {
        self.active().filter(move |cluster| {
            let mut exports = cluster.instances.values().flat_map(|instance| &instance.exports);
            exports.any(|export| export == host)
        })
    }

    /// The other clusters of a cluster's cell that it counts on. One that is decommissioned keeps its files, hence sees all as before.
    pub fn peers<'a>(&'a self, cluster: &'a Cluster) -> impl Iterator<Item = &'a Cluster> {
        let others = self
            .cell_of(cluster)
            .into_iter()
            .flat_map(|cell| self.clusters_of(cell));
        others.filter(|other| other.name != cluster.name && (other.active || !cluster.active))
    }

    /// The name of the stage at an index; empty if there is none.
    pub fn stage_name(&self, stage: Option<usize>) -> &str {
        stage
            .and_then(|stage| self.stages.get(stage))
            .map_or("", String::as_str)
    }

    /// The DNS domain of a cluster's services: its cell's trust domain.
    pub fn cluster_domain(&self, cluster: &Cluster) -> String {
        self.cell_of(cluster)
            .map_or_else(|| "cluster.local".to_owned(), Cell::trust_domain)
    }

    /// The name of a cluster's cell, `manager` for a manager without a mesh.
    pub fn cell_label(&self, cluster: &Cluster) -> &str {
        self.cell_of(cluster).map_or(MANAGER_CELL, |cell| cell.name.as_str())
    }
}

/// Where Argo CD reads the tree.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GitSource {
    /// Repository.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// Folder of the tree.
    pub path: String,
    /// Whether the runner serves the repository.
    pub serve: bool,
}

impl GitSource {
    /// Whether a manager of this provider knows the host by a stable name: machines of Multipass do, from their cloud-init, and nodes of
    /// kind know the containers of their network.
    pub fn is_served_to(&self, provider: &Provider) -> bool {
        ["multipass", "kind"].contains(&provider.name())
    }

    /// Where a manager of this provider finds the repository that the runner serves.
    pub fn served(lab: &LabName, domain: &str, provider: &Provider) -> String {
        match provider.name() {
            "kind" => format!("git://{lab}-git/{lab}.git"),
            _ => format!("git://host.{domain}/{lab}.git"),
        }
    }
}

/// A unit of isolation.
#[derive(Debug)]
pub struct Cell {
    /// Its name; also its mesh ID.
    pub name: CellName,
    /// Its number, from 1; decides its address blocks. 0: the manager's own.
    pub slot: u32,
    /// Its clusters, as indices into [`Lab::clusters`], in the blueprint's order.
    pub clusters: Vec<usize>,
    /// For a cell of a fleet: the pattern that matches all its clusters, for example `cell-*`.
    pub fleet: Option<String>,
}

impl Cell {
    /// SPIFFE trust domain and cluster DNS domain.
    pub fn trust_domain(&self) -> String {
        format!("{}.local", self.name)
    }
}

/// A Kubernetes cluster.
#[derive(Debug)]
pub struct Cluster {
    /// Its index in [`Lab::clusters`].
    pub index: usize,
    /// Its name.
    pub name: ClusterName,
    /// Index of its cell in [`Lab::cells`]; none for a manager without a mesh.
    pub cell: Option<usize>,
    /// Its number in the cell, from 1.
    pub id: u32,
    /// `<name>.<domain>`.
    pub fqdn: String,
    /// False: decommissioned; its files stay but for `apps/`, and nobody counts on it.
    pub active: bool,
    /// How other clusters reach it.
    pub reach: Reach,
    /// Pod addresses.
    pub pod_cidr: Ipv4Net,
    /// Service addresses.
    pub service_cidr: Ipv4Net,
    /// Load-balancer addresses, if MetalLB hands them out.
    pub load_balancers: Option<Ipv4Net>,
    /// Its settings, shared with every cluster that has the same.
    pub settings: Arc<ClusterSettings>,
    /// What runs on it, by name.
    pub instances: BTreeMap<InstanceName, Instance>,
    /// What later stages will add. Nothing of it is rendered; its secrets are in the lock already, so that a stage needs no keys.
    pub later: BTreeMap<InstanceName, Instance>,
    /// Namespaces of its instances with the labels that they ask for.
    pub namespaces: BTreeMap<Namespace, Map>,
    /// Where the blueprint declares it.
    pub place: Place,
}

impl Cluster {
    /// Whether it runs Argo CD.
    pub fn is_manager(&self) -> bool {
        self.index == 0
    }

    /// Whether it runs a mesh: every cluster of a cell does.
    pub fn has_mesh(&self) -> bool {
        self.cell.is_some()
    }

    /// The address of the cluster's DNS service: the tenth of its service addresses.
    pub fn dns(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.service_cidr.network()) + 10)
    }

    /// The service address that is set aside for the name server of the lab's domain: the fifty-third, in the part of the CIDR from which
    /// Kubernetes hands out none by itself while others are free (`ServiceIPStaticSubrange`).
    pub fn name_server(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.service_cidr.network()) + 53)
    }

    /// Where what it publishes is reached: its first load-balancer address after the network's own, else how other clusters reach it. With
    /// cloud-provider-kind it is the name that leads to whoever serves port 443.
    pub fn entrance(&self) -> String {
        match self.load_balancers {
            Some(block) => Ipv4Addr::from(u32::from(block.network()) + 1).to_string(),
            None if self.has_containers_for_services() => self.fqdn.clone(),
            None => self.reach.address.clone(),
        }
    }

    /// Whether each of its Services of type LoadBalancer is served by a container of its own.
    pub fn has_containers_for_services(&self) -> bool {
        self.settings.network.load_balancer == LoadBalancer::CloudProviderKind
    }

    /// Names that its north-south gateways serve.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.instances
            .values()
            .flat_map(|instance| &instance.hosts)
            .map(String::as_str)
    }

    /// `.global` names of other cells that it makes known.
    pub fn imports(&self) -> impl Iterator<Item = &Import> {
        self.instances.values().flat_map(|instance| &instance.imports)
    }

    /// Its instances that Argo CD syncs.
    pub fn applications(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|instance| instance.is_application())
    }
}

/// How other clusters reach a cluster.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// DNS name or IPv4 address of what it publishes.
    pub address: String,
    /// URL of its API server.
    pub api_server: String,
    /// Whether the blueprint declares the address; otherwise it is the stable name that machines resolve.
    #[serde(skip)]
    pub declared: bool,
}

/// Settings of a cluster with nothing left open.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSettings {
    /// Where it runs.
    pub provider: Provider,
    /// Which Kubernetes it is.
    pub kubernetes: KubernetesSettings,
    /// How pods, services and clusters reach each other.
    pub network: NetworkSettings,
    /// Which Istio it runs.
    pub istio: IstioSettings,
    /// How far along the lab's stages it is; empty if the lab has none.
    pub stage: String,
    /// Where its nodes are.
    pub locality: LocalitySettings,
    /// What the blueprint says of component instances.
    #[serde(skip)]
    pub components: BTreeMap<InstanceName, Choice>,
}

/// Which Kubernetes a cluster is.
#[derive(Debug, Clone, Serialize)]
pub struct KubernetesSettings {
    /// Who packages it.
    pub distribution: Distribution,
    /// Its release.
    pub version: String,
}

/// How pods, services and clusters reach each other.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSettings {
    /// One Istio network per cluster, or one per cell.
    pub mode: NetworkMode,
    /// Who connects pods.
    pub cni: Cni,
    /// Whether Cilium connects the clusters of a cell.
    pub cluster_mesh: bool,
    /// Who serves Services of type LoadBalancer.
    pub load_balancer: LoadBalancer,
}

/// Where nodes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalitySettings {
    /// Region.
    pub region: String,
    /// Zone in it.
    pub zone: String,
}

/// Which Istio a cluster runs.
#[derive(Debug, Clone, Serialize)]
pub struct IstioSettings {
    /// Release.
    pub version: String,
    /// The revision that workloads follow: the release with `-` for `.`.
    pub revision: String,
    /// The minor of the release: `1.30`.
    pub minor: String,
    /// How traffic is intercepted.
    pub dataplane: Dataplane,
    /// How much is installed.
    pub profile: Profile,
    /// Whether some workloads have sidecars.
    pub sidecars: bool,
    /// What the table of versions knows of the minor.
    pub features: Map,
}

/// What the blueprint says of an instance, all layers merged.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The component, if its name is another.
    pub component: Option<String>,
    /// Beats `default` and `when`.
    pub enabled: Option<bool>,
    /// Instead of the component's.
    pub version: Option<String>,
    /// Instead of the component's.
    pub release: Option<String>,
    /// Instead of the component's.
    pub namespace: Option<String>,
    /// Instead of the component's.
    pub stage: Option<String>,
    /// Instead of the component's.
    pub managed: Option<super::blueprint::Managed>,
    /// Over the component's.
    pub parameters: Map,
    /// Over the component's.
    pub values: Map,
    /// Where the blueprint names it last.
    pub path: Path,
}

/// A component as deployed on a cluster under a name.
#[derive(Debug)]
pub struct Instance {
    /// Its name.
    pub name: InstanceName,
    /// What it is an instance of.
    pub component: Arc<Component>,
    /// Index in [`Lab::stages`] of the one that it belongs to; none: it is always there.
    pub stage: Option<usize>,
    /// True: the user runs it already.
    pub external: bool,
    /// Chart, with the version of this instance.
    pub chart: Option<Chart>,
    /// Or a folder of a Git repository.
    pub git: Option<GitFolder>,
    /// Helm release.
    pub release: ReleaseName,
    /// Namespace.
    pub namespace: Namespace,
    /// Parameters of the component.
    pub parameters: Map,
    /// Names that the north-south gateways serve for it.
    pub hosts: Vec<String>,
    /// Ports that its Services of type LoadBalancer take.
    pub load_balancer_ports: Vec<u16>,
    /// The name of that Service.
    pub load_balancer_service: String,
    /// The address of its own that these Services ask for; none: the cluster's.
    pub load_balancer_address: Option<Ipv4Addr>,
    /// `.global` names by which the meshes of other cells call it.
    pub exports: Vec<String>,
    /// `.global` names of other cells that it makes known here.
    pub imports: Vec<Import>,
    /// The Service that machines outside of Kubernetes may join.
    pub service: Option<Joinable>,
    /// Values of the blueprint, over the component's.
    pub values: Map,
}

impl Instance {
    /// Whether it has Services of type LoadBalancer.
    pub fn is_published(&self) -> bool {
        !self.external && !self.load_balancer_ports.is_empty()
    }

    /// Whether Argo CD syncs it.
    pub fn is_application(&self) -> bool {
        !self.external && self.component.is_application()
    }

    /// Where its Services of type LoadBalancer are reached: an address or a name of their own, or the cluster's.
    pub fn address(&self, cluster: &Cluster) -> String {
        match self.load_balancer_address {
            Some(address) => address.to_string(),
            None if cluster.has_containers_for_services() => format!("{}.{}", self.name, cluster.fqdn),
            None => cluster.entrance(),
        }
    }

    /// The container that cloud-provider-kind starts for its Service of type LoadBalancer (`loadBalancerName` in its
    /// `pkg/loadbalancer/server.go`, the same since v0.6); Docker's DNS knows it.
    pub fn container(&self, cluster: &Cluster) -> String {
        let service = format!("{}/{}/{}", cluster.name, self.namespace, self.load_balancer_service);
        let hash = Digest::of(service.as_bytes()).to_string();
        format!("kindccm-{}", &hash[..12])
    }

    /// The version that it deploys: of its chart or its Git source.
    pub fn version(&self) -> Option<&str> {
        match (&self.chart, &self.git) {
            (Some(chart), _) => Some(&chart.version),
            (None, Some(git)) => Some(&git.r#ref),
            (None, None) => None,
        }
    }
}

/// A name that other clusters serve.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Import {
    /// `<service>.<namespace>.global`.
    pub host: String,
    /// Cluster to its share of the calls; needed where several serve the name.
    pub weights: BTreeMap<String, u32>,
}

/// A Helm chart at a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// Repository.
    pub repo: String,
    /// Chart in it.
    pub name: String,
    /// Version.
    pub version: String,
}

impl Chart {
    /// The version as part of names: `-` for `.` (an Istio revision is a DNS label).
    pub fn revision(&self) -> String {
        revision(&self.version)
    }
}

/// A version as a DNS label.
pub fn revision(version: &str) -> String {
    version.replace(['.', '+'], "-")
}

/// A folder of a Git repository at a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitFolder {
    /// Repository.
    pub repo: String,
    /// Folder.
    pub path: String,
    /// Tag or commit.
    pub r#ref: String,
}
