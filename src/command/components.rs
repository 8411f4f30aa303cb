//! `meshlab components`: what the catalog has, where it comes from, where it is placed.

mod minors;
mod rules;

use std::path::Path;

use serde::Serialize;

use super::select::repository;
use super::{Code, Failure, Format, Printer};
use crate::core::catalog::{Catalog, Component, On, Origin};
use crate::core::problem::closest;
use crate::edge::repository::Repository;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Show one component in full
    #[arg(conflicts_with_all = ["rules", "istio"])]
    name: Option<String>,
    /// Show what components refuse and of what they warn, as Markdown
    #[arg(long, conflicts_with = "istio")]
    rules: bool,
    /// Show what differs between the minors of Istio, as Markdown
    #[arg(long)]
    istio: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    origin: &'static str,
    on: On,
    default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'a str>,
    source: Option<String>,
    version: Option<&'a str>,
    namespace: &'a str,
    project: &'a str,
    requires: &'a [String],
    after: &'a [String],
    secrets: Vec<&'a str>,
    parameters: &'a crate::core::value::Map,
    summary: &'a str,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments) -> Result<Code, Failure> {
    // Without a repository the catalog inside the binary is all there is.
    let repository = match directory {
        Some(_) => repository(directory)?,
        None => repository(None).unwrap_or_else(|_| Repository::at("")),
    };
    let catalog = Catalog::read(repository.catalog()?)?;
    if arguments.rules || arguments.istio {
        let text = match (arguments.rules, arguments.format) {
            (true, Format::Text) => rules::markdown(&catalog),
            (true, Format::Json) => pretty(&rules::rows(&catalog))?,
            (false, Format::Text) => minors::markdown(&catalog.istio),
            (false, Format::Json) => pretty(&minors::rows(&catalog.istio))?,
        };
        Printer::result(&text);
        return Ok(Code::Clean);
    }
    let rows: Vec<Row<'_>> = match &arguments.name {
        Some(name) => vec![row(catalog.get(name).ok_or_else(|| unknown(name, &catalog))?)],
        None => catalog.iter().map(|component| row(component)).collect(),
    };
    let text = match (arguments.format, &arguments.name) {
        (Format::Json, _) => pretty(&rows)?,
        (Format::Text, Some(_)) => rows.iter().map(full).collect(),
        (Format::Text, None) => table(&rows),
    };
    Printer::result(&text);
    Ok(Code::Clean)
}

fn unknown(name: &str, catalog: &Catalog) -> Failure {
    let help = closest(name, catalog.names()).map_or_else(
        || "`meshlab components` lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Failure::Refused(format!("there is no component `{name}`\n  = help: {help}"))
}

fn row(component: &Component) -> Row<'_> {
    let file = &component.file;
    let chart = file.chart.as_ref();
    let git = file.git.as_ref();
    Row {
        name: component.name.as_str(),
        origin: match component.origin {
            Origin::BuiltIn => "built in",
            Origin::Repository => "repository",
        },
        on: file.on,
        default: file.default,
        when: file.when.as_deref(),
        stage: file.stage.as_deref(),
        source: chart
            .map(|chart| format!("{} {}", chart.repo, chart.name))
            .or_else(|| git.map(|git| format!("{} {}", git.repo, git.path))),
        version: chart
            .map(|chart| chart.version.as_str())
            .or_else(|| git.map(|git| git.r#ref.as_str())),
        namespace: &file.namespace,
        project: component.project(),
        requires: &file.requires,
        after: &file.after,
        secrets: component.secrets.keys().map(String::as_str).collect(),
        parameters: &file.parameters,
        summary: &file.summary,
    }
}

fn pretty<T: Serialize>(rows: &[T]) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(rows).map_err(anyhow::Error::from)? + "\n")
}

fn on(on: On) -> &'static str {
    match on {
        On::Manager => "manager",
        On::Clusters => "clusters",
        On::All => "all",
    }
}

fn table(rows: &[Row<'_>]) -> String {
    let cells = rows.iter().map(|row| {
        let placed = if row.default {
            on(row.on).to_owned()
        } else {
            format!("{}, if named", on(row.on))
        };
        [row.name, &placed, row.version.unwrap_or("-"), row.origin, row.summary].map(str::to_owned)
    });
    super::print::table(["COMPONENT", "ON", "VERSION", "ORIGIN", "SUMMARY"], cells)
}

fn full(row: &Row<'_>) -> String {
    let mut lines = vec![format!("{}: {}", row.name, row.summary)];
    let mut add = |key: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {key:<11} {value}"));
        }
    };
    add("origin", row.origin);
    add("on", on(row.on));
    add(
        "placed",
        if row.default {
            "unless the blueprint disables it"
        } else {
            "where the blueprint names it"
        },
    );
    add("when", row.when.unwrap_or_default());
    add("stage", row.stage.unwrap_or_default());
    add("source", row.source.as_deref().unwrap_or_default());
    add("version", row.version.unwrap_or_default());
    add("namespace", row.namespace);
    add("project", row.project);
    add("requires", &row.requires.join(", "));
    add("after", &row.after.join(", "));
    add("secrets", &row.secrets.join(", "));
    for (key, value) in row.parameters {
        add("parameter", &format!("{key}: {value}"));
    }
    lines.join("\n") + "\n"
}
