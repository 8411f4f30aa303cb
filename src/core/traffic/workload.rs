//! Services, and the pods that they may select.

use std::collections::BTreeMap;

use super::{Sight, name, namespace};
use crate::core::value::Value;

/// Labels of pods, or those that a selector wants.
pub(super) type Labels = BTreeMap<String, String>;

/// A Kubernetes Service that selects pods.
#[derive(Debug)]
pub(super) struct Service {
    /// Complete name.
    pub(super) host: String,
    pub(super) namespace: String,
    pub(super) selector: Labels,
}

/// Pods of one template, or a workload outside of Kubernetes.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) namespace: String,
    pub(super) labels: Labels,
}

/// The Service that a document is, if it selects anything.
pub(super) fn of_service(sight: &Sight<'_>) -> Option<Service> {
    let selector = labels(&sight.document["spec"]["selector"]);
    (!selector.is_empty()).then(|| Service {
        host: sight.complete(name(sight.document)),
        namespace: namespace(sight.document).to_owned(),
        selector,
    })
}

/// The workload that a document is.
pub(super) fn of(document: &Value) -> Option<Workload> {
    let spec = &document["spec"];
    let found = match document["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => &spec["template"]["metadata"]["labels"],
        "Pod" => &document["metadata"]["labels"],
        // Istio's, for virtual machines.
        "WorkloadGroup" => &spec["metadata"]["labels"],
        "WorkloadEntry" => &spec["labels"],
        _ => return None,
    };
    Some(Workload {
        namespace: namespace(document).to_owned(),
        labels: labels(found),
    })
}

pub(super) fn labels(map: &Value) -> Labels {
    let pairs = map.as_object().into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Whether pods have all labels that are wanted, but for those that are added at run time: where a pod runs, in which cluster.
pub(super) fn carries(pods: &Labels, wanted: &Labels) -> bool {
    let at_run_time =
        |key: &str| key.starts_with("topology.") || key.contains("istio.io/") || key == "pod-template-hash";
    wanted
        .iter()
        .all(|(key, value)| at_run_time(key) || pods.get(key) == Some(value))
}
