//! What a blueprint allows by code.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::blueprint::Blueprint;
use crate::core::catalog::Catalog;
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Place, Source};
use crate::path;

/// Codes that no component of the catalog has, codes that are allowed twice, reasons that say nothing.
pub(super) fn check(blueprint: &Blueprint, source: &Arc<Source>, catalog: &Catalog) -> Problems {
    let known: Vec<&str> = catalog.limits().iter().map(|(_, limit)| limit.code.as_str()).collect();
    let mut problems = Problems::default();
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for (i, allowance) in blueprint.spec.allow.iter().enumerate() {
        let code = allowance.code.as_str();
        let place = Place::value(source, path!["spec", "allow", i, "code"]);
        if !known.contains(&code) {
            let problem = Problem::at(place.clone(), format!("no warning has the code `{code}`"));
            let help = "`meshlab components --rules` lists the codes";
            problems.push(problem.help(help).did_you_mean(code, known.iter().copied()));
        } else if let Some(first) = seen.get(code) {
            let problem = Problem::at(place.clone(), format!("`{code}` is allowed twice"));
            problems.push(
                problem
                    .related(first.clone(), "first allowed here")
                    .help("remove one of them"),
            );
        }
        if allowance.reason.trim().is_empty() {
            let place = Place::value(source, path!["spec", "allow", i, "reason"]);
            let problem = Problem::at(place, format!("`{code}` is allowed without a reason"));
            problems.push(problem.help("say why the limit is all right here: the next reader will ask"));
        }
        seen.entry(code).or_insert(place);
    }
    problems
}
