//! What a lab needs: authorities, server certificates, sealing keys and Secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{DataKey, DnsName, Organization, SecretId};
use super::part::Part;
use crate::core::name::{CellName, ClusterName, LabName, Namespace};

/// Everything that the lock of a lab must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wants {
    /// The lab; names the root certificate.
    pub lab: LabName,
    /// Whether the lab has a root of its own; not if another system signs for the meshes.
    pub root: bool,
    /// How new keys and certificates are made.
    pub pki: PkiSpec,
    /// Algorithm of new sealing keys.
    pub sealing_key: SealingKey,
    /// Every cluster of the lab, manager included.
    pub clusters: BTreeMap<ClusterName, ClusterWants>,
}

/// How new keys and certificates are made. A change applies to what is minted afterwards; what exists stays until it is rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PkiSpec {
    /// `O` of every subject.
    pub organization: Organization,
    /// Algorithm of new keys of authorities and servers.
    pub key: KeyAlgorithm,
    /// Life of the root, of the cells' CAs and of sealing certificates, in years of 365 days.
    pub root_years: NonZeroU16,
    /// Life of intermediates, in years of 365 days; they never outlive the root.
    pub intermediate_years: NonZeroU16,
    /// Life of server certificates in days; they never outlive their issuer.
    pub server_days: NonZeroU16,
}

/// Algorithm of a private key that signs. Istio takes ECDSA P-256 and P-384 and RSA as plug-in CA.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyAlgorithm {
    /// ECDSA on the curve P-256.
    #[default]
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    /// ECDSA on the curve P-384.
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    /// RSA, 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// RSA, 3072 bits.
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    /// RSA, 4096 bits.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
}

/// Algorithm of a sealing key. The sealed-secrets controller knows RSA only (sealed-secrets `pkg/crypto`) and itself makes 4096 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SealingKey {
    /// RSA, 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// RSA, 3072 bits.
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    /// RSA, 4096 bits.
    #[default]
    #[serde(rename = "rsa-4096")]
    Rsa4096,
}

impl From<SealingKey> for KeyAlgorithm {
    fn from(key: SealingKey) -> Self {
        match key {
            SealingKey::Rsa2048 => Self::Rsa2048,
            SealingKey::Rsa3072 => Self::Rsa3072,
            SealingKey::Rsa4096 => Self::Rsa4096,
        }
    }
}

/// What one cluster needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterWants {
    /// Its cell (`manager` for the manager).
    pub cell: CellName,
    /// Its Istio intermediate.
    pub mesh: Option<MeshCa>,
    /// Its intermediate for server certificates.
    pub ingress: Option<IngressCa>,
    /// Whether it needs the CA that the clusters of its cell share.
    pub cell_ca: bool,
    /// Whether it needs a sealing key although it may have no Secret yet.
    pub sealing: bool,
    /// The Secrets that the lock holds encrypted.
    pub secrets: BTreeMap<SecretId, SecretWant>,
}

impl ClusterWants {
    /// Whether the cluster has a sealing key: asked for, or needed by a Secret.
    pub fn seals(&self) -> bool {
        self.sealing || !self.secrets.is_empty()
    }
}

/// A cluster's Istio intermediate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeshCa {
    /// Trust domain of the mesh, for example `pasta.local`.
    pub trust_domain: DnsName,
    /// Whether a critical name constraint permits SPIFFE identities of `trust_domain` only. Not in ambient cells: rustls, by
    /// which ztunnel verifies, refuses every certificate below a URI constraint.
    pub constrain_uri: bool,
}

/// A cluster's intermediate for server certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IngressCa {
    /// The domains for which it may issue, each with all names below it: the lab's domain and the declared hosts.
    pub dns: BTreeSet<DnsName>,
}

/// One Secret and what its values are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretWant {
    /// Namespace for which it is sealed.
    pub namespace: Namespace,
    /// Data key to what stands there.
    pub data: BTreeMap<DataKey, Part>,
}
