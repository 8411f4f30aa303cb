//! Machines outside of Kubernetes that are part of a mesh.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::settings::{Locality, Provider};

/// A machine outside of Kubernetes that is part of its cell's mesh.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VmEntry {
    /// Its name; the machine is `<name>.<domain>`.
    pub name: String,
    /// The cluster of the cell whose istiod it asks, through that cluster's east-west gateway; the first in use if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The component instance whose Service it joins, beside the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its namespace; that of the Service if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its `ServiceAccount`, hence its identity in the mesh; its own name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Labels beside those that the Service selects by, for example `version: vm`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Ports that it serves, by name. A name begins with the protocol, as those of Services do: `http`, `grpc-api`, `tcp-db`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub ports: IndexMap<String, u16>,
    /// How its proxy knows that it is ready; if absent, by a connection to its first port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeEntry>,
    /// Where it is; the cluster's if absent. The third part, the subzone, is its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<Locality>,
    /// Its Istio network; one of its own, hence the way to pods through east-west gateways, if absent. A cluster's network: it
    /// routes to the pods of that cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The IPv4 address at which the mesh reaches it; if absent the first that the machine has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Where it runs; a small machine of Multipass if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The server that it runs: a systemd unit named like the Service, else like the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// How a proxy knows that the workload beside it is ready: by HTTP if there is a path, else by a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProbeEntry {
    /// Path of an HTTP request, for example `/healthz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^/\S*$"))]
    pub path: Option<String>,
    /// Port; the first of `ports` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// Seconds before the first probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<u16>,
    /// Seconds after which a probe has failed; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u16>,
    /// Seconds between probes; 10 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<u16>,
    /// Probes in a row that make it ready; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_threshold: Option<u16>,
    /// Failures in a row that make it unready; 3 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u16>,
}

/// A server, as a systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Packages of the distribution that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^[a-z0-9][a-z0-9+.-]+$")))]
    pub packages: Vec<String>,
    /// The command, as `ExecStart` of systemd takes it: the program by its whole path, then its arguments.
    #[schemars(regex(pattern = r"^/[^\n\r]+$"))]
    pub command: String,
}
