//! `meshlab validate`: every problem of blueprints and catalog.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::complete::Locking;
use super::print::counted;
use super::select::select;
use super::{Code, Failure, Printer};
use crate::core::catalog::Catalog;
use crate::core::pki::CompleteLock;
use crate::core::plan::{Group, Plan, Renderer, plan};
use crate::core::problem::Problems;
use crate::core::resolve::resolve;
use crate::core::source::Source;
use crate::core::traffic::{self, Traffic};
use crate::core::warnings::warnings;
use crate::core::{blueprint, dag, leak, wants};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Labs, or blueprints' files; every lab if none is named
    #[arg(value_name = "LAB|FILE")]
    labs: Vec<String>,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    let selection = select(directory, &arguments.labs)?;
    let catalog = Catalog::read(selection.repository.catalog()?)?;
    let mut problems = catalog.check();
    for file in &selection.blueprints {
        let source = file.read()?;
        let locking = Locking::open(selection.repository.root(), file, None)?;
        if problems.take(check(&source, &catalog, locking, printer)) == Some(Depth::Resolved) {
            let what = "its lock is not complete, so what templates yield was not checked; `meshlab render` does both";
            printer.note(&format!("{}: {what}", file.lab()));
        }
    }
    problems.or(())?;
    printer.note(&format!(
        "{} and {} are valid",
        counted(selection.blueprints.len(), "blueprint", "blueprints"),
        counted(catalog.iter().count(), "component", "components")
    ));
    Ok(Code::Clean)
}

/// How far a lab was followed.
#[derive(PartialEq, Eq)]
enum Depth {
    /// To what runs where.
    Resolved,
    /// To every byte of its tree.
    Rendered,
}

/// Everything that can be wrong with a blueprint; with what its files would hold, if the lock has what they need.
fn check(source: &Arc<Source>, catalog: &Catalog, locking: Locking<'_>, printer: &Printer) -> Result<Depth, Problems> {
    let blueprint = blueprint::read(source)?;
    let (lab, allocations) = resolve(&blueprint, source, catalog, &locking.allocations)?;
    dag::tasks(&lab, catalog)?;
    let wants = wants::wants(&lab)?;
    let lock = locking.check(&wants, &allocations).ok();
    let roots = lock.as_ref().map(CompleteLock::roots_pem).unwrap_or_default();
    printer.warnings(lab.name.as_str(), &warnings(&lab, &roots)?);
    let Some(lock) = lock else {
        return Ok(Depth::Resolved);
    };
    let plan = plan(&lab, catalog, &lock)?;
    let (problems, seen): (Vec<Problems>, Vec<Traffic>) =
        plan.groups.par_iter().map(|group| rendered(&plan, group)).unzip();
    let mut problems: Problems = problems.into_iter().flatten().collect();
    if problems.is_empty() {
        problems.extend(traffic::problems(&lab, seen));
    }
    problems.or(Depth::Rendered)
}

/// What is wrong with the files of a group, and what they say about traffic.
fn rendered(plan: &Plan<'_>, group: &Group<'_>) -> (Problems, Traffic) {
    let renderer = Renderer::new(plan, group);
    let mut problems = Problems::default();
    for job in &group.jobs {
        let bytes = problems.take(renderer.render(job)).flatten();
        problems.extend(bytes.and_then(|bytes| leak::scan(&job.path, &bytes)).map(Into::into));
    }
    (problems, renderer.traffic())
}
