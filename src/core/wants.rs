//! What a lab needs to trust and to hide: certificate authorities, server certificates, sealing keys, secrets.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::blueprint::{Dataplane, Issuer};
use super::catalog::SecretSpec;
use super::lab::{Cell, Cluster, Instance, Lab, MANAGER_CELL};
use super::name::{CellName, ClusterName};
use super::pki::{
    Authority, ClusterWants, DataKey, DnsName, IngressCa, MeshCa, Organization, Part, PkiSpec, SecretId, SecretName,
    SecretWant, Unmet, Wants, unmet,
};
use super::problem::{Problem, Problems};
use super::template::Scope;
use super::value::Map;
use super::views::{Views, with_instance};

/// The component that decrypts secrets of the backend `sealed-secrets`.
pub(crate) const SEALED_SECRETS: &str = "sealed-secrets";

/// Everything that the lock must hold for a lab.
///
/// # Errors
/// Secrets of components that do not say where a value comes from, or in a form that is not known.
pub fn wants(lab: &Lab) -> Result<Wants, Problems> {
    let views = Views::new(lab, "");
    let found: Vec<_> = lab
        .clusters
        .par_iter()
        .map(|cluster| Ok((cluster.name.clone(), of_cluster(lab, &views, cluster)?)))
        .collect();
    let mut problems = Problems::default();
    let clusters: BTreeMap<ClusterName, ClusterWants> =
        found.into_iter().filter_map(|one| problems.take(one)).collect();
    let pki = pki(lab).map_err(Problem::new)?;
    let wants = Wants {
        lab: lab.name.clone(),
        root: lab.pki.issuer == Issuer::Meshlab,
        pki,
        sealing_key: lab.secrets.key,
        clusters,
    };
    problems.extend(unmet(&wants).iter().map(|unmet| impossible(lab, unmet)));
    problems.or(wants)
}

/// A value that no lock can hold, where its component declares it.
fn impossible(lab: &Lab, unmet: &Unmet) -> Problem {
    let declared = lab
        .clusters
        .iter()
        .find(|cluster| cluster.name == unmet.cluster)
        .and_then(|cluster| {
            let id = &unmet.id.instance;
            let component = &cluster.instances.get(id).or_else(|| cluster.later.get(id))?.component;
            component.secrets.get(unmet.id.name.as_str())
        });
    match declared {
        Some(spec) => Problem::at(spec.place.clone(), unmet.to_string()),
        None => Problem::new(unmet.to_string()),
    }
}

fn pki(lab: &Lab) -> Result<PkiSpec, String> {
    Ok(PkiSpec {
        organization: Organization::new(&lab.pki.organization)?,
        key: lab.pki.key,
        root_years: lab.pki.root_years,
        intermediate_years: lab.pki.intermediate_years,
        server_days: lab.pki.server_days,
    })
}

fn of_cluster(lab: &Lab, views: &Views, cluster: &Cluster) -> Result<ClusterWants, Problems> {
    let secrets = secrets(lab, views, cluster)?;
    let parts: Vec<&Part> = secrets.values().flat_map(|secret| secret.data.values()).collect();
    let authority = |wanted| {
        parts
            .iter()
            .any(|part| matches!(part, Part::Authority { authority, .. } if *authority == wanted))
    };
    let serves = parts.iter().any(|part| matches!(part, Part::Server { .. }));
    // Whoever else signs keeps its keys to itself: then a value that asks for an authority of the lock is refused below.
    let ours = lab.pki.issuer == Issuer::Meshlab;
    let mesh = lab
        .cell_of(cluster)
        .filter(|_| ours && authority(Authority::Mesh))
        .map(|cell| mesh_ca(lab, cell));
    let domains = || std::iter::once(&lab.domain).chain(&lab.hosts);
    let ingress =
        (ours && (authority(Authority::Ingress) || serves)).then(|| domains().map(|name| DnsName::new(name)).collect());
    Ok(ClusterWants {
        cell: CellName::new(lab.cell_of(cluster).map_or(MANAGER_CELL, |cell| cell.name.as_str()))
            .map_err(Problem::new)?,
        mesh: mesh.transpose().map_err(Problem::new)?,
        ingress: ingress.transpose().map_err(Problem::new)?.map(|dns| IngressCa { dns }),
        cell_ca: authority(Authority::Cell),
        sealing: (cluster.instances.values())
            .chain(cluster.later.values())
            .any(|one| one.component.name.as_str() == SEALED_SECRETS && !one.external),
        secrets,
    })
}

/// In a cell of sidecars alone an intermediate can be bound to its trust domain; ztunnel's rustls would refuse such a chain.
fn mesh_ca(lab: &Lab, cell: &Cell) -> Result<MeshCa, String> {
    let constrain_uri = lab
        .clusters_of(cell)
        .all(|cluster| cluster.settings.istio.dataplane == Dataplane::Sidecar);
    Ok(MeshCa {
        trust_domain: DnsName::new(&cell.trust_domain())?,
        constrain_uri,
    })
}

fn secrets(lab: &Lab, views: &Views, cluster: &Cluster) -> Result<BTreeMap<SecretId, SecretWant>, Problems> {
    let all = cluster.instances.values().chain(cluster.later.values());
    let hiding: Vec<&Instance> = all
        .filter(|instance| !instance.external && !instance.component.secrets.is_empty())
        .collect();
    let mut problems = Problems::default();
    let mut found = BTreeMap::new();
    if !hiding.is_empty() {
        let scope = views.cluster_scope(lab, cluster.index);
        for instance in hiding {
            let scope = with_instance(&scope, instance);
            for (name, spec) in &instance.component.secrets {
                found.extend(problems.take(secret(instance, name, spec, &scope)));
            }
        }
    }
    problems.or(found)
}

fn secret(
    instance: &Instance,
    name: &str,
    spec: &SecretSpec,
    scope: &Scope,
) -> Result<(SecretId, SecretWant), Problems> {
    let at = |why: String| {
        Problem::at(
            spec.place.clone(),
            format!("secret `{name}` of `{}`: {why}", instance.component.name),
        )
    };
    let data = spec.data.render(scope)?;
    let mut problems = Problems::default();
    let empty = Map::new();
    let parts = data.as_object().unwrap_or(&empty).iter().filter_map(|(key, value)| {
        let part = DataKey::new(key).and_then(|key| Ok((key, Part::parse(value)?)));
        problems.take(part.map_err(|why| at(format!("`{key}`: {why}")).into()))
    });
    let data = parts.collect();
    let name = SecretName::new(name).map_err(at)?;
    let id = SecretId {
        instance: instance.name.clone(),
        name,
    };
    problems.or((
        id,
        SecretWant {
            namespace: instance.namespace.clone(),
            data,
        },
    ))
}
