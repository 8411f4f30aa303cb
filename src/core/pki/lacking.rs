//! The difference between what is wanted and what the lock has.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::json;

use super::certificate::Certificate;
use super::identity::Identity;
use super::lock::{ClusterLock, Lock};
use super::names::{SecretId, ServerNames};
use super::part::Part;
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
            Self::Secret { cluster, id, namespace, why: Why::Missing } => {
                write!(f, "the Secret {namespace}/{} of {cluster} ({}) is not sealed yet", id.name, id.instance)
            }
            Self::Secret { cluster, id, namespace, .. } => {
                write!(f, "the Secret {namespace}/{} of {cluster} ({}) was sealed from something else", id.name, id.instance)
            }
        }
    }
}

/// Everything that `wants` asks for and `lock` does not have as asked, sorted by cluster. Empty: the lock is complete.
pub fn lacking(wants: &Wants, lock: &Lock) -> Vec<Lack> {
    let root = lock.roots.is_empty().then_some(Lack::Root);
    let nothing = ClusterLock::default();
    let of_cluster = |(name, want): (&ClusterName, &ClusterWants)| {
        let have = lock.clusters.get(name).unwrap_or(&nothing);
        let anchors = Anchors { roots: &lock.roots, cell: lock.cell_ca(wants, &want.cell) };
        Standing { name, want, have, anchors }.lacks()
    };
    root.into_iter().chain(wants.clusters.iter().flat_map(of_cluster)).collect()
}

impl Lock {
    /// The CA of `cell`: that of its first cluster, by name, which has one made for this cell.
    pub(crate) fn cell_ca(&self, wants: &Wants, cell: &CellName) -> Option<&Certificate> {
        let identity = cell_identity(cell);
        wants
            .clusters
            .iter()
            .filter(|(_, want)| want.cell == *cell && want.cell_ca)
            .filter_map(|(name, _)| self.clusters.get(name)?.certificates.get(&Subject::Cell))
            .find(|minted| minted.identity == identity)
            .map(|minted| &minted.certificate)
    }
}

/// The certificates that a cluster must have, and what each is made from.
///
/// Algorithms, lifetimes and the organisation are no part of it: they apply to what is minted next, so that a change of them
/// replaces nothing that works.
pub(crate) fn expected(name: &ClusterName, want: &ClusterWants) -> BTreeMap<Subject, Identity> {
    let mesh = want.mesh.as_ref().map(|ca| (Subject::Mesh, Identity::of(&json!({"cluster": name, "mesh": ca}))));
    let ingress = want.ingress.as_ref().map(|ca| (Subject::Ingress, Identity::of(&json!({"cluster": name, "ingress": ca}))));
    let cell = want.cell_ca.then(|| (Subject::Cell, cell_identity(&want.cell)));
    let sealing = want.seals().then(|| (Subject::Sealing, Identity::of(&json!({"cluster": name, "sealing": true}))));
    let server = |names: &ServerNames| {
        let identity = Identity::of(&json!({"cluster": name, "server": names.iter().collect::<Vec<_>>()}));
        (Subject::Server(names.clone()), identity)
    };
    let servers = servers(want).map(server);
    [mesh, ingress, cell, sealing].into_iter().flatten().chain(servers).collect()
}

fn cell_identity(cell: &CellName) -> Identity {
    Identity::of(&json!({"cell": cell}))
}

fn servers(want: &ClusterWants) -> impl Iterator<Item = &ServerNames> {
    want.secrets.values().flat_map(|secret| secret.data.values()).filter_map(|part| match part {
        Part::Server { dns, .. } => Some(dns),
        _ => None,
    })
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
        let certificates = expected(self.name, self.want).into_iter().filter_map(|(subject, identity)| {
            let why = self.certificate(&subject, &identity)?;
            Some(Lack::Certificate { cluster: self.name.clone(), subject, why })
        });
        let secrets = self.want.secrets.iter().filter_map(|(id, secret)| {
            let why = self.secret(id, secret)?;
            let (id, namespace) = (id.clone(), secret.namespace.clone());
            Some(Lack::Secret { cluster: self.name.clone(), id, namespace, why })
        });
        certificates.chain(secrets).collect()
    }

    /// What is the matter with the certificate of `subject`, which should be made from `identity`.
    pub(crate) fn certificate(&self, subject: &Subject, identity: &Identity) -> Option<Why> {
        match self.have.certificates.get(subject) {
            None => Some(Why::Missing),
            Some(minted) if minted.identity != *identity => Some(Why::Changed),
            Some(minted) => self.issuer(subject, &minted.certificate),
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
        let sealed = match self.have.secrets.get(id) {
            None => return Some(Why::Missing),
            Some(sealed) => sealed,
        };
        let same = Recipe::of(self, id, secret).is_some_and(|recipe| recipe.identity() == sealed.identity);
        let whole = sealed.data.keys().eq(secret.data.keys());
        (!same || !whole).then_some(Why::Changed)
    }
}
