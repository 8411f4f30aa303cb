//! Known limits of upstream that a lab meets: told to its author, who can allow them by code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rayon::prelude::*;

use super::catalog::Limit;
use super::lab::{Cluster, Lab};
use super::problem::Problems;
use super::views::{Views, with_instance};

/// A limit that some clusters of a lab meet.
#[derive(Debug)]
pub struct Warning<'a> {
    /// The limit.
    pub limit: &'a Limit,
    /// Where it is met, in the lab's order.
    pub clusters: Vec<&'a str>,
    /// Why the blueprint allows it, if it does.
    pub allowed: Option<&'a str>,
}

/// What a lab should know of itself.
#[derive(Debug, Default)]
pub struct Warnings<'a> {
    /// Limits that it meets, by code.
    pub met: Vec<Warning<'a>>,
    /// Codes that it allows but does not meet.
    pub unused: Vec<&'a str>,
}

impl Warnings<'_> {
    /// Whether there is nothing that its author should hear.
    pub fn is_silent(&self) -> bool {
        self.unused.is_empty() && self.met.iter().all(|warning| warning.allowed.is_some())
    }
}

/// The limits that a lab meets; `roots` are its root certificates in PEM, once there are any.
///
/// # Errors
/// Conditions that fail.
pub fn warnings<'a>(lab: &'a Lab, roots: &str) -> Result<Warnings<'a>, Problems> {
    let views = Views::new(lab, roots);
    let found: Vec<_> = lab
        .clusters
        .par_iter()
        .map(|cluster| Ok((cluster, met_by(lab, &views, cluster)?)))
        .collect();
    let mut problems = Problems::default();
    let mut met: BTreeMap<&str, Warning<'a>> = BTreeMap::new();
    for (cluster, limits) in found.into_iter().filter_map(|one| problems.take(one)) {
        for limit in limits {
            let fresh = || Warning {
                limit,
                clusters: Vec::new(),
                allowed: lab.allow.get(&limit.code).map(String::as_str),
            };
            let warning = met.entry(&limit.code).or_insert_with(fresh);
            if warning.clusters.last() != Some(&cluster.name.as_str()) {
                warning.clusters.push(cluster.name.as_str());
            }
        }
    }
    let codes: BTreeSet<&str> = met.keys().copied().collect();
    let unused = lab.allow.keys().map(String::as_str);
    problems.or(Warnings {
        unused: unused.filter(|code| !codes.contains(code)).collect(),
        met: met.into_values().collect(),
    })
}

fn met_by<'a>(lab: &'a Lab, views: &Views, cluster: &'a Cluster) -> Result<Vec<&'a Limit>, Problems> {
    let mut problems = Problems::default();
    let mut met = Vec::new();
    let site = views.site(lab, cluster.index);
    let ours = cluster.instances.values().filter(|instance| !instance.external);
    for instance in ours.filter(|instance| !instance.component.warns.is_empty()) {
        let scope = with_instance(&site, instance);
        for limit in &instance.component.warns {
            if problems.take(limit.when.truth(&scope).map_err(Problems::from)) == Some(true) {
                met.push(limit);
            }
        }
    }
    problems.or(met)
}

/// How many clusters a warning names.
const NAMED: usize = 6;

impl fmt::Display for Warning<'_> {
    /// The frame for people, several lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limit { code, say, link, .. } = self.limit;
        let named = self.clusters.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = match self.clusters.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(f, "warning[{code}]: {say}")?;
        writeln!(f, "  = clusters: {named}{more}")?;
        writeln!(f, "  = upstream: {link}")?;
        write!(
            f,
            "  = help: `allow: [{{code: {code}, reason: …}}]` in the blueprint's `spec` accepts it"
        )
    }
}
