//! A lock that has everything: what rendering reads.

use std::collections::BTreeMap;

use super::certificate::{Certificate, bundle};
use super::lacking::{Lack, lacking};
use super::lock::{ClusterLock, Lock};
use super::names::{DataKey, SecretId};
use super::subject::Subject;
use super::wants::Wants;
use crate::core::name::ClusterName;

/// A lock that lacks nothing of what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteLock(Lock);

impl Lock {
    /// The lock as a complete one.
    ///
    /// # Errors
    /// What it lacks.
    pub fn complete(self, wants: &Wants) -> Result<CompleteLock, Vec<Lack>> {
        let lacks = lacking(wants, &self);
        if lacks.is_empty() {
            Ok(CompleteLock(self))
        } else {
            Err(lacks)
        }
    }
}

impl CompleteLock {
    /// The roots of the lab, in PEM: `root-cert.pem`.
    pub fn roots_pem(&self) -> String {
        bundle(&self.0.roots)
    }

    /// What a cluster has.
    pub fn cluster(&self, name: &ClusterName) -> Option<ClusterPki<'_>> {
        self.0.clusters.get(name).map(|lock| ClusterPki {
            lock,
            roots: &self.0.roots,
        })
    }

    /// The lock itself, to be written.
    pub fn lock(&self) -> &Lock {
        &self.0
    }
}

/// The PKI of one cluster.
#[derive(Debug, Clone, Copy)]
pub struct ClusterPki<'a> {
    lock: &'a ClusterLock,
    roots: &'a [Certificate],
}

/// The public files of a certificate authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaFiles<'a> {
    /// `ca-cert.pem`: its certificate.
    pub certificate: &'a str,
    /// `cert-chain.pem`: the certificate and the intermediates above it, without the root.
    pub chain: String,
    /// `root-cert.pem`: the roots by which it is trusted.
    pub roots: String,
}

impl<'a> ClusterPki<'a> {
    /// The Istio intermediate, if the cluster wants one.
    pub fn mesh_ca(&self) -> Option<CaFiles<'a>> {
        self.ca(&Subject::Mesh)
    }

    /// The intermediate for server certificates, if the cluster wants one.
    pub fn ingress_ca(&self) -> Option<CaFiles<'a>> {
        self.ca(&Subject::Ingress)
    }

    /// The certificate of the CA that the cell shares, if the cluster wants it.
    pub fn cell_ca(&self) -> Option<&'a str> {
        self.certificate(&Subject::Cell).map(Certificate::pem)
    }

    /// The certificate of the sealing key (`tls.crt` of the controller's key), if the cluster seals anything.
    pub fn sealing(&self) -> Option<&'a str> {
        self.certificate(&Subject::Sealing).map(Certificate::pem)
    }

    /// Any certificate of the cluster.
    pub fn certificate(&self, subject: &Subject) -> Option<&'a Certificate> {
        self.lock.certificate(subject)
    }

    /// The values of a `SealedSecret`'s `spec.encryptedData`, by data key.
    pub fn secret(&self, id: &SecretId) -> Option<&'a BTreeMap<DataKey, String>> {
        self.lock.secrets.get(id).map(|sealed| &sealed.data)
    }

    fn ca(&self, subject: &Subject) -> Option<CaFiles<'a>> {
        Some(CaFiles {
            certificate: self.certificate(subject)?.pem(),
            chain: bundle(self.lock.chain(subject)?),
            roots: bundle(self.roots),
        })
    }
}
