//! The certificates that a cluster must have, and what each is made from.

use std::collections::BTreeSet;

use serde_json::json;

use super::identity::Identity;
use super::names::ServerNames;
use super::part::Part;
use super::subject::Subject;
use super::wants::{ClusterWants, IngressCa, MeshCa};
use crate::core::name::{CellName, ClusterName};

/// A certificate that a cluster must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand<'a> {
    Mesh(&'a MeshCa),
    Ingress(&'a IngressCa),
    Cell(&'a CellName),
    Sealing,
    Server(&'a ServerNames),
}

impl ClusterWants {
    /// The certificates that the cluster must have: issuers before what they issue, each once.
    pub(crate) fn demands(&self) -> Vec<Demand<'_>> {
        let mesh = self.mesh.as_ref().map(Demand::Mesh);
        let ingress = self.ingress.as_ref().map(Demand::Ingress);
        let cell = self.cell_ca.then_some(Demand::Cell(&self.cell));
        let sealing = self.seals().then_some(Demand::Sealing);
        let servers = self.servers().into_iter().map(Demand::Server);
        [mesh, ingress, cell, sealing]
            .into_iter()
            .flatten()
            .chain(servers)
            .collect()
    }

    fn servers(&self) -> BTreeSet<&ServerNames> {
        let parts = self.secrets.values().flat_map(|secret| secret.data.values());
        parts
            .filter_map(|part| {
                if let Part::Server { dns, .. } = part {
                    Some(dns)
                } else {
                    None
                }
            })
            .collect()
    }
}

impl Demand<'_> {
    /// Whom the certificate is for.
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Mesh(_) => Subject::Mesh,
            Self::Ingress(_) => Subject::Ingress,
            Self::Cell(_) => Subject::Cell,
            Self::Sealing => Subject::Sealing,
            Self::Server(names) => Subject::Server((*names).clone()),
        }
    }

    /// What the certificate of `cluster` is made from.
    ///
    /// Algorithms, lifetimes and the organisation are no part of it: they apply to what is minted next, so that a change of
    /// them replaces nothing that works.
    pub(crate) fn identity(&self, cluster: &ClusterName) -> Identity {
        Identity::of(&match self {
            Self::Mesh(ca) => json!({"cluster": cluster, "mesh": ca}),
            Self::Ingress(ca) => json!({"cluster": cluster, "ingress": ca}),
            Self::Cell(cell) => json!({"cell": cell}),
            Self::Sealing => json!({"cluster": cluster, "sealing": true}),
            Self::Server(names) => json!({"cluster": cluster, "server": names.iter().collect::<Vec<_>>()}),
        })
    }
}
