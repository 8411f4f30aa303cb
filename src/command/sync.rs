//! `meshlab sync`: syncs Applications by patterns of their instances' names.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::print::counted;
use super::select::{Selection as Labs, select};
use super::{Code, Failure, Printer, lab};
use crate::core::catalog::Catalog;
use crate::core::daily::selection::{Application, Asked, Selection, select as selected};
use crate::core::daily::sync::{Call, Seen, ends, health, list, read, runs_already, start, start_one};
use crate::edge::repository::BlueprintFile;
use crate::edge::tool::{self, Answer};

/// How long a call that waits for nothing may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long health is waited for at a time: a call gives up at the first resource that is Degraded.
const BREATH: u64 = 60;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Names of instances, or globs in quotes: 'istio-*'
    #[arg(value_name = "PATTERN", required = true)]
    patterns: Vec<String>,
    /// The lab, or its blueprint's file; may be left out where there is only one, or only one that is up
    #[arg(long, value_name = "LAB|FILE")]
    lab: Option<String>,
    /// Only in this cell, or cells that match; may be repeated
    #[arg(long, value_name = "CELL")]
    cell: Vec<String>,
    /// Only in this cluster, or clusters that match; may be repeated
    #[arg(long, value_name = "CLUSTER")]
    cluster: Vec<String>,
    /// Wait for the syncs, and then for health
    #[arg(long)]
    wait: bool,
    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 900, requires = "wait")]
    timeout: u64,
    /// Run nothing: print the commands
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    let labs = select(directory, arguments.lab.as_slice())?;
    let file = one(&labs)?;
    let catalog = Catalog::read(labs.repository.catalog()?)?;
    let opened = lab::open(labs.repository.root(), file, &catalog)?;
    let expanded = super::apps::expanded(&opened, &catalog)?;
    let all: Vec<Application> = expanded.iter().map(Application::read).collect();
    let asked = Asked {
        instances: &arguments.patterns,
        cells: &arguments.cell,
        clusters: &arguments.cluster,
    };
    let selection = selected(&all, asked)?;
    let argocd = Argocd::of(labs.repository.root(), file);
    if arguments.dry_run {
        Printer::result(&argocd.script(&selection, arguments));
        return Ok(Code::Clean);
    }
    Syncing {
        argocd: argocd.ready(file.lab())?,
        selection,
        printer,
    }
    .bring_about(arguments)
}

/// The lab that is meant: the only one, or the only one that is up.
fn one(labs: &Labs) -> Result<&BlueprintFile, Failure> {
    let is_up = |file: &&BlueprintFile| Argocd::of(labs.repository.root(), file).kubeconfig.is_file();
    let up: Vec<&BlueprintFile> = labs.blueprints.iter().filter(is_up).collect();
    match (labs.blueprints.as_slice(), up.as_slice()) {
        ([one], _) => Ok(one),
        (_, [one]) => Ok(one),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(BlueprintFile::lab).collect();
            let help = format!("name one with --lab: {}", names.join(", "));
            Err(Failure::Refused(format!("which lab?\n  = help: {help}")))
        }
    }
}

/// Argo CD's command line, and where it finds the lab's Argo CD.
struct Argocd {
    /// As shown: relative to the repository.
    shown: String,
    kubeconfig: PathBuf,
}

impl Argocd {
    fn of(root: &Path, file: &BlueprintFile) -> Self {
        let shown = format!(".meshlab/{}.run/argocd.kubeconfig", file.lab());
        Self {
            kubeconfig: root.join(&shown),
            shown,
        }
    }

    fn ready(self, lab: &str) -> Result<Self, Failure> {
        if self.kubeconfig.is_file() {
            return Ok(self);
        }
        Err(Failure::Environment(anyhow!(
            "{} is not there: `meshlab up {lab}` makes it",
            self.shown
        )))
    }

    fn script(&self, selection: &Selection, arguments: &Arguments) -> String {
        let mut calls = vec![list(selection), start(selection)];
        if arguments.wait {
            calls.extend([ends(selection, arguments.timeout), health(selection, arguments.timeout)]);
        }
        calls.iter().map(|call| call.line(&self.shown) + "\n").collect()
    }

    fn ask(&self, call: &Call, patience: Duration) -> Result<Answer, Failure> {
        let environment = [("KUBECONFIG", self.kubeconfig.as_os_str())];
        let arguments = call.0.iter().map(OsStr::new);
        tool::ask("argocd", arguments, &environment, patience)
            .map_err(|why| Failure::Environment(anyhow!("{}\n{why}", call.line(&self.shown))))
    }

    fn failed(&self, call: &Call, answer: &Answer) -> Failure {
        Failure::Environment(anyhow!("{}\n{}", call.line(&self.shown), answer.last_lines()))
    }
}

/// A sync on its way.
struct Syncing<'a> {
    argocd: Argocd,
    selection: Selection,
    printer: &'a Printer,
}

impl Syncing<'_> {
    fn bring_about(self, arguments: &Arguments) -> Result<Code, Failure> {
        let seen = self.seen()?;
        if !seen.missing.is_empty() {
            let names = seen.missing.join(", ");
            self.printer.note(&format!(
                "not in Argo CD: {names}\nnothing was synced: a selector passes over what is not there; is the tree pushed, and the cluster registered?"
            ));
            return Ok(Code::Differs);
        }
        for stranger in &seen.strangers {
            self.printer
                .note(&format!("{stranger} is not in the tree any more, and is synced too"));
        }
        self.start()?;
        let many = counted(self.selection.applications.len(), "Application", "Applications");
        if !arguments.wait {
            self.printer.note(&format!("{many}: sync started"));
            return Ok(Code::Clean);
        }
        self.wait(Duration::from_secs(arguments.timeout))?;
        Ok(self.verdict(&self.seen()?, &many))
    }

    fn seen(&self) -> Result<Seen, Failure> {
        let call = list(&self.selection);
        let answer = self.argocd.ask(&call, PATIENCE)?;
        if !answer.succeeded {
            return Err(self.argocd.failed(&call, &answer));
        }
        let list = serde_json::from_str(&answer.output).map_err(|why| {
            Failure::Environment(anyhow!(
                "{}\nits answer is no JSON: {why}",
                call.line(&self.argocd.shown)
            ))
        })?;
        Ok(read(&self.selection, &list))
    }

    /// All at once; where that stops at one that cannot be started, one by one.
    fn start(&self) -> Result<(), Failure> {
        if self.argocd.ask(&start(&self.selection), PATIENCE)?.succeeded {
            return Ok(());
        }
        let mut failed = None;
        for application in &self.selection.applications {
            let call = start_one(application);
            let answer = self.argocd.ask(&call, PATIENCE)?;
            if !answer.succeeded && !runs_already(&answer.said) {
                let failure = self.argocd.failed(&call, &answer);
                self.printer.note(&format!("{application}: no sync could be started"));
                failed = Some(failure);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn wait(&self, time: Duration) -> Result<(), Failure> {
        let end = Instant::now() + time;
        let left = || end.saturating_duration_since(Instant::now()).as_secs();
        let margin = Duration::from_secs(30);
        self.argocd.ask(&ends(&self.selection, left().max(1)), time + margin)?;
        loop {
            let breath = left().clamp(1, BREATH);
            let call = health(&self.selection, breath);
            if self.argocd.ask(&call, Duration::from_secs(breath) + margin)?.succeeded || left() == 0 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_secs(left().min(2)));
        }
    }

    fn verdict(&self, seen: &Seen, many: &str) -> Code {
        for name in &seen.running {
            self.printer.note(&format!("{name}: the sync still runs"));
        }
        for (name, why) in &seen.failed {
            self.printer.note(&format!("{name}: the sync did not succeed: {why}"));
        }
        for (name, health) in &seen.unhealthy {
            self.printer.note(&format!("{name}: not healthy: {health}"));
        }
        if seen.running.is_empty() && seen.failed.is_empty() && seen.unhealthy.is_empty() {
            self.printer.note(&format!("{many}: synced and healthy"));
            return Code::Clean;
        }
        Code::Differs
    }
}
