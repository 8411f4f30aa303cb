//! The committed, public half of a lab's PKI.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::certificate::Certificate;
use super::demand::Demand;
use super::identity::Identity;
use super::names::{DataKey, SecretId};
use super::subject::Subject;
use super::wants::{ClusterWants, Wants};
use crate::core::name::ClusterName;

/// Everything minted for a lab that may be seen: certificates and ciphertext.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The roots that the lab trusts; several while a root is being replaced. Empty before the first minting.
    pub roots: Vec<Certificate>,
    /// What each cluster has.
    pub clusters: BTreeMap<ClusterName, ClusterLock>,
}

/// What one cluster has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterLock {
    /// Its certificates.
    pub certificates: BTreeMap<Subject, Minted>,
    /// Its sealed Secrets.
    pub secrets: BTreeMap<SecretId, Sealed>,
}

/// A certificate and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// What it was made from.
    pub identity: Identity,
    /// The certificate.
    pub certificate: Certificate,
}

/// A sealed Secret and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What it was made from.
    pub identity: Identity,
    /// Data key to ciphertext, in base64: a value of a `SealedSecret`'s `spec.encryptedData`.
    pub data: BTreeMap<DataKey, String>,
}

impl ClusterLock {
    /// Whether nothing was minted for the cluster.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.secrets.is_empty()
    }

    /// The certificate of `subject`, if there is one.
    pub fn certificate(&self, subject: &Subject) -> Option<&Certificate> {
        self.certificates.get(subject).map(|minted| &minted.certificate)
    }
}

impl ClusterWants {
    fn subjects(&self) -> BTreeSet<Subject> {
        self.demands().iter().map(Demand::subject).collect()
    }
}

/// The parts of a lock, each read from files of its own, as one.
impl FromIterator<Lock> for Lock {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        let mut whole = Self::default();
        for part in parts {
            whole.roots.extend(part.roots);
            whole.clusters.extend(part.clusters);
        }
        whole
    }
}

impl Lock {
    /// Whether nothing was ever minted.
    pub fn is_new(&self) -> bool {
        self.roots.is_empty() && self.clusters.is_empty()
    }

    /// Drops what is no longer wanted: what [`stale`] lists. A cluster of which nothing is left has no entry.
    pub fn prune(&mut self, wants: &Wants) {
        if !wants.root {
            self.roots.clear();
        }
        self.clusters.retain(|name, _| wants.clusters.contains_key(name));
        for (name, lock) in &mut self.clusters {
            if let Some(want) = wants.clusters.get(name) {
                let wanted = want.subjects();
                lock.certificates.retain(|subject, _| wanted.contains(subject));
                lock.secrets.retain(|id, _| want.secrets.contains_key(id));
            }
        }
        self.clusters.retain(|_, lock| !lock.is_empty());
    }
}

/// Something in a lock that nothing wants any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    /// The root: another system signs now.
    Root,
    /// A cluster that left the lab.
    Cluster(ClusterName),
    /// A certificate.
    Certificate(ClusterName, Subject),
    /// A sealed Secret.
    Secret(ClusterName, SecretId),
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the lab no longer has a root of its own"),
            Self::Cluster(cluster) => write!(f, "{cluster} is no longer in the lab"),
            Self::Certificate(cluster, subject) => write!(f, "{cluster} no longer needs the {subject}"),
            Self::Secret(cluster, id) => write!(f, "{cluster} no longer has the Secret {id}"),
        }
    }
}

/// What `lock` holds and `wants` does not ask for, sorted by cluster. [`Lock::prune`] drops it; no key is needed for that.
pub fn stale(wants: &Wants, lock: &Lock) -> Vec<Stale> {
    let of_cluster = |(name, lock): (&ClusterName, &ClusterLock)| match wants.clusters.get(name) {
        None => vec![Stale::Cluster(name.clone())],
        Some(want) => stale_in(name, want, lock),
    };
    let root = (!wants.root && !lock.roots.is_empty()).then_some(Stale::Root);
    root.into_iter()
        .chain(lock.clusters.iter().flat_map(of_cluster))
        .collect()
}

fn stale_in(name: &ClusterName, want: &ClusterWants, lock: &ClusterLock) -> Vec<Stale> {
    let wanted = want.subjects();
    let certificates = lock.certificates.keys().filter(|subject| !wanted.contains(subject));
    let secrets = lock.secrets.keys().filter(|id| !want.secrets.contains_key(id));
    certificates
        .map(|subject| Stale::Certificate(name.clone(), subject.clone()))
        .chain(secrets.map(|id| Stale::Secret(name.clone(), id.clone())))
        .collect()
}
