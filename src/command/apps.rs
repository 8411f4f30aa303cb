//! `meshlab apps`: every Application that Argo CD will create.

use std::path::Path;

use rayon::prelude::*;

use super::lab::{self, Opened};
use super::select::select;
use super::{Code, Failure, Format, Printer};
use crate::core::catalog::Catalog;
use crate::core::expand::{Documents, expand};
use crate::core::plan::{Plan, Renderer, plan};
use crate::core::problem::{Problem, Problems};
use crate::core::source::Source;
use crate::core::value::Value;
use crate::core::yaml;
use crate::edge::repository::BlueprintFile;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Labs, or blueprints' files; every lab if none is named
    #[arg(value_name = "LAB|FILE")]
    labs: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments) -> Result<Code, Failure> {
    let selection = select(directory, &arguments.labs)?;
    let catalog = Catalog::read(selection.repository.catalog()?)?;
    let mut applications = Vec::new();
    for file in &selection.blueprints {
        applications.extend(of_lab(selection.repository.root(), file, &catalog)?);
    }
    Printer::result(&match arguments.format {
        Format::Json => serde_json::to_string_pretty(&applications).map_err(anyhow::Error::from)? + "\n",
        Format::Text => table(&applications),
    });
    Ok(Code::Clean)
}

fn of_lab(root: &Path, file: &BlueprintFile, catalog: &Catalog) -> Result<Vec<Value>, Failure> {
    expanded(&lab::open(root, file, catalog)?, catalog)
}

/// Every Application of a lab, by name.
pub(super) fn expanded(opened: &Opened, catalog: &Catalog) -> Result<Vec<Value>, Failure> {
    let plan = plan(&opened.lab, catalog, &opened.lock)?;
    Ok(expand(&documents(&plan)?, &opened.lab.git.path)?)
}

/// ApplicationSets and the parameters files that they find.
fn documents(plan: &Plan<'_>) -> Result<Documents, Problems> {
    let rendered: Vec<Result<Documents, Problems>> = plan
        .groups
        .par_iter()
        .map(|group| {
            let renderer = Renderer::new(plan, group);
            let wanted = group
                .jobs
                .iter()
                .filter(|job| job.path.as_str().starts_with("argocd/") || job.path.as_str().contains("/apps/"));
            let mut documents = Documents::new();
            for job in wanted {
                if let Some(bytes) = renderer.render(job)? {
                    let text = String::from_utf8(bytes).map_err(|why| Problem::new(why.to_string()))?;
                    documents.insert(job.path.clone(), yaml::read(&Source::new(job.path.as_str(), text))?);
                }
            }
            Ok(documents)
        })
        .collect();
    rendered.into_iter().try_fold(Documents::new(), |mut all, some| {
        all.extend(some?);
        Ok(all)
    })
}

fn table(applications: &[Value]) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows = applications.iter().map(|application| {
        let spec = &application["spec"];
        let source = spec.get("source").unwrap_or(&spec["sources"][0]);
        let destination = &spec["destination"];
        let what = source.get("chart").unwrap_or(&source["path"]);
        [
            &application["metadata"]["name"],
            &spec["project"],
            destination.get("name").unwrap_or(&destination["server"]),
            &destination["namespace"],
            what,
            &source["targetRevision"],
        ]
        .map(text)
    });
    super::print::table(
        ["APPLICATION", "PROJECT", "CLUSTER", "NAMESPACE", "SOURCE", "VERSION"],
        rows,
    )
}
