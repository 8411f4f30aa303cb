//! The shape of `component.yaml`, as its author types it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::blueprint::{ApiVersion, Managed};
use crate::core::value::{Map, Value};

/// What a component is, where it goes, what it needs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ComponentFile {
    /// Version of this format.
    pub api_version: ApiVersion,
    /// What the file is.
    pub kind: ComponentKind,
    /// One line for people.
    pub summary: String,
    /// Whether it is placed where the blueprint does not name it.
    #[serde(default = "yes")]
    pub default: bool,
    /// Family, for the label `app.kubernetes.io/part-of`; the component's name if absent.
    #[serde(default)]
    pub part_of: Option<String>,
    /// AppProject; `partOf` if absent.
    #[serde(default)]
    pub project: Option<String>,
    /// Which clusters may have it.
    pub on: On,
    /// Expression that decides for each of these clusters.
    #[serde(default)]
    pub when: Option<String>,
    /// In a lab with `stages`, the one that it belongs to: it is placed once the lab has reached it.
    #[serde(default)]
    pub stage: Option<String>,
    /// Components of which an instance must be enabled in the same cluster; they come first.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Components in whose place it stands: what requires one of them is content with it, and what comes after them comes after it.
    #[serde(default)]
    pub provides: Vec<String>,
    /// Components that come first where they are.
    #[serde(default)]
    pub after: Vec<String>,
    /// Who runs it.
    #[serde(default)]
    pub managed: Managed,
    /// Helm chart; texts may be templates.
    #[serde(default)]
    pub chart: Option<ChartFile>,
    /// Folder of a Git repository, instead of a chart; texts may be templates.
    #[serde(default)]
    pub git: Option<GitFile>,
    /// Helm release; the instance's name if absent. May be a template.
    #[serde(default)]
    pub release: Option<String>,
    /// Namespace that it is deployed to. May be a template.
    pub namespace: String,
    /// Labels that it wants on that namespace. May be templates.
    #[serde(default)]
    pub namespace_labels: Map,
    /// Further namespaces that it writes to.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Names that the north-south gateways serve for it, below the lab's domain or declared in the blueprint's `hosts`. May be templates.
    #[serde(default)]
    pub hosts: Vec<Value>,
    /// Ports that its Services of type LoadBalancer take. May be templates.
    #[serde(default)]
    pub load_balancer_ports: Vec<Value>,
    /// The name of that Service, where it has a load balancer of its own; the release if absent. May be a template.
    #[serde(default)]
    pub load_balancer_service: Option<String>,
    /// The address that these Services ask MetalLB for; the cluster's if absent or null. May be a template.
    #[serde(default)]
    pub load_balancer_address: Option<String>,
    /// `<service>.<namespace>.global` names by which the meshes of other cells call it. May be templates.
    #[serde(default)]
    pub exports: Vec<Value>,
    /// Such names of other cells that it makes known here: `{host: …, weights: {cluster: share}}`. May be templates.
    #[serde(default)]
    pub imports: Vec<Value>,
    /// The Service that machines outside of Kubernetes may join. May hold templates.
    #[serde(default)]
    pub service: Option<ServiceFile>,
    /// How Argo CD syncs it.
    #[serde(default)]
    pub sync: SyncFile,
    /// Argo CD's `ignoreDifferences`.
    #[serde(default)]
    pub ignore_differences: Vec<Value>,
    /// API group to the cluster-scoped kinds that it creates.
    #[serde(default)]
    pub cluster_scoped: IndexMap<String, Vec<String>>,
    /// What an instance may set, with defaults.
    #[serde(default)]
    pub parameters: Map,
    /// What must hold where it is placed.
    #[serde(default)]
    pub assert: Vec<AssertFile>,
    /// Limits of upstream that it meets in some settings: told, not refused.
    #[serde(default)]
    pub warn: Vec<WarnFile>,
    /// WorkflowTemplate that the bootstrap runs when its Applications are healthy.
    #[serde(default)]
    pub workflow: Option<String>,
    /// Values laid over `values.yaml` until Argo CD takes over.
    #[serde(default)]
    pub bootstrap_values: Option<Map>,
    /// Secrets that the lock holds encrypted, by name.
    #[serde(default)]
    pub secrets: IndexMap<String, SecretFile>,
}

fn yes() -> bool {
    true
}

/// What the file is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum ComponentKind {
    /// A component.
    Component,
}

/// Which clusters may have a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// The manager.
    Manager,
    /// The clusters of cells.
    Clusters,
    /// Both.
    All,
}

/// A Helm chart.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChartFile {
    /// Chart repository (an OCI one without `oci://`, as Argo CD writes it).
    pub repo: String,
    /// Chart in it.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A folder of a Git repository.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitFile {
    /// Repository.
    pub repo: String,
    /// Folder.
    pub path: String,
    /// Tag or commit.
    pub r#ref: String,
}

/// A Service that machines outside of Kubernetes may join.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceFile {
    /// Labels by which it selects.
    pub selector: Map,
    /// Names by which it looks for the ports of a machine: of its `targetPort` where that is a name, else the port's own.
    #[serde(default)]
    pub ports: Vec<String>,
    /// The `ServiceAccount` of its pods.
    #[serde(default)]
    pub service_account: Option<String>,
}

/// How Argo CD syncs a component.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SyncFile {
    /// Always by itself, whatever the blueprint says.
    pub automated: bool,
    /// Argo CD's `syncOptions`.
    pub options: Vec<String>,
}

/// What must hold where a component is placed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertFile {
    /// Expression that must be true.
    pub that: String,
    /// What to tell the user when it is not.
    pub say: String,
}

/// A limit of upstream, and where it is met. A blueprint can allow it by its code.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarnFile {
    /// Names it, once in the catalog, for example `ML101`.
    #[schemars(regex(pattern = r"^[A-Z]{2,8}[0-9]{3}$"))]
    pub code: String,
    /// Expression that is true where the limit is met. It sees what `when` sees, and `parameters`.
    pub when: String,
    /// What does not work, in a sentence without a full stop.
    pub say: String,
    /// Where upstream says so.
    #[schemars(regex(pattern = r"^https://"))]
    pub link: String,
}

/// A Secret whose content the lock holds encrypted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretFile {
    /// Type of the Secret.
    #[serde(default = "opaque")]
    pub r#type: String,
    /// Annotations of the object that Argo CD syncs.
    #[serde(default)]
    pub annotations: Map,
    /// Labels and annotations of the Secret itself.
    #[serde(default)]
    pub template: SecretMeta,
    /// Where each key's bytes come from.
    pub data: Map,
}

fn opaque() -> String {
    "Opaque".to_owned()
}

/// Labels and annotations of a Secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecretMeta {
    /// Labels.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub labels: Map,
    /// Annotations.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub annotations: Map,
}
