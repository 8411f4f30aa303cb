//! What a person types: the types of `blueprints/<lab>.yaml`, and nothing about what it means.
//!
//! Texts stay texts here. [`crate::core::resolve`] turns them into names, addresses and clusters, and reports everything that is wrong with them at once.

mod read;
mod schema;
mod settings;
mod vms;

pub use read::read;
pub use schema::json_schema;
pub use settings::{
    Cni, Dataplane, Distribution, Existing, InstanceSettings, Istio, Kind as KindProvider, Kubernetes, LoadBalancer,
    Locality, Managed, Minikube, Multipass, Network, NetworkMode, Override, Profile, Provider, Settings,
};
pub use vms::{ProbeEntry, Run, VmEntry};

use std::num::NonZeroU16;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pki::{KeyAlgorithm, SealingKey};

/// One lab: a manager cluster, cells of clusters, and what runs on them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Blueprint {
    /// Version of this format.
    pub api_version: ApiVersion,
    /// What the file is.
    pub kind: Kind,
    /// The name of the lab.
    pub metadata: Metadata,
    /// What the lab consists of.
    pub spec: Spec,
}

/// Version of the blueprint's format.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only version.
    #[serde(rename = "meshlab.dev/v1alpha1")]
    V1Alpha1,
}

/// What the file is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// A lab.
    Blueprint,
}

/// The name of the lab.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The same as the file's name without `.yaml`.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), length(max = 40))]
    pub name: String,
}

/// What a lab consists of: its topology, and the settings of its clusters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// DNS domain of machines and published services, for example `demo.lab`.
    pub domain: String,
    /// Where Argo CD reads the rendered tree.
    pub git: Git,
    /// How Applications are synced.
    #[serde(default)]
    pub argo: Argo,
    /// Who signs certificates, and with which keys.
    #[serde(default)]
    pub pki: Pki,
    /// How secrets are kept in Git.
    #[serde(default)]
    pub secrets: Secrets,
    /// Where pod and service addresses come from.
    #[serde(default)]
    pub addresses: Addresses,
    /// Names outside of `domain` that gateways serve too; the CAs of server certificates may issue for them.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Pull-through registries on the host: registry name to port, for example `docker.io: 5011`. `{}`: machines pull from the Internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registries: Option<IndexMap<String, u16>>,
    /// One pull-through cache for several registries, instead of a registry each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_cache: Option<RegistryCache>,
    /// The cluster that runs Argo CD and Argo Workflows.
    pub manager: Manager,
    /// Units of isolation, each with its clusters.
    #[serde(default)]
    pub cells: Vec<CellEntry>,
    /// Steps of adoption, first to last: `settings.stage` says how far the lab is, and what belongs to a later stage is not placed yet.
    #[serde(default)]
    pub stages: Vec<String>,
    /// Known limits of upstream that this lab accepts: their warnings are no longer shown.
    #[serde(default)]
    pub allow: Vec<Allowance>,
    /// Settings of every cluster.
    #[serde(default)]
    pub settings: Settings,
    /// Settings of some clusters, laid over `settings`; later ones win.
    #[serde(default)]
    pub overrides: Vec<Override>,
}

/// A known limit of upstream that a lab accepts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// Code of the warning, for example `ML101`; docs/combinations.md lists them.
    pub code: String,
    /// Why that is all right here, for those who read the blueprint later.
    #[schemars(length(min = 1))]
    pub reason: String,
}

/// One pull-through cache for several registries: a container on the host, which the runner starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RegistryCache {
    /// zot, of the OCI's distribution format.
    Zot(Zot),
}

/// zot as a pull-through cache: an image of `docker.io/x` is its `docker.io/x`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Zot {
    /// Its port: on the host, and in Docker's network `kind`.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Registries that it caches.
    #[schemars(length(min = 1))]
    pub registries: Vec<String>,
    /// Its image.
    pub image: String,
}

impl Default for Zot {
    fn default() -> Self {
        let registries = [
            "docker.io",
            "quay.io",
            "ghcr.io",
            "registry.k8s.io",
            "registry.istio.io",
            "public.ecr.aws",
        ];
        Self {
            port: 5000,
            registries: registries.map(str::to_owned).into(),
            image: "ghcr.io/project-zot/zot:v2.1.20".to_owned(),
        }
    }
}

/// Where Argo CD reads the rendered tree.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Repository that holds `out/`, as Argo CD reaches it.
    #[serde(rename = "repoURL", default, skip_serializing_if = "Option::is_none")]
    pub repo_url: Option<String>,
    /// `true`, instead of `repoURL`: `meshlab up` serves this very repository, read-only, to the machines of the lab and nobody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub serve: bool,
    /// Branch, tag or commit that Argo CD follows.
    #[serde(default = "main_branch")]
    pub revision: String,
    /// Folder of the tree inside the repository; `out/<lab>` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

fn main_branch() -> String {
    "main".to_owned()
}

/// How Applications are synced.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Argo {
    /// `manual`: people and the bootstrap workflow sync, by label. `automated`: everything heals itself.
    pub sync: Sync,
}

/// Who starts a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// People and the bootstrap workflow.
    #[default]
    Manual,
    /// Argo CD itself.
    Automated,
}

/// Who signs certificates, and with which keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Pki {
    /// Who holds the root.
    pub issuer: Issuer,
    /// Algorithm of CA keys.
    pub key: KeyAlgorithm,
    /// Organization in the subjects of certificates.
    #[schemars(length(min = 1, max = 64))]
    pub organization: String,
    /// Lifetime of the root certificate, in years.
    #[schemars(range(min = 1, max = 30))]
    pub root_years: NonZeroU16,
    /// Lifetime of intermediate certificates, in years.
    #[schemars(range(min = 1, max = 30))]
    pub intermediate_years: NonZeroU16,
    /// Lifetime of server certificates, in days.
    #[schemars(range(min = 1, max = 3650))]
    pub server_days: NonZeroU16,
}

impl Default for Pki {
    fn default() -> Self {
        Self {
            issuer: Issuer::Meshlab,
            key: KeyAlgorithm::EcdsaP256,
            organization: "meshlab".to_owned(),
            root_years: const { NonZeroU16::new(10).unwrap() },
            intermediate_years: const { NonZeroU16::new(5).unwrap() },
            server_days: const { NonZeroU16::new(825).unwrap() },
        }
    }
}

/// Who holds the root of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Issuer {
    /// meshlab mints it, once, into lock and keystore.
    Meshlab,
    /// Vault, on the manager: it makes the root when the lab is first started, and signs for the cert-manager of each cluster.
    Vault,
}

/// How secrets are kept in Git.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// Who encrypts them.
    pub backend: Backend,
    /// Algorithm of the sealing keys.
    pub key: SealingKey,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            backend: Backend::SealedSecrets,
            key: SealingKey::default(),
        }
    }
}

/// Who encrypts secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Bitnami's controller, one sealing key per cluster.
    SealedSecrets,
}

/// Where pod and service addresses come from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Addresses {
    /// Blocks of pod addresses.
    pub pods: Pool,
    /// Blocks of service addresses.
    pub services: Pool,
    /// Blocks of load-balancer addresses, for clusters with MetalLB. The network that the nodes share has them, and no DHCP server gives them away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancers: Option<Pool>,
}

impl Default for Addresses {
    fn default() -> Self {
        let pool = |first: &str| Pool {
            first: first.to_owned(),
            per_cell: 10,
        };
        Self {
            pods: pool("10.41.0.0/16"),
            services: pool("10.141.0.0/16"),
            load_balancers: None,
        }
    }
}

/// Equal blocks of addresses: the manager has the first, a cluster the one at `slot of its cell × perCell + id − 1`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pool {
    /// The first block, for example `10.41.0.0/16`.
    pub first: String,
    /// Blocks set aside for each cell; 0: cells do not route to each other and share blocks.
    #[serde(default = "ten")]
    pub per_cell: u16,
}

fn ten() -> u16 {
    10
}

/// The cluster that runs Argo CD and Argo Workflows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Manager {
    /// Its name.
    pub name: String,
    /// It runs a mesh too: the name of a cell of which it is the only cluster. Absent: it runs no mesh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// DNS name or IPv4 address at which other clusters reach it; `<name>.<domain>` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// URL of its API server as other clusters reach it; `https://<address>:6443` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_server: Option<String>,
    /// Its pod addresses, instead of the pool's.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "podCIDR")]
    pub pod_cidr: Option<String>,
    /// Its service addresses, instead of the pool's.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "serviceCIDR")]
    pub service_cidr: Option<String>,
}

/// A cell, or (with `cells`) a fleet of equal cells `<name>-1`, `<name>-2`, …
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellEntry {
    /// Its name; its trust domain is `<name>.local`.
    pub name: String,
    /// Its clusters by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Vec<ClusterEntry>>,
    /// Or how many clusters it has, named `<cell>-1`, `<cell>-2`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 511))]
    pub count: Option<u16>,
    /// A fleet: how many such cells there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5000))]
    pub cells: Option<u16>,
    /// Machines outside of Kubernetes that are part of its mesh.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vms: Vec<VmEntry>,
}

/// A cluster of a cell.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterEntry {
    /// Its name.
    pub name: String,
    /// DNS name or IPv4 address at which other clusters reach it; `<name>.<domain>` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// URL of its API server as other clusters reach it; `https://<address>:6443` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_server: Option<String>,
    /// Its pod addresses, instead of the pool's.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "podCIDR")]
    pub pod_cidr: Option<String>,
    /// Its service addresses, instead of the pool's.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "serviceCIDR")]
    pub service_cidr: Option<String>,
    /// `decommissioned`: on its way out; its Applications are no longer generated.
    #[serde(default)]
    pub state: State,
}

/// Whether a cluster is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In use.
    #[default]
    Active,
    /// On its way out: the first of the two commits that remove a cluster.
    Decommissioned,
}
