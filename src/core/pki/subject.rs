//! Whom a certificate is for, and where a private value is kept.

use std::fmt;

use super::identity::sha256_hex;
use super::names::{DataKey, SecretId, ServerNames};
use super::part::Authority;
use crate::core::name::{CellName, ClusterName};

/// Whom a certificate of a cluster is for. The order is that of minting: issuers before what they issue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The cluster's Istio intermediate, issued by the root.
    Mesh,
    /// The cluster's intermediate for server certificates, issued by the root.
    Ingress,
    /// The CA that the clusters of the cell share, self-signed.
    Cell,
    /// The cluster's sealing key, self-signed.
    Sealing,
    /// A server, issued by the ingress intermediate.
    Server(ServerNames),
}

impl From<Authority> for Subject {
    fn from(authority: Authority) -> Self {
        match authority {
            Authority::Mesh => Self::Mesh,
            Authority::Ingress => Self::Ingress,
            Authority::Cell => Self::Cell,
        }
    }
}

impl Subject {
    /// The key of its entry in the lock: `mesh`, `ingress`, `cell`, `sealing` or `server/<names>`.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Mesh => "mesh".to_owned(),
            Self::Ingress => "ingress".to_owned(),
            Self::Cell => "cell".to_owned(),
            Self::Sealing => "sealing".to_owned(),
            Self::Server(names) => format!("server/{names}"),
        }
    }

    /// Reads back what [`Self::key`] wrote.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        Some(match key {
            "mesh" => Self::Mesh,
            "ingress" => Self::Ingress,
            "cell" => Self::Cell,
            "sealing" => Self::Sealing,
            _ => Self::Server(ServerNames::new(key.strip_prefix("server/")?.split(',')).ok()?),
        })
    }
}

impl fmt::Display for Subject {
    /// For people: `Istio CA`, `server certificate for a.demo.lab`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mesh => f.write_str("Istio CA"),
            Self::Ingress => f.write_str("ingress CA"),
            Self::Cell => f.write_str("cell CA"),
            Self::Sealing => f.write_str("sealing key"),
            Self::Server(names) => write!(f, "server certificate for {names}"),
        }
    }
}

/// Where the keystore keeps one value; shown as its path in the keystore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The root's private key.
    Root,
    /// The root's certificate, so that a lost lock can be rebuilt with the same root.
    RootCertificate,
    /// The private key of a cell's CA.
    Cell(CellName),
    /// The certificate of a cell's CA, for the same reason.
    CellCertificate(CellName),
    /// The private key of a certificate of a cluster.
    Cluster(ClusterName, Subject),
    /// A password.
    Random(ClusterName, SecretId, DataKey),
}

impl Slot {
    /// Where the private key of `subject` is kept.
    pub(crate) fn of(cluster: &ClusterName, cell: &CellName, subject: &Subject) -> Self {
        match subject {
            Subject::Cell => Self::Cell(cell.clone()),
            _ => Self::Cluster(cluster.clone(), subject.clone()),
        }
    }

    /// The path in the keystore, with `/`.
    pub fn path(&self) -> String {
        match self {
            Self::Root => "root.key.pem".to_owned(),
            Self::RootCertificate => "root.cert.pem".to_owned(),
            Self::Cell(cell) => format!("cells/{cell}/ca.key.pem"),
            Self::CellCertificate(cell) => format!("cells/{cell}/ca.cert.pem"),
            Self::Cluster(cluster, subject) => format!("clusters/{cluster}/{}.key.pem", file_name(subject)),
            Self::Random(cluster, secret, key) => format!("secrets/{cluster}/{secret}/{key}"),
        }
    }
}

fn file_name(subject: &Subject) -> String {
    match subject {
        Subject::Mesh => "mesh-ca".to_owned(),
        Subject::Ingress => "ingress-ca".to_owned(),
        Subject::Cell => "cell-ca".to_owned(),
        Subject::Sealing => "sealing".to_owned(),
        Subject::Server(names) => format!("servers/{}", server_file_name(names)),
    }
}

/// The first name for people, a hash of all for uniqueness; names may be longer than a file name.
fn server_file_name(names: &ServerNames) -> String {
    let all = names.to_string();
    let first: String = names
        .iter()
        .next()
        .unwrap_or_default()
        .replace('*', "_")
        .chars()
        .take(100)
        .collect();
    format!("{first}-{}", &sha256_hex(all.as_bytes())[..8])
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_lock_are_read_back() {
        let server = Subject::Server(ServerNames::new(["b.demo.lab", "*.demo.lab"]).unwrap());
        for subject in [Subject::Mesh, Subject::Ingress, Subject::Cell, Subject::Sealing, server] {
            assert_eq!(Subject::parse(&subject.key()), Some(subject));
        }
        assert_eq!(Subject::parse("server/"), None);
        assert_eq!(Subject::parse("root"), None);
    }

    #[test]
    fn paths_of_servers_are_legal_and_distinct() {
        let cluster = ClusterName::new("pasta-1").unwrap();
        let path = |names: &[&str]| {
            let names = ServerNames::new(names.iter().copied()).unwrap();
            Slot::Cluster(cluster.clone(), Subject::Server(names)).path()
        };
        assert!(path(&["*.demo.lab"]).starts_with("clusters/pasta-1/servers/_.demo.lab-"));
        assert_ne!(path(&["a.demo.lab"]), path(&["a.demo.lab", "b.demo.lab"]));
        let long = format!("{0}.{0}.{0}.lab", "a".repeat(63));
        assert!(path(&[&long]).rsplit('/').next().unwrap().len() < 255);
    }
}
