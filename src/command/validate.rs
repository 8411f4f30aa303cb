//! `meshlab validate`: every problem of blueprints and catalog.

use std::path::Path;
use std::sync::Arc;

use super::complete::Locking;
use super::print::counted;
use super::select::select;
use super::{Code, Failure, Printer};
use crate::core::catalog::Catalog;
use crate::core::problem::Problems;
use crate::core::resolve::{Allocations, resolve};
use crate::core::source::Source;
use crate::core::{blueprint, dag, wants};

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
        problems.take(check(&source, &catalog, &locking.allocations));
    }
    problems.or(())?;
    printer.note(&format!(
        "{} and {} are valid",
        counted(selection.blueprints.len(), "blueprint", "blueprints"),
        counted(catalog.iter().count(), "component", "components")
    ));
    Ok(Code::Clean)
}

/// Everything that can be wrong with a blueprint before a file is rendered.
fn check(source: &Arc<Source>, catalog: &Catalog, allocations: &Allocations) -> Result<(), Problems> {
    let blueprint = blueprint::read(source)?;
    let (lab, _) = resolve(&blueprint, source, catalog, allocations)?;
    dag::tasks(&lab, catalog)?;
    wants::wants(&lab).map(drop)
}
