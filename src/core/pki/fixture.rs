//! Small wants for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use serde_json::json;

use super::*;
use crate::core::name::{CellName, ClusterName, InstanceName, LabName, Namespace};
use crate::core::value::Value;

pub(crate) fn cluster(name: &str) -> ClusterName {
    ClusterName::new(name).unwrap()
}

pub(crate) fn id(text: &str) -> SecretId {
    SecretId::parse(text).unwrap()
}

pub(crate) fn secret(namespace: &str, data: &[(&str, Value)]) -> SecretWant {
    let data = data
        .iter()
        .map(|(key, part)| (DataKey::new(key).unwrap(), Part::parse(part).unwrap()))
        .collect();
    SecretWant {
        namespace: Namespace::new(namespace).unwrap(),
        data,
    }
}

pub(crate) fn cacerts() -> (SecretId, SecretWant) {
    let part = |part: &str| json!({"authority": "mesh", "part": part});
    let data = [
        ("ca-cert.pem", part("certificate")),
        ("ca-key.pem", part("key")),
        ("cert-chain.pem", part("chain")),
        ("root-cert.pem", part("roots")),
    ];
    (
        SecretId {
            instance: InstanceName::new("istio-cacerts").unwrap(),
            name: SecretName::new("cacerts").unwrap(),
        },
        secret("istio-system", &data),
    )
}

/// A cluster of a sidecar cell with both intermediates, the cell's CA and `cacerts`.
pub(crate) fn cluster_wants(cell: &str) -> ClusterWants {
    ClusterWants {
        cell: CellName::new(cell).unwrap(),
        mesh: Some(MeshCa {
            trust_domain: DnsName::new(&format!("{cell}.local")).unwrap(),
            constrain_uri: true,
        }),
        ingress: Some(IngressCa {
            dns: BTreeSet::from([DnsName::new("demo.lab").unwrap()]),
        }),
        cell_ca: true,
        sealing: true,
        secrets: BTreeMap::from([cacerts()]),
    }
}

/// A lab of clusters `<cell>-<n>`, with small keys.
pub(crate) fn wants(clusters: &[&str]) -> Wants {
    let years = |years| NonZeroU16::new(years).unwrap();
    let of = |name: &&str| (cluster(name), cluster_wants(name.split('-').next().unwrap()));
    Wants {
        lab: LabName::new("meshlab").unwrap(),
        root: true,
        pki: PkiSpec {
            organization: Organization::new("meshlab").unwrap(),
            key: KeyAlgorithm::EcdsaP256,
            root_years: years(10),
            intermediate_years: years(5),
            server_days: years(365),
        },
        sealing_key: SealingKey::Rsa2048,
        clusters: clusters.iter().map(of).collect(),
    }
}
