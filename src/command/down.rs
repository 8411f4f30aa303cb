//! `meshlab down`: removes machines and what is on them.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::Path;

use super::print::counted;
use super::session::{Common, Session, Work};
use super::{Code, Failure, Printer};
use crate::core::blueprint::Provider;
use crate::core::runner::{Options, down};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    let common = &arguments.common;
    let session = Session::open(directory, common.lab(), None)?;
    let graph = session.choose(down(session.context(&Options::default()))?, common)?;
    if !common.is_dry_run() {
        let machines = graph.steps.iter().filter(|step| step.cluster.is_some());
        let removed: Vec<&str> = machines.filter_map(|step| step.id.strip_prefix("down/")).collect();
        printer.note(&fate(&session, &removed));
        if !arguments.yes {
            confirm(session.lab.name.as_str())?;
        }
    }
    session.run(&Work::without_keys("down", graph), common, printer)
}

/// What goes, and what stays.
fn fate(session: &Session, removed: &[&str]) -> String {
    let (lab, paths) = (&session.lab, &session.paths);
    let mut goes = Vec::new();
    if !removed.is_empty() {
        let machines = counted(removed.len(), "machine", "machines");
        goes.push(format!("{machines} with all that is on them: {}", removed.join(", ")));
    }
    let existing = lab
        .clusters
        .iter()
        .filter(|cluster| matches!(cluster.settings.provider, Provider::Existing(_)));
    let existing: Vec<&str> = existing.map(|cluster| cluster.name.as_str()).collect();
    let mut stays = Vec::new();
    if !existing.is_empty() {
        stays.push(format!(
            "clusters that are not meshlab's, with what runs on them: {}",
            existing.join(", ")
        ));
    }
    if !lab.registries.is_empty() {
        goes.push("containers of the pull-through registries".to_owned());
        stays.push("what the registries have pulled (docker volumes meshlab-registry-*)".to_owned());
    }
    goes.push(format!("kubeconfigs and run-time facts in {}", paths.run));
    stays.push(format!(
        "private keys in {}, the lock, and {}",
        paths.keystore, paths.tree
    ));
    let list = |items: &[String]| items.iter().map(|item| format!("\n  - {item}")).collect::<String>();
    format!("{}: this goes:{}\nthis stays:{}", lab.name, list(&goes), list(&stays))
}

/// Asks on a terminal; anywhere else the answer must be on the command line.
fn confirm(lab: &str) -> Result<(), Failure> {
    let refused = |why: &str| {
        Failure::Refused(format!(
            "{why}; nothing was removed\n  = help: `--yes` answers the question"
        ))
    };
    if !io::stdin().is_terminal() {
        return Err(refused("this asks first, and there is nobody to answer"));
    }
    Printer::ask(&format!("Remove it? Type the name of the lab, {lab}: "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(anyhow::Error::new)?;
    if answer.trim() == lab {
        Ok(())
    } else {
        Err(refused("that was not its name"))
    }
}
