//! `meshlab components --istio`: what differs between the minors of Istio.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::command::print::markdown_table;
use crate::core::catalog::IstioVersions;
use crate::core::value::Map;

/// What is known of a minor.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    minor: String,
    read_from: &'a [String],
    features: &'a Map,
    /// Every variable that its istiod reads.
    variables: Vec<&'a str>,
}

pub(super) fn rows(versions: &IstioVersions) -> Vec<Row<'_>> {
    let known = |minor| {
        let variables = versions.variables().filter(move |(_, known)| known.by(minor));
        variables.map(|(name, _)| name).collect()
    };
    versions
        .minors()
        .map(|(minor, facts)| Row {
            minor: minor.to_string(),
            read_from: &facts.read_from,
            features: &facts.features,
            variables: known(minor),
        })
        .collect()
}

/// Facts by minor, and the variables that some of the minors do not know.
pub(super) fn markdown(versions: &IstioVersions) -> String {
    let rows = rows(versions);
    let heading: Vec<&str> = rows.iter().map(|row| row.minor.as_str()).collect();
    let names: BTreeSet<&String> = rows.iter().flat_map(|row| row.features.keys()).collect();
    let value = |row: &Row<'_>, name: &str| match row.features.get(name) {
        None => String::new(),
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let mut facts = line("", heading.iter().map(|minor| format!("Istio {minor}")));
    facts += &line("---", heading.iter().map(|_| "---".to_owned()));
    facts += &line("read from", rows.iter().map(|row| row.read_from.join(", ")));
    facts += &line(
        "variables of istiod",
        rows.iter().map(|row| row.variables.len().to_string()),
    );
    for name in names {
        facts += &line(&format!("`{name}`"), rows.iter().map(|row| value(row, name)));
    }
    let some = versions
        .variables()
        .filter(|(_, known)| known.since.is_some() || known.until.is_some());
    let some = some.map(|(name, known)| [format!("`{name}`"), known.to_string()]);
    format!("{facts}\n{}", markdown_table(["variable of istiod", "known"], some))
}

fn line(first: &str, rest: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = rest.collect();
    format!("| {first} | {} |\n", cells.join(" | "))
}
