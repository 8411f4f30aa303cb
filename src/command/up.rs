//! `meshlab up`: from a rendered tree to a running lab.

use std::path::Path;

use super::lab::{self, Opened};
use super::print::counted;
use super::select::select;
use super::{Code, Failure, Printer};
use crate::core::catalog::Catalog;
use crate::core::lab::Lab;
use crate::core::runner::{Context, Graph, Options, Paths, plan, script};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The lab, or its blueprint's file; may be left out where there is only one
    #[arg(value_name = "LAB|FILE")]
    lab: Option<String>,
    /// Only what this cluster needs; may be repeated
    #[arg(long, value_name = "CLUSTER")]
    only: Vec<String>,
    /// Run nothing: print every command, as a script
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments, _: &Printer) -> Result<Code, Failure> {
    let selection = select(directory, arguments.lab.as_slice())?;
    let [file] = selection.blueprints.as_slice() else {
        let names: Vec<&str> = selection.blueprints.iter().map(|file| file.lab()).collect();
        let why = format!("which lab?\n  = help: name one of {}", names.join(", "));
        return Err(Failure::Refused(why));
    };
    let catalog = Catalog::read(selection.repository.catalog()?)?;
    let Opened { lab, lock } = lab::open(selection.repository.root(), file, &catalog)?;
    let paths = paths(&lab);
    let options = Options::default();
    let context = Context {
        lab: &lab,
        catalog: &catalog,
        lock: &lock,
        tree: "0",
        paths: &paths,
        options: &options,
    };
    let mut graph = plan(context)?;
    if !arguments.only.is_empty() {
        graph = graph.only(&arguments.only);
    }
    Printer::result(&script(&graph, &paths, &head(&lab, &graph)));
    Ok(Code::Clean)
}

fn paths(lab: &Lab) -> Paths {
    Paths {
        tree: format!("out/{}", lab.name),
        run: format!(".meshlab/{}.run", lab.name),
        keystore: format!(".meshlab/{}", lab.name),
    }
}

fn head(lab: &Lab, graph: &Graph) -> String {
    format!(
        "meshlab up {}: {}, run from the lab repository.",
        lab.name,
        counted(graph.steps.len(), "step", "steps")
    )
}
