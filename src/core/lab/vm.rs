//! Machines outside of Kubernetes, and what has to reach them before they are part of a mesh.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Cluster, Instance, Lab, LocalitySettings};
use crate::core::blueprint::{Provider, Run};
use crate::core::name::{InstanceName, Namespace, VmName};
use crate::core::resolve::GATEWAY;
use crate::core::source::Path;

/// A machine outside of Kubernetes that is part of its cell's mesh.
///
/// Whoever brings it up does this, in order:
///
/// 1. launches the machine with `vms/<vm>/cloud-init.yaml`, and enters the lab's machines in its `/etc/hosts`, as in every machine's;
/// 2. waits until its `WorkloadGroup` and `ServiceAccount` are in the [cluster](Self::cluster) (instance `istio-vm` of the bootstrap);
/// 3. writes each of [`FILES`] that is there to its path on the machine, and a token to [`TOKEN`]: one of its [`ServiceAccount`](Self::service_account)
///    in its [namespace](Self::namespace), for the audience [`TOKEN_AUDIENCE`]. The token is a secret: by standard input, mode 0600;
/// 4. runs [`ONBOARD`] as root. It may be run again, and is after each change of the files.
#[derive(Debug)]
pub struct Vm {
    /// Its name, its `WorkloadGroup`'s, and its machine's.
    pub name: VmName,
    /// Index of its cell in [`Lab::cells`].
    pub cell: usize,
    /// Index in [`Lab::clusters`] of the cluster whose istiod it asks.
    pub cluster: usize,
    /// The instance whose Service it joins.
    pub service: Option<InstanceName>,
    /// Its namespace, if the blueprint names one.
    pub own_namespace: Option<Namespace>,
    /// Its `ServiceAccount`.
    pub service_account: String,
    /// Labels of its own.
    pub own_labels: BTreeMap<String, String>,
    /// Ports that it serves, by name.
    pub ports: IndexMap<String, u16>,
    /// How its proxy knows that it is ready.
    pub probe: Option<Probe>,
    /// Where it is.
    pub locality: LocalitySettings,
    /// Its Istio network.
    pub network: String,
    /// The address at which the mesh reaches it; none: the first that the machine has.
    pub address: Option<Ipv4Addr>,
    /// Where it runs.
    pub provider: Provider,
    /// The server that it runs.
    pub run: Option<Run>,
    /// Where the blueprint declares it.
    pub path: Path,
}

/// A file of `vms/<vm>/` that has to reach the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Its name below `vms/<vm>/`.
    pub file: &'static str,
    /// Its path on the machine.
    pub path: &'static str,
}

/// What `istioctl x workload entry configure` writes and its manual copies to a machine, but for the token. `hosts` is there where the
/// address of the gateway is declared; elsewhere [`ONBOARD`] looks it up.
pub const FILES: [Delivery; 4] = [
    Delivery {
        file: "cluster.env",
        path: "/var/lib/istio/envoy/cluster.env",
    },
    Delivery {
        file: "hosts",
        path: "/etc/istio/config/hosts",
    },
    Delivery {
        file: "mesh.yaml",
        path: "/etc/istio/config/mesh",
    },
    Delivery {
        file: "root-cert.pem",
        path: "/etc/certs/root-cert.pem",
    },
];

/// Where a machine's proxy reads the token that it shows to istiod.
pub const TOKEN: &str = "/var/run/secrets/tokens/istio-token";

/// Whom the token is for.
pub const TOKEN_AUDIENCE: &str = "istio-ca";

/// What takes up the delivered files on the machine, and starts the proxy.
pub const ONBOARD: &str = "/usr/local/sbin/meshlab-onboard";

impl Vm {
    /// The cluster whose istiod it asks.
    pub fn home<'a>(&self, lab: &'a Lab) -> &'a Cluster {
        &lab.clusters[self.cluster]
    }

    /// Where the east-west gateway of that cluster is reached.
    pub fn gateway(&self, lab: &Lab) -> String {
        let home = self.home(lab);
        let mut instances = home.instances.values();
        let gateway = instances.find(|instance| instance.component.name.as_str() == GATEWAY);
        gateway.map_or_else(|| home.entrance(), |gateway| gateway.address(home))
    }

    /// The same, if it is an address: then [`FILES`] has `hosts`.
    pub fn gateway_ip(&self, lab: &Lab) -> Option<Ipv4Addr> {
        self.gateway(lab).parse().ok()
    }

    /// The instance whose Service it joins, once instances are placed.
    pub fn joins<'a>(&self, lab: &'a Lab) -> Option<&'a Instance> {
        self.home(lab).instances.get(self.service.as_ref()?)
    }

    /// Its namespace: its own, or that of the Service. Empty while no instances are placed.
    pub fn namespace<'a>(&'a self, lab: &'a Lab) -> &'a str {
        let joined = || self.joins(lab).map(|instance| &instance.namespace);
        self.own_namespace
            .as_ref()
            .or_else(joined)
            .map_or("", Namespace::as_str)
    }

    /// Whether its `ServiceAccount` is made for it: not if pods of the Service have it, or a machine before it.
    pub fn owns_service_account(&self, lab: &Lab) -> bool {
        let service = self.joins(lab).and_then(|instance| instance.service.as_ref());
        let of_pods = service.and_then(|service| service.service_account.as_deref());
        let identity = |vm: &Self| (vm.cluster, vm.namespace(lab).to_owned(), vm.service_account.clone());
        let first = lab.vms.iter().find(|other| identity(other) == identity(self));
        of_pods != Some(self.service_account.as_str()) && first.is_some_and(|first| first.name == self.name)
    }

    /// All its labels: those that the Service selects by, and its own.
    pub fn labels<'a>(&'a self, lab: &'a Lab) -> BTreeMap<&'a str, &'a str> {
        let service = self.joins(lab).and_then(|instance| instance.service.as_ref());
        let selector = service.into_iter().flat_map(|service| &service.selector);
        let labels = selector.chain(&self.own_labels);
        labels.map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
}

/// A Service that machines outside of Kubernetes may join.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Joinable {
    /// Labels by which it selects.
    pub selector: BTreeMap<String, String>,
    /// Names by which it looks for the ports of a machine: of its `targetPort` where that is a name, else the port's own.
    #[serde(default)]
    pub ports: Vec<String>,
    /// The `ServiceAccount` of its pods: a machine may have the same, and then nobody else makes it.
    #[serde(default)]
    pub service_account: Option<String>,
}

/// How a proxy knows that the workload beside it is ready, as a `WorkloadGroup` says it (`networking.istio.io/v1`, `ReadinessProbe`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// By a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_get: Option<HttpGet>,
    /// By a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_socket: Option<TcpSocket>,
    /// Seconds before the first probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<u16>,
    /// Seconds after which a probe has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u16>,
    /// Seconds between probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<u16>,
    /// Successes in a row that make it ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_threshold: Option<u16>,
    /// Failures in a row that make it unready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u16>,
}

/// A request that must be answered with 200 to 399.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpGet {
    /// Path.
    pub path: String,
    /// Port.
    pub port: u16,
}

/// A port that must accept a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TcpSocket {
    /// Port.
    pub port: u16,
}
