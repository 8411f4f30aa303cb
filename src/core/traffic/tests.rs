use serde_json::json;

use super::workload::{Labels, carries, of};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn labels_of_the_run_time_are_not_looked_for() {
    let pods = labels(&[("app", "shop"), ("version", "v1")]);
    assert!(carries(
        &pods,
        &labels(&[("version", "v1"), ("topology.istio.io/cluster", "one")])
    ));
    assert!(carries(&pods, &labels(&[("topology.kubernetes.io/zone", "a")])));
    assert!(!carries(&pods, &labels(&[("version", "v2")])));
}

#[test]
fn machines_carry_labels_too() {
    let group = json!({"kind": "WorkloadGroup", "metadata": {"namespace": "shop"},
        "spec": {"metadata": {"labels": {"app": "shop", "version": "vm"}}}});
    let workload = of(&group).unwrap();
    assert_eq!(workload.namespace, "shop");
    assert_eq!(workload.labels, labels(&[("app", "shop"), ("version", "vm")]));
    assert!(of(&json!({"kind": "ConfigMap"})).is_none());
}
