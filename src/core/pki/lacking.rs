//! The difference between what is wanted and what the lock has.

use std::collections::BTreeMap;
use std::fmt;

use rayon::prelude::*;

use super::certificate::Certificate;
use super::demand::Demand;
use super::lock::{ClusterLock, Lock};
use super::names::SecretId;
use super::recipe::Recipe;
use super::subject::Subject;
use super::wants::{ClusterWants, SecretWant, Wants};
use crate::core::name::{CellName, ClusterName, Namespace};

/// Something that is wanted and that the lock does not have as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// The root certificate.
    Root,
    /// A certificate of a cluster.
    Certificate {
        /// The cluster.
        cluster: ClusterName,
        /// Whom it is for.
        subject: Subject,
        /// What is the matter with it.
        why: Why,
    },
    /// A sealed Secret.
    Secret {
        /// The cluster.
        cluster: ClusterName,
        /// Which Secret.
        id: SecretId,
        /// Where it goes.
        namespace: Namespace,
        /// What is the matter with it.
        why: Why,
    },
}

/// What is the matter with something that is lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The lock has none.
    Missing,
    /// It was made from something else than what is wanted now.
    Changed,
    /// Another authority than the present one issued it.
    OtherIssuer,
    /// Another cluster of the cell has another one, where all must have the same.
    Differs,
}

impl fmt::Display for Lack {
    /// A sentence without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the lab has no root certificate"),
            Self::Certificate { cluster, subject, why } => match why {
                Why::Missing => write!(f, "{cluster} has no {subject}"),
                Why::Changed => write!(f, "the {subject} of {cluster} was made for other settings"),
                Why::OtherIssuer => write!(f, "the {subject} of {cluster} was issued by another authority"),
                Why::Differs => write!(f, "the {subject} of {cluster} is not that of the rest of its cell"),
            },
            Self::Secret {
                cluster,
                id,
                namespace,
                why: Why::Missing,
            } => {
                write!(
                    f,
                    "the Secret {namespace}/{} of {cluster} ({}) is not sealed yet",
                    id.name, id.instance
                )
            }
            Self::Secret {
                cluster, id, namespace, ..
            } => {
                write!(
                    f,
                    "the Secret {namespace}/{} of {cluster} ({}) was sealed from something else",
                    id.name, id.instance
                )
            }
        }
    }
}

/// Everything that `wants` asks for and `lock` does not have as asked, sorted by cluster. Empty: the lock is complete.
pub fn lacking(wants: &Wants, lock: &Lock) -> Vec<Lack> {
    let root = (wants.root && lock.roots.is_empty()).then_some(Lack::Root);
    let nothing = ClusterLock::default();
    let cells = lock.cell_cas(wants);
    let of_cluster = |(name, want): (&ClusterName, &ClusterWants)| {
        let have = lock.clusters.get(name).unwrap_or(&nothing);
        let anchors = Anchors {
            roots: &lock.roots,
            cell: cells.get(&want.cell).copied(),
        };
        Standing {
            name,
            want,
            have,
            anchors,
        }
        .lacks()
    };
    let lacks: Vec<Lack> = wants.clusters.par_iter().flat_map_iter(of_cluster).collect();
    root.into_iter().chain(lacks).collect()
}

impl Lock {
    /// The CA of each cell: that of its first cluster, by name, which has one made for this cell.
    pub(crate) fn cell_cas<'a>(&'a self, wants: &'a Wants) -> BTreeMap<&'a CellName, &'a Certificate> {
        let mut found = BTreeMap::new();
        for (name, want) in wants.clusters.iter().filter(|(_, want)| want.cell_ca) {
            let minted = self
                .clusters
                .get(name)
                .and_then(|have| have.certificates.get(&Subject::Cell));
            let ours = minted.filter(|minted| minted.identity == Demand::Cell(&want.cell).identity(name));
            if let Some(minted) = ours {
                found.entry(&want.cell).or_insert(&minted.certificate);
            }
        }
        found
    }
}

/// What the certificates of a cluster are judged against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchors<'a> {
    /// The roots of the lab.
    pub(crate) roots: &'a [Certificate],
    /// The CA of the cell, if there is one.
    pub(crate) cell: Option<&'a Certificate>,
}

/// What a cluster wants beside what it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    pub(crate) name: &'a ClusterName,
    pub(crate) want: &'a ClusterWants,
    pub(crate) have: &'a ClusterLock,
    pub(crate) anchors: Anchors<'a>,
}

impl Standing<'_> {
    fn lacks(&self) -> Vec<Lack> {
        let certificates = self.want.demands().into_iter().filter_map(|demand| {
            let why = self.certificate(&demand)?;
            Some(Lack::Certificate {
                cluster: self.name.clone(),
                subject: demand.subject(),
                why,
            })
        });
        let secrets = self.want.secrets.iter().filter_map(|(id, secret)| {
            let why = self.secret(id, secret)?;
            let (id, namespace) = (id.clone(), secret.namespace.clone());
            Some(Lack::Secret {
                cluster: self.name.clone(),
                id,
                namespace,
                why,
            })
        });
        certificates.chain(secrets).collect()
    }

    /// What is the matter with the certificate that meets `demand`.
    pub(crate) fn certificate(&self, demand: &Demand<'_>) -> Option<Why> {
        let subject = demand.subject();
        match self.have.certificates.get(&subject) {
            None => Some(Why::Missing),
            Some(minted) if minted.identity != demand.identity(self.name) => Some(Why::Changed),
            Some(minted) => self.issuer(&subject, &minted.certificate),
        }
    }

    fn issuer(&self, subject: &Subject, certificate: &Certificate) -> Option<Why> {
        let other = |issuers: &[Certificate]| !issuers.iter().any(|issuer| certificate.names_issuer(issuer));
        match subject {
            Subject::Mesh | Subject::Ingress => other(self.anchors.roots).then_some(Why::OtherIssuer),
            Subject::Cell => (self.anchors.cell != Some(certificate)).then_some(Why::Differs),
            Subject::Sealing => None,
            Subject::Server(_) => {
                let ingress = self.have.certificate(&Subject::Ingress);
                other(ingress.map(std::slice::from_ref).unwrap_or_default()).then_some(Why::OtherIssuer)
            }
        }
    }

    /// What is the matter with a Secret.
    pub(crate) fn secret(&self, id: &SecretId, secret: &SecretWant) -> Option<Why> {
        let Some(sealed) = self.have.secrets.get(id) else {
            return Some(Why::Missing);
        };
        let same = Recipe::of(self, id, secret).is_some_and(|recipe| recipe.identity() == sealed.identity);
        let whole = sealed.data.keys().eq(secret.data.keys());
        (!same || !whole).then_some(Why::Changed)
    }
}
