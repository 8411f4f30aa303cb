//! What `VirtualService` and `DestinationRule` say of subsets and shares.

use super::Sight;
use super::workload::{Labels, labels};
use crate::core::value::Value;

/// A subset that a route sends calls to.
#[derive(Debug)]
pub(super) struct SubsetUse {
    /// Complete name of the host.
    pub(super) host: String,
    pub(super) subset: String,
}

/// The subsets of a host that a rule declares, by name.
#[derive(Debug)]
pub(super) struct Subsets {
    /// Complete name of the host.
    pub(super) host: String,
    pub(super) subsets: Vec<(String, Labels)>,
}

/// The subsets that a `VirtualService` names, and the weights of its routes that do not add up to 100.
pub(super) fn of_virtual_service(sight: &Sight<'_>) -> (Vec<SubsetUse>, Vec<Vec<u64>>) {
    let spec = &sight.document["spec"];
    let mut uses = Vec::new();
    let mut unbalanced = Vec::new();
    for rule in ["http", "tls", "tcp"].iter().flat_map(|kind| items(&spec[kind])) {
        let route = &rule["route"];
        unbalanced.extend(out_of_balance(route));
        let mirrors = items(&rule["mirrors"]).map(|mirror| &mirror["destination"]);
        let destinations = items(route).map(|share| &share["destination"]);
        let all = destinations.chain(mirrors).chain([&rule["mirror"]]);
        uses.extend(all.filter_map(|destination| subset_use(sight, destination)));
    }
    (uses, unbalanced)
}

/// The weights of a route if they are not percentages of a whole. A single destination without a weight gets everything.
fn out_of_balance(route: &Value) -> Option<Vec<u64>> {
    let weights: Vec<Option<u64>> = items(route).map(|share| share["weight"].as_u64()).collect();
    let whole = matches!(weights[..], [] | [None]);
    let weights: Vec<u64> = weights.into_iter().map(Option::unwrap_or_default).collect();
    (!whole && weights.iter().sum::<u64>() != 100).then_some(weights)
}

fn subset_use(sight: &Sight<'_>, destination: &Value) -> Option<SubsetUse> {
    Some(SubsetUse {
        host: sight.complete(destination["host"].as_str()?),
        subset: destination["subset"].as_str()?.to_owned(),
    })
}

/// The subsets that a `DestinationRule` declares, if any.
pub(super) fn of_destination_rule(sight: &Sight<'_>) -> Option<Subsets> {
    let spec = &sight.document["spec"];
    let subset = |subset: &Value| Some((subset["name"].as_str()?.to_owned(), labels(&subset["labels"])));
    let subsets: Vec<(String, Labels)> = items(&spec["subsets"]).filter_map(subset).collect();
    (!subsets.is_empty()).then_some(Subsets {
        host: sight.complete(spec["host"].as_str()?),
        subsets,
    })
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
