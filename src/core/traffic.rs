//! Istio's routes, checked against each other when they are rendered: shares that add up, subsets that are declared, and workloads that carry them.
//!
//! Istio takes shares that do not add up to 100 for parts of their sum, and lets calls to a subset that nobody carries fail with 503: what
//! no validation refuses shows at run time, far from its cause. The rules are those of `DestinationRule` and `VirtualService`
//! (networking.istio.io/v1): short names belong to the namespace of the object, a subset is declared in its own cluster, and the workloads
//! of a service are those of all clusters of its cell.

mod route;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lab::{Cluster, Instance, Lab};
use super::problem::{Problem, Problems};
use super::resolve::place_of;
use super::source::{Place, Source};
use super::value::Value;
use route::{SubsetUse, Subsets};
use workload::{Labels, Service, Workload};

/// What the documents of one cluster say about traffic.
#[derive(Debug, Default)]
pub struct Traffic {
    cluster: usize,
    problems: Problems,
    uses: Vec<Found<SubsetUse>>,
    declared: Vec<Found<Subsets>>,
    services: Vec<Service>,
    workloads: Vec<Workload>,
}

/// Something of a document, and who is to be told if it is wrong.
#[derive(Debug)]
struct Found<T> {
    what: T,
    blame: Blame,
}

/// Where the blueprint or the catalog decides about a document.
#[derive(Debug, Clone)]
struct Blame {
    /// `VirtualService purchase-history of purchase-history-routes on basics-1`.
    who: String,
    instance: Place,
    template: Place,
}

impl Blame {
    fn problem(&self, what: &str, help: impl Into<String>) -> Problem {
        Problem::at(self.instance.clone(), format!("{}: {what}", self.who))
            .related(self.template.clone(), "its template")
            .help(help)
    }
}

/// The document that is looked at, and where it comes from.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// The cluster that gets the document.
    pub cluster: &'a Cluster,
    /// The instance that it belongs to.
    pub instance: &'a Instance,
    /// Its template.
    pub template: &'a Arc<Source>,
    /// The document itself.
    pub document: &'a Value,
}

impl Sight<'_> {
    fn blame(&self) -> Blame {
        let kind = self.document["kind"].as_str().unwrap_or_default();
        Blame {
            who: format!(
                "{kind} `{}` of `{}` on {}",
                name(self.document),
                self.instance.name,
                self.cluster.name
            ),
            instance: place_of(self.lab, self.cluster, self.instance),
            template: Place::file(self.template),
        }
    }

    /// `<name>.<namespace>.svc.<domain>` of a host; names with dots are complete.
    fn complete(&self, host: &str) -> String {
        if host.contains('.') {
            return host.to_owned();
        }
        let domain = self.lab.cluster_domain(self.cluster);
        format!("{host}.{}.svc.{domain}", namespace(self.document))
    }
}

fn name(document: &Value) -> &str {
    document["metadata"]["name"].as_str().unwrap_or_default()
}

fn namespace(document: &Value) -> &str {
    document["metadata"]["namespace"].as_str().unwrap_or("default")
}

impl Traffic {
    /// Nothing seen yet of the cluster at `index`.
    pub fn of(index: usize) -> Self {
        Self {
            cluster: index,
            ..Self::default()
        }
    }

    /// Takes what a document says about traffic; most say nothing.
    pub fn see(&mut self, sight: &Sight<'_>) {
        match sight.document["kind"].as_str().unwrap_or_default() {
            "VirtualService" => {
                let blame = sight.blame();
                let (uses, unbalanced) = route::of_virtual_service(sight);
                self.problems
                    .extend(unbalanced.into_iter().map(|sum| unbalanced_route(&blame, &sum)));
                let found = uses.into_iter().map(|what| Found {
                    what,
                    blame: blame.clone(),
                });
                self.uses.extend(found);
            }
            "DestinationRule" => self
                .declared
                .extend(route::of_destination_rule(sight).map(|what| Found {
                    what,
                    blame: sight.blame(),
                })),
            "Service" => self.services.extend(workload::of_service(sight)),
            _ => self.workloads.extend(workload::of(sight.document)),
        }
    }
}

fn unbalanced_route(blame: &Blame, weights: &[u64]) -> Problem {
    let sum: u64 = weights.iter().sum();
    let terms: Vec<String> = weights.iter().map(u64::to_string).collect();
    let what = format!(
        "the weights of a route add up to {sum}, not to 100 ({})",
        terms.join(" + ")
    );
    blame.problem(&what, "weights are shares in percent: change one of them")
}

/// What is wrong with the traffic of a lab, of whose clusters everything was seen.
pub fn problems(lab: &Lab, mut seen: Vec<Traffic>) -> Problems {
    seen.sort_by_key(|traffic| traffic.cluster);
    let mut problems = Problems::default();
    for traffic in &mut seen {
        problems.extend(std::mem::take(&mut traffic.problems));
    }
    let mut cells: BTreeMap<Option<usize>, Vec<&Traffic>> = BTreeMap::new();
    for traffic in &seen {
        cells
            .entry(lab.clusters[traffic.cluster].cell)
            .or_default()
            .push(traffic);
    }
    for cell in cells.values() {
        let busy = cell
            .iter()
            .filter(|one| !(one.uses.is_empty() && one.declared.is_empty()));
        problems.extend(busy.flat_map(|traffic| traffic.undeclared().into_iter().chain(traffic.uncarried(cell))));
    }
    problems
}

impl Traffic {
    /// Subsets that a route names and no rule of that host declares.
    fn undeclared(&self) -> Vec<Problem> {
        let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for Found { what, .. } in &self.declared {
            let names = what.subsets.iter().map(|(name, _)| name.as_str());
            known.entry(&what.host).or_default().extend(names);
        }
        let none = BTreeSet::new();
        let of = |host: &str| known.get(host).unwrap_or(&none);
        let missing = self
            .uses
            .iter()
            .filter(|one| !of(&one.what.host).contains(one.what.subset.as_str()));
        missing
            .map(|Found { what: used, blame }| {
                let what = format!(
                    "no DestinationRule of {} declares the subset `{}`",
                    used.host, used.subset
                );
                let names: Vec<&str> = of(&used.host).iter().copied().collect();
                let help = if names.is_empty() {
                    "calls to it would fail with 503: declare the subset".to_owned()
                } else {
                    format!("calls to it would fail with 503; declared are: {}", names.join(", "))
                };
                blame.problem(&what, help).did_you_mean(&used.subset, names)
            })
            .collect()
    }

    /// Subsets of services of ours whose labels no workload of the service has, in any of the clusters `cell`.
    fn uncarried(&self, cell: &[&Self]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for Found { what: rule, blame } in &self.declared {
            let pods = pods_of(&rule.host, cell);
            for (subset, labels) in rule.subsets.iter().filter(|_| !pods.is_empty()) {
                if !pods.iter().any(|pod| workload::carries(pod, labels)) {
                    let wanted: Vec<String> = labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                    let what = format!(
                        "no workload of {} carries the subset `{subset}` ({})",
                        rule.host,
                        wanted.join(", ")
                    );
                    let help = "calls to it would fail with 503: deploy such a workload, or remove the subset";
                    problems.push(blame.problem(&what, help));
                }
            }
        }
        problems
    }
}

/// Labels of the pods behind a host. None where no Service of ours has that name, or where what it selects is not ours: a chart's.
fn pods_of<'a>(host: &str, cell: &[&'a Traffic]) -> Vec<&'a Labels> {
    let services = cell.iter().flat_map(|traffic| &traffic.services);
    let service: Vec<&Service> = services.filter(|service| service.host == host).collect();
    let workloads = cell.iter().flat_map(|traffic| &traffic.workloads);
    let selected = workloads.filter(|pods| {
        let selects =
            |one: &&Service| one.namespace == pods.namespace && workload::carries(&pods.labels, &one.selector);
        service.iter().any(selects)
    });
    selected.map(|pods| &pods.labels).collect()
}

#[cfg(test)]
mod tests;
