//! `.global` names: services of other meshes, called through the east-west gateways of the clusters that serve them.

use std::collections::BTreeSet;

use crate::core::lab::{Cluster, Import, Instance, Lab};
use crate::core::problem::Problem;
use crate::core::source::Place;

use super::populate::place_of;

/// Imports that no other cluster serves, or that several serve and nobody said how they share the calls.
pub(super) fn of_cluster(lab: &Lab, cluster: &Cluster) -> Vec<Problem> {
    let imports = cluster
        .instances
        .values()
        .flat_map(|instance| instance.imports.iter().map(move |import| (instance, import)));
    imports
        .filter_map(|(instance, import)| problem(lab, cluster, instance, import))
        .collect()
}

fn problem(lab: &Lab, cluster: &Cluster, instance: &Instance, import: &Import) -> Option<Problem> {
    let host = import.host.as_str();
    let servers: Vec<&str> = lab
        .servers(host)
        .filter(|server| server.name != cluster.name)
        .map(|server| server.name.as_str())
        .collect();
    let at = |message: String| Problem::at(place_of(lab, cluster, instance), message);
    let who = format!("`{}` on {}", instance.name, cluster.name);
    if servers.is_empty() {
        return Some(unserved(
            lab,
            cluster,
            at(format!("{who} calls `{host}`, which no other cluster serves")),
            host,
        ));
    }
    if let Some(stranger) = import.weights.keys().find(|name| !servers.contains(&name.as_str())) {
        let place = Place::key(&lab.source, weights(cluster, instance)?.join(stranger));
        return Some(
            Problem::at(
                place,
                format!("{stranger} has a share of `{host}`, but does not serve it"),
            )
            .help(format!("served by: {}", servers.join(", "))),
        );
    }
    let shares = |name: &&str| import.weights.contains_key(*name);
    if servers.len() > 1 && !servers.iter().all(shares) {
        let example: Vec<String> = servers.iter().map(|name| format!("{name}: 50")).collect();
        return Some(
            at(format!(
                "{who} calls `{host}`, which {} serve: nobody says how they share the calls",
                servers.join(" and ")
            ))
            .help(format!("add `parameters: {{weights: {{{}}}}}`", example.join(", "))),
        );
    }
    None
}

/// Where the blueprint would say how clusters share the calls.
fn weights(cluster: &Cluster, instance: &Instance) -> Option<crate::core::source::Path> {
    let choice = cluster.settings.components.get(&instance.name)?;
    Some(choice.path.join("parameters").join("weights"))
}

fn unserved(lab: &Lab, cluster: &Cluster, problem: Problem, host: &str) -> Problem {
    let others = lab.active().filter(|other| other.name != cluster.name);
    let known: BTreeSet<&str> = others
        .flat_map(|other| other.instances.values())
        .flat_map(|instance| &instance.exports)
        .map(String::as_str)
        .collect();
    let help = match known.iter().copied().collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => {
            "no other cluster has a service that exports its name: place a `mesh-service` there".to_owned()
        }
        list => format!("other clusters serve: {list}"),
    };
    problem.help(help).did_you_mean(host, known)
}
