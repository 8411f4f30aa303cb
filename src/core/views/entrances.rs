//! What templates see of ways into clusters.

use std::collections::BTreeMap;

use minijinja::Value;

use super::{extend, placed_view};
use crate::core::lab::{Cluster, Lab};
use crate::core::template::from_value;

/// The clusters that serve each `.global` name that some cluster imports.
pub(super) fn exports<'a>(lab: &'a Lab, summaries: &[Value]) -> BTreeMap<&'a str, Vec<Value>> {
    let imports = lab.active().flat_map(Cluster::imports);
    imports
        .map(|import| {
            let servers = lab.servers(&import.host);
            (
                import.host.as_str(),
                servers.map(|server| summaries[server.index].clone()).collect(),
            )
        })
        .collect()
}

/// Clusters whose entrances have addresses of their own: each a summary with `instances`, and of these the `parameters` too.
pub(super) fn sites(lab: &Lab, summaries: &[Value]) -> Vec<Value> {
    let clusters = lab.active().filter(|cluster| cluster.load_balancers.is_some());
    clusters
        .map(|cluster| {
            let instances = cluster.instances.values().map(|instance| {
                let parameters = ("parameters", from_value(&instance.parameters));
                extend(&placed_view(lab, cluster, instance), std::iter::once(parameters))
            });
            let instances: Vec<Value> = instances.collect();
            extend(
                &summaries[cluster.index],
                std::iter::once(("instances", instances.into())),
            )
        })
        .collect()
}
