//! `meshlab render`: load → resolve → complete → plan → render → diff → write.

use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::*;

use super::complete::Locking;
use super::last::{Last, Standing};
use super::select::{Selection, select};
use super::{Code, Failure, Printer};
use crate::core::artefact::is_applied;
use crate::core::catalog::Catalog;
use crate::core::lab::Lab;
use crate::core::pki::CompleteLock;
use crate::core::plan::{Group, Plan, Renderer, plan};
use crate::core::problem::Problems;
use crate::core::resolve::resolve;
use crate::core::traffic::{self, Traffic};
use crate::core::warnings::warnings;
use crate::core::{blueprint, leak, memo, wants};
use crate::edge::tree::{Edits, Outcome, Tree};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Labs, or blueprints' files; every lab if none is named
    #[arg(value_name = "LAB|FILE")]
    labs: Vec<String>,
    /// Write nothing: print what would change, and exit with 1 if anything would
    #[arg(long, conflicts_with = "force")]
    check: bool,
    /// Put trees into DIR/<lab> instead of out/<lab>; no byte of them changes
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite files that were edited by hand
    #[arg(long)]
    force: bool,
    /// Threads; as many as there are processors if absent
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Private keys of the lab; `.meshlab/<lab>` if absent
    #[arg(long, value_name = "DIR", env = "MESHLAB_KEYSTORE")]
    keystore: Option<PathBuf>,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    if let Some(jobs) = arguments.jobs {
        // Fails only if threads run already, and none do.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs.get()).build_global();
    }
    let selection = select(directory, &arguments.labs)?;
    let files = selection.repository.catalog()?;
    let own = memo::catalog(&files);
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| selection.repository.root().join("out"));
    let last = |file| Last::of(&selection, file, &out, own);
    let labs: Vec<_> = selection.blueprints.iter().map(last).collect();
    // A check proves what it says anew; a keystore that is named must fit.
    let standing = |last: &Last<'_>| {
        if arguments.check || arguments.keystore.is_some() {
            None
        } else {
            last.standing()
        }
    };
    let standing: Vec<_> = labs.iter().map(standing).collect();
    let catalog = if standing.iter().all(Option::is_some) {
        Catalog::default()
    } else {
        Catalog::read(files)?
    };
    let mut worst = Code::Clean;
    for (last, standing) in labs.iter().zip(standing) {
        let run = Run {
            arguments,
            selection: &selection,
            catalog: &catalog,
            last,
            printer,
        };
        let code = match standing {
            Some(standing) => Ok(run.tell_standing(&standing)),
            None => run.lab(),
        };
        worst = worst.max(code.unwrap_or_else(|failure| printer.failure(&failure)));
    }
    Ok(worst)
}

/// The rendering of one lab.
struct Run<'a> {
    arguments: &'a Arguments,
    selection: &'a Selection,
    catalog: &'a Catalog,
    last: &'a Last<'a>,
    printer: &'a Printer,
}

impl Run<'_> {
    /// Every step, in order.
    fn lab(&self) -> Result<Code, Failure> {
        let start = Instant::now();
        let source = self.last.file.read()?;
        let blueprint = blueprint::read(&source)?;
        let locking = Locking::open(
            self.selection.repository.root(),
            self.last.file,
            self.arguments.keystore.as_deref(),
        )?;
        let (lab, allocations) = resolve(&blueprint, &source, self.catalog, &locking.allocations)?;
        let wants = wants::wants(&lab)?;
        let outcome = if self.arguments.check {
            let lock = locking.check(&wants, &allocations)?;
            self.warn(&lab, &lock)?;
            self.offered(&plan(&lab, self.catalog, &lock)?)?.finish()?
        } else {
            let minted = locking.mint(&wants, allocations)?;
            let silent = self.warn(&lab, minted.lock())?;
            let tree = self.offered(&plan(&lab, self.catalog, minted.lock())?)?;
            minted.keep(self.printer)?;
            let outcome = tree.finish()?;
            // A warning is told by every render.
            if silent {
                self.last.remember(&outcome, lab.clusters.len());
            }
            outcome
        };
        Ok(self.tell(&lab, &outcome, start))
    }

    /// Tells the known limits of upstream that the lab meets; true if there was nothing to tell.
    fn warn(&self, lab: &Lab, lock: &CompleteLock) -> Result<bool, Failure> {
        let warnings = warnings(lab, &lock.roots_pem())?;
        self.printer.warnings(lab.name.as_str(), &warnings);
        Ok(warnings.is_silent())
    }

    /// Renders every file and offers it to the tree; nothing in the tree changes before it is finished.
    fn offered(&self, plan: &Plan<'_>) -> Result<Tree, Failure> {
        let directory = &self.last.directory;
        let tree = match (self.arguments.check, self.arguments.force) {
            (true, _) => Tree::read_only(directory)?,
            (false, true) => Tree::open(directory, Edits::Overwrite)?,
            (false, false) => Tree::open(directory, Edits::Keep)?,
        };
        offer_all(plan, &tree)?;
        Ok(tree)
    }

    /// One line about a tree that is as it was left.
    fn tell_standing(&self, standing: &Standing) -> Code {
        let (files, clusters) = (standing.files, standing.clusters);
        let line = self.summary("rendered", files, clusters, "nothing to change", standing.start);
        self.printer.note(&line);
        Code::Clean
    }

    fn summary(&self, done: &str, files: usize, clusters: usize, changes: &str, start: Instant) -> String {
        let (lab, time) = (self.last.file.lab(), start.elapsed().as_millis());
        format!("{lab}: {done} {files} files for {clusters} clusters, {changes} ({time} ms)")
    }

    /// One line about what was done, or the differences.
    fn tell(&self, lab: &Lab, outcome: &Outcome, start: Instant) -> Code {
        for difference in &outcome.differences {
            Printer::result(&difference.diff);
        }
        let (applied, idle): (Vec<String>, Vec<String>) = outcome
            .foreign
            .iter()
            .map(|path| path.display().to_string())
            .partition(|path| is_applied(path));
        for path in &idle {
            self.printer.note(&format!("{}: {path} is not meshlab's", lab.name));
        }
        for path in &applied {
            self.printer.note(&format!(
                "{}: {path} is not meshlab's, and Argo CD would apply it: move it elsewhere",
                lab.name
            ));
        }
        let clusters = lab.clusters.len();
        let Outcome {
            files,
            created,
            replaced,
            removed,
            ..
        } = outcome;
        let changes = match created + replaced + removed {
            0 if outcome.is_clean() => "nothing to change".to_owned(),
            _ => format!("{created} new, {replaced} changed, {removed} removed"),
        };
        let would = if self.arguments.check { "checked" } else { "rendered" };
        self.printer
            .note(&self.summary(would, *files, clusters, &changes, start));
        if self.arguments.check && !(outcome.is_clean() && applied.is_empty()) {
            Code::Differs
        } else {
            Code::Clean
        }
    }
}

/// What a render would change in `directory`; nothing is written.
pub(super) fn compare(plan: &Plan<'_>, directory: &Path) -> Result<Outcome, Failure> {
    let tree = Tree::read_only(directory)?;
    offer_all(plan, &tree)?;
    Ok(tree.finish()?)
}

fn offer_all(plan: &Plan<'_>, tree: &Tree) -> Result<(), Failure> {
    let offered: Vec<_> = plan.groups.par_iter().map(|group| offer(plan, group, tree)).collect();
    let (mut failures, mut seen) = (Vec::new(), Vec::new());
    for one in offered {
        match one {
            Ok(traffic) => seen.push(traffic),
            Err(failure) => failures.push(failure),
        }
    }
    match failures
        .iter()
        .position(|failure| matches!(failure, Failure::Environment(_)))
    {
        Some(environment) => Err(failures.swap_remove(environment)),
        None if failures.is_empty() => Ok(traffic::problems(plan.lab, seen).or(())?),
        None => Err(Failure::Input(
            failures.into_iter().flat_map(Failure::problems).collect(),
        )),
    }
}

/// Renders a group of files and offers each, after a look for secrets in the clear.
fn offer(plan: &Plan<'_>, group: &Group<'_>, tree: &Tree) -> Result<Traffic, Failure> {
    let renderer = Renderer::new(plan, group);
    let mut problems = Problems::default();
    for job in &group.jobs {
        match renderer.render(job) {
            Ok(None) => {}
            Ok(Some(bytes)) => match leak::scan(&job.path, &bytes) {
                Some(leak) => problems.push(leak.into()),
                None => drop(tree.offer(&job.path, &bytes)?),
            },
            Err(more) => problems.extend(more),
        }
    }
    Ok(problems.or(renderer.traffic())?)
}
