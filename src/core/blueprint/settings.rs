//! Settings of clusters: one set of fields, for the whole lab and for overrides.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::value::Map;

/// Declares [`Settings`] and [`Override`] with the same fields, so that whatever can be set for all clusters can be set for some.
macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// Settings of clusters; absent fields are left as they are below.
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default, rename_all = "camelCase")]
        pub struct Settings {
            $($(#[$doc])* pub $field: $type,)*
        }

        /// Settings of the clusters that `for` names.
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        pub struct Override {
            /// Names or globs (`pasta-*`) of cells or clusters.
            #[schemars(length(min = 1))]
            pub r#for: Vec<String>,
            $($(#[$doc])* #[serde(default)] pub $field: $type,)*
        }

        impl Override {
            /// What it sets, without whom it is for.
            pub fn settings(&self) -> Settings {
                Settings { $($field: self.$field.clone(),)* }
            }
        }
    };
}

settings! {
    /// Where clusters run.
    provider: Option<Provider>,
    /// Which Kubernetes they are.
    kubernetes: Option<Kubernetes>,
    /// How pods, services and clusters reach each other.
    network: Option<Network>,
    /// Which Istio they run.
    istio: Option<Istio>,
    /// How far along the lab's `stages` it is; the last one if absent.
    stage: Option<String>,
    /// Where their nodes are, for load balancing that prefers what is near.
    locality: Option<Locality>,
    /// Component instances by name: switched on or off, renamed, versions, Helm values.
    components: IndexMap<String, Option<InstanceSettings>>,
}

/// Where clusters run. Replaced as a whole by an override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Virtual machines made by Canonical's Multipass.
    Multipass(Multipass),
    /// Clusters of one node made by minikube, all in one network of the driver.
    Minikube(Minikube),
    /// Clusters of one node made by kind, all in Docker's network `kind`.
    Kind(Kind),
    /// Clusters that exist already and are only registered.
    Existing(Existing),
}

impl Provider {
    /// As a blueprint writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Multipass(_) => "multipass",
            Self::Minikube(_) => "minikube",
            Self::Kind(_) => "kind",
            Self::Existing(_) => "existing",
        }
    }
}

/// Virtual machines made by Multipass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Multipass {
    /// Ubuntu release.
    pub image: String,
    /// Virtual processors.
    #[schemars(range(min = 1, max = 128))]
    pub cpus: u16,
    /// Memory, for example `5G`.
    #[schemars(regex(pattern = r"^[1-9][0-9]*[KMG]$"))]
    pub memory: String,
    /// Disk, for example `10G`.
    #[schemars(regex(pattern = r"^[1-9][0-9]*[KMG]$"))]
    pub disk: String,
}

impl Default for Multipass {
    fn default() -> Self {
        Self {
            image: "24.04".to_owned(),
            cpus: 2,
            memory: "5G".to_owned(),
            disk: "10G".to_owned(),
        }
    }
}

/// Clusters of one node made by minikube.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Minikube {
    /// What runs the node, for example `docker`.
    pub driver: String,
    /// Virtual processors.
    #[schemars(range(min = 1, max = 128))]
    pub cpus: u16,
    /// Memory, for example `6G`.
    #[schemars(regex(pattern = r"^[1-9][0-9]*[MG]$"))]
    pub memory: String,
}

impl Default for Minikube {
    fn default() -> Self {
        Self {
            driver: "docker".to_owned(),
            cpus: 2,
            memory: "6G".to_owned(),
        }
    }
}

/// Clusters of one node made by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Kind {
    /// Image of the node, for a Kubernetes that meshlab knows no image of: `kindest/node:<version>@sha256:<digest>`, from kind's release notes.
    pub image: Option<String>,
    /// Image of cloud-provider-kind, one container for all clusters: v0.6 or later, whose load balancers' names are known beforehand.
    pub cloud_provider: String,
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            image: None,
            cloud_provider: "registry.k8s.io/cloud-provider-kind/cloud-controller-manager:v0.10.0".to_owned(),
        }
    }
}

/// Clusters that exist already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Existing {}

/// Which Kubernetes a cluster is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kubernetes {
    /// Who packages it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Its release in the distribution's own form: `v1.33.4+k3s1` of k3s, the channel `1.33/stable` of microk8s, `v1.33.4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Who packages Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// Rancher's k3s.
    K3s,
    /// Canonical's microk8s, a snap.
    Microk8s,
    /// Whatever the provider makes: minikube's, kind's.
    Provider,
}

/// Where nodes are: their labels `topology.kubernetes.io/region` and `zone`. The third part of a locality, the subzone, is the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Locality {
    /// Region, for example `europe`; `milky-way` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), length(max = 63))]
    pub region: Option<String>,
    /// Zone, for example `europe-a`; `solar-system` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), length(max = 63))]
    pub zone: Option<String>,
}

/// How pods, services and clusters reach each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Network {
    /// One Istio network per cluster, or one per cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<NetworkMode>,
    /// Who connects pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cni: Option<Cni>,
    /// Whether Cilium connects the clusters of a cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_mesh: Option<bool>,
    /// Who serves Services of type LoadBalancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
}

/// How Istio sees the pod networks of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// Each cluster is a network of its own; east-west gateways connect them.
    Multi,
    /// Pods of a cell reach each other directly.
    Single,
}

/// Who connects pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cni {
    /// Cilium, in place of kube-proxy too.
    Cilium,
    /// Calico beside kube-proxy: microk8s and minikube bring it, on k3s the Tigera operator installs it.
    Calico,
    /// kind's own, beside kube-proxy.
    Kindnet,
}

/// Who serves Services of type LoadBalancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadBalancer {
    /// k3s's own: host ports of the node.
    Klipper,
    /// Whatever the clusters have already: each Service gets an address of its own.
    Provider,
    /// MetalLB, with addresses of `addresses.loadBalancers`.
    Metallb,
    /// cloud-provider-kind, beside the clusters: each Service gets a container of its own in Docker's network `kind`.
    CloudProviderKind,
}

/// Which Istio a cluster runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Istio {
    /// Release, for example `1.30.3`; also the revision that workloads follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$"))]
    pub version: Option<String>,
    /// How traffic is intercepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataplane: Option<Dataplane>,
    /// How much is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Whether workloads with sidecars run beside ambient ones: then the second kind of east-west gateway is there too. Means nothing
    /// where `dataplane` is `sidecar`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<bool>,
}

/// How much of Istio is installed: what upstream's profiles of these names choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The control plane, without gateways.
    Minimal,
    /// The control plane and a north-south gateway.
    Default,
    /// For trying things out: an egress gateway as well, and small requests for CPU and memory.
    Demo,
    /// The control plane and the ambient dataplane, without gateways.
    Ambient,
}

/// How traffic is intercepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dataplane {
    /// A proxy beside each workload.
    Sidecar,
    /// A ztunnel on each node, for workloads that know nothing of it.
    Ambient,
}

/// What a blueprint says of a component instance.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceSettings {
    /// The component that this is an instance of, if its name is another.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// `true` or `false` beats the component's own `default` and `when`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version of the chart (or Git reference), instead of the component's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Helm release name, instead of the component's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Namespace, instead of the component's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The stage of the lab that it belongs to, instead of the component's: it is placed once `settings.stage` has reached it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// `external`: you run it already; it satisfies requirements, nothing is rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed: Option<Managed>,
    /// Parameters of the component, field by field.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub parameters: Map,
    /// Helm values, laid over the component's: maps merge, lists replace, null deletes.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub values: Map,
}

/// Who runs a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Managed {
    /// Argo CD, from what meshlab renders.
    #[default]
    Argo,
    /// The user, already.
    External,
}
