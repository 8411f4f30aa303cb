//! Wants that contradict themselves: no lock could ever satisfy them.

use std::collections::BTreeSet;
use std::fmt;

use super::names::{DataKey, DnsName, SecretId, ServerNames};
use super::part::{Authority, Part};
use super::wants::{ClusterWants, Wants};
use crate::core::name::ClusterName;

/// A value of a Secret that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The cluster.
    pub cluster: ClusterName,
    /// The Secret.
    pub id: SecretId,
    /// The key in its data.
    pub key: DataKey,
    /// Why not, as the end of a sentence: `needs the mesh CA, which the cluster does not have`.
    pub reason: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: `{}` of the Secret {} {}",
            self.cluster, self.key, self.id, self.reason
        )
    }
}

/// Every value of a Secret that asks for an authority that its cluster does not have, or for a server certificate that the
/// ingress intermediate may not issue. Sorted by cluster.
pub fn unmet(wants: &Wants) -> Vec<Unmet> {
    wants
        .clusters
        .iter()
        .flat_map(|(name, want)| unmet_in(name, want))
        .collect()
}

fn unmet_in(cluster: &ClusterName, want: &ClusterWants) -> Vec<Unmet> {
    let of_secret = |(id, key, part)| {
        let reason = reason(want, part)?;
        let (id, key): (&SecretId, &DataKey) = (id, key);
        Some(Unmet {
            cluster: cluster.clone(),
            id: id.clone(),
            key: key.clone(),
            reason,
        })
    };
    let parts = want
        .secrets
        .iter()
        .flat_map(|(id, secret)| secret.data.iter().map(move |(key, part)| (id, key, part)));
    parts.filter_map(of_secret).collect()
}

fn reason(want: &ClusterWants, part: &Part) -> Option<String> {
    match part {
        Part::Authority { authority, .. } if !has(want, *authority) => {
            Some(format!("needs the {authority} CA, which the cluster does not have"))
        }
        Part::Server { dns, .. } => match &want.ingress {
            None => Some("needs a server certificate, but the cluster has no ingress CA to issue it".to_owned()),
            Some(ca) => outside(dns, &ca.dns),
        },
        _ => None,
    }
}

fn has(want: &ClusterWants, authority: Authority) -> bool {
    match authority {
        Authority::Mesh => want.mesh.is_some(),
        Authority::Ingress => want.ingress.is_some(),
        Authority::Cell => want.cell_ca,
    }
}

fn outside(dns: &ServerNames, permitted: &BTreeSet<DnsName>) -> Option<String> {
    let outside: Vec<&str> = dns.outside(permitted).collect();
    let permitted: Vec<&str> = permitted.iter().map(DnsName::as_str).collect();
    (!outside.is_empty()).then(|| {
        let (outside, permitted) = (outside.join(", "), permitted.join(", "));
        format!(
            "asks for a server certificate for {outside}, but the ingress CA may only issue names within {permitted}"
        )
    })
}
