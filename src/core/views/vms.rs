//! What templates see of machines outside of Kubernetes.

use std::collections::BTreeMap;

use minijinja::Value;
use serde::Serialize;
use serde_json::json;

use crate::core::blueprint::Provider;
use crate::core::lab::{Lab, Probe, Vm};
use crate::core::template::from_value;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VmView<'a> {
    name: &'a str,
    fqdn: String,
    cluster: &'a str,
    service: &'a str,
    namespace: &'a str,
    service_account: &'a str,
    owns_service_account: bool,
    labels: BTreeMap<&'a str, &'a str>,
    ports: Vec<Port<'a>>,
    probe: Option<&'a Probe>,
    locality: String,
    network: &'a str,
    address: String,
    gateway: String,
    #[serde(rename = "gatewayIP")]
    gateway_ip: String,
    provider: &'a Provider,
    packages: &'a [String],
    command: &'a str,
    metadata: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Port<'a> {
    name: &'a str,
    port: u16,
}

/// A machine as templates see it; without namespace and labels of its Service while no instances are placed.
pub(super) fn view(lab: &Lab, vm: &Vm) -> Value {
    let gateway_ip = vm.gateway_ip(lab).map_or_else(String::new, |ip| ip.to_string());
    from_value(&VmView {
        name: vm.name.as_str(),
        fqdn: format!("{}.{}", vm.name, lab.domain),
        cluster: vm.home(lab).name.as_str(),
        service: vm.service.as_ref().map_or("", |name| name.as_str()),
        namespace: vm.namespace(lab),
        service_account: &vm.service_account,
        owns_service_account: vm.owns_service_account(lab),
        labels: vm.labels(lab),
        ports: vm.ports.iter().map(|(name, port)| Port { name, port: *port }).collect(),
        probe: vm.probe.as_ref(),
        locality: format!("{}/{}/{}", vm.locality.region, vm.locality.zone, vm.name),
        network: &vm.network,
        address: vm.address.map_or_else(String::new, |address| address.to_string()),
        gateway: vm.gateway(lab),
        gateway_ip,
        provider: &vm.provider,
        packages: vm.run.as_ref().map_or(&[], |run| &run.packages),
        command: vm.run.as_ref().map_or("", |run| &run.command),
        metadata: metadata(lab, vm),
    })
}

/// What upstream adds to the mesh's `proxyMetadata` for a machine that registers itself
/// (`createMeshConfig` of istioctl/pkg/workload/workload.go, Istio 1.30).
fn metadata(lab: &Lab, vm: &Vm) -> BTreeMap<&'static str, String> {
    let mut labels = vm.labels(lab);
    let of = |keys: [&str; 3]| keys.iter().find_map(|key| labels.get(key).copied());
    let service = of(["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"]);
    let service = service.unwrap_or(vm.name.as_str()).to_owned();
    let revision = of([
        "service.istio.io/canonical-revision",
        "app.kubernetes.io/version",
        "version",
    ]);
    let revision = revision.unwrap_or("latest").to_owned();
    labels.insert("service.istio.io/canonical-name", &service);
    labels.insert("service.istio.io/canonical-revision", &revision);
    let cell = &lab.cells[vm.cell];
    let mut found = BTreeMap::from([
        ("ISTIO_METAJSON_LABELS", json!(labels).to_string()),
        ("CANONICAL_SERVICE", service.clone()),
        ("CANONICAL_REVISION", revision.clone()),
        ("POD_NAMESPACE", vm.namespace(lab).to_owned()),
        ("SERVICE_ACCOUNT", vm.service_account.clone()),
        ("TRUST_DOMAIN", cell.trust_domain()),
        ("ISTIO_META_CLUSTER_ID", vm.home(lab).name.to_string()),
        ("ISTIO_META_MESH_ID", cell.name.to_string()),
        ("ISTIO_META_NETWORK", vm.network.clone()),
        ("ISTIO_META_WORKLOAD_NAME", vm.name.to_string()),
        ("ISTIO_META_DNS_CAPTURE", "true".to_owned()),
        ("ISTIO_META_AUTO_REGISTER_GROUP", vm.name.to_string()),
    ]);
    if !vm.ports.is_empty() {
        found.insert("ISTIO_META_POD_PORTS", pod_ports(vm));
    }
    found
}

/// Its ports as Istio's proxies report those of a pod: sorted by name, with a protocol that nobody fills in.
fn pod_ports(vm: &Vm) -> String {
    let sorted: BTreeMap<&String, &u16> = vm.ports.iter().collect();
    let ports = sorted
        .into_iter()
        .map(|(name, port)| format!(r#"{{"name":"{name}","containerPort":{port},"protocol":""}}"#));
    format!("[{}]", ports.collect::<Vec<_>>().join(","))
}
