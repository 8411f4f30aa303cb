//! A lab as the runner needs it: its model, its steps, and a run of them.

use std::path::{Path, PathBuf};

use super::complete::Locking;
use super::progress::Progress;
use super::select::{Selection, select};
use super::{Code, Failure, Format, Printer, render};
use crate::core::blueprint;
use crate::core::catalog::Catalog;
use crate::core::lab::Lab;
use crate::core::pki::CompleteLock;
use crate::core::problem::{Problems, closest};
use crate::core::resolve::resolve;
use crate::core::runner::{Context, Graph, Options, Paths, script};
use crate::core::wants::wants;
use crate::edge::keystore::Keystore;
use crate::edge::repository::BlueprintFile;
use crate::edge::runner::{Hold, HoldError, Orphans, Runner, Stop, Store, find};

/// What all commands of the runner have in common.
#[derive(clap::Args)]
pub(super) struct Common {
    /// The lab, or its blueprint's file; may be left out where there is only one
    #[arg(value_name = "LAB|FILE")]
    lab: Option<String>,
    /// Only this cluster and what it needs; may be repeated
    #[arg(long, value_name = "CLUSTER")]
    only: Vec<String>,
    /// Run nothing: print every command in order, as a script for a POSIX shell
    #[arg(long, conflicts_with = "format")]
    dry_run: bool,
    /// How to tell what happens; `json`: an object a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One lab.
pub(super) struct Session {
    root: PathBuf,
    pub(super) lab: Lab,
    catalog: Catalog,
    lock: CompleteLock,
    pub(super) paths: Paths,
    keystore: PathBuf,
}

impl Session {
    /// Reads the lab that is named, or the only one.
    pub(super) fn open(
        directory: Option<&Path>,
        lab: Option<&String>,
        keystore: Option<&Path>,
    ) -> Result<Self, Failure> {
        let Selection { repository, blueprints } = select(directory, lab.cloned().as_slice())?;
        let [file] = blueprints.as_slice() else {
            let names: Vec<&str> = blueprints.iter().map(BlueprintFile::lab).collect();
            let why = format!("there are several labs\n  = help: name one of {}", names.join(", "));
            return Err(Failure::Refused(why));
        };
        let root = std::path::absolute(repository.root()).map_err(anyhow::Error::new)?;
        let catalog = Catalog::read(repository.catalog()?)?;
        let source = file.read()?;
        let blueprint = blueprint::read(&source)?;
        let locking = Locking::open(&root, file, keystore)?;
        let (lab, allocations) = resolve(&blueprint, &source, &catalog, &locking.allocations)?;
        let lock = locking.check(&wants(&lab)?, &allocations)?;
        let keystore = keystore.map_or_else(|| root.join(".meshlab").join(lab.name.as_str()), Path::to_owned);
        let relative = keystore.strip_prefix(&root).unwrap_or(&keystore);
        let paths = Paths {
            tree: format!("out/{}", lab.name),
            run: format!(".meshlab/{}.run", lab.name),
            keystore: relative.display().to_string(),
        };
        Ok(Self {
            root,
            lab,
            catalog,
            lock,
            paths,
            keystore,
        })
    }

    /// What steps are made from.
    pub(super) fn context<'a>(&'a self, options: &'a Options) -> Context<'a> {
        Context {
            lab: &self.lab,
            catalog: &self.catalog,
            lock: &self.lock,
            paths: &self.paths,
            options,
        }
    }

    /// Refuses to act on a tree that is not what the blueprint says.
    pub(super) fn check_tree(&self) -> Result<(), Failure> {
        let plan = crate::core::plan::plan(&self.lab, &self.catalog, &self.lock)?;
        let outcome = render::compare(&plan, &self.root.join(&self.paths.tree))?;
        if outcome.is_clean() {
            return Ok(());
        }
        let (name, tree) = (&self.lab.name, &self.paths.tree);
        Err(Failure::Refused(format!(
            "{tree} is not what the blueprint says\n  = help: run `meshlab render {name}`, commit and push: Argo CD reads what is in Git"
        )))
    }

    /// The lab's private keys; those that everybody has only if the user says so.
    pub(super) fn keystore(&self, demo_keys: bool) -> Result<Keystore, Failure> {
        let place = self.paths.keystore.as_str();
        let own = format!(
            "for keys of your own: remove blueprints/{0}.lock, run `meshlab render {0}`, commit and push",
            self.lab.name
        );
        let opened = Keystore::open(&self.keystore, &self.lab.name);
        let keystore = opened.map_err(super::complete::refused)?.ok_or_else(|| {
            let name = "where they are: --keystore DIR, or MESHLAB_KEYSTORE";
            Failure::Refused(format!(
                "there are no private keys of lab `{}` in {place}, so nobody could open what it sealed\n  = help: {name}\n  = help: {own}",
                self.lab.name
            ))
        })?;
        if keystore.is_public() && !demo_keys {
            let demo = "for a demonstration that nobody else can reach: --demo-keys";
            return Err(Failure::Refused(format!(
                "the private keys in {place} are public: anyone could issue identities of this lab and open its secrets\n  = help: {own}\n  = help: {demo}"
            )));
        }
        Ok(keystore)
    }

    /// The steps that the command line chooses.
    pub(super) fn choose(&self, graph: Graph, common: &Common) -> Result<Graph, Failure> {
        if common.only.is_empty() {
            return Ok(graph);
        }
        let names: Vec<&str> = self.lab.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        for only in &common.only {
            if !names.contains(&only.as_str()) {
                let help = match closest(only, names.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("clusters here: {}", names.join(", ")),
                };
                let why = format!("lab `{}` has no cluster `{only}`\n  = help: {help}", self.lab.name);
                return Err(Failure::Refused(why));
            }
        }
        Ok(graph.only(&common.only))
    }

    /// Runs a graph, or prints it.
    pub(super) fn run(&self, what: &Work<'_>, common: &Common, printer: &Printer) -> Result<Code, Failure> {
        if common.dry_run {
            let head = format!("meshlab {} {}. From the lab repository:", what.command, self.lab.name);
            Printer::result(&script(&what.graph, &self.paths, &head));
            return Ok(Code::Clean);
        }
        let missing: Vec<&str> = what
            .graph
            .programs()
            .into_iter()
            .filter(|program| find(program).is_none())
            .collect();
        if !missing.is_empty() {
            let why = format!(
                "these programs are not on PATH, and steps of this lab need them: {}",
                missing.join(", ")
            );
            return Err(Failure::Environment(anyhow::anyhow!(why)));
        }
        let directory = self.root.join(&self.paths.run);
        let _hold = Hold::take(&directory).map_err(|error| match error {
            busy @ HoldError::Busy(_) => {
                Failure::Refused(format!("{busy}\n  = help: wait for its end, or end it with Ctrl-C"))
            }
            HoldError::Io(..) => Failure::Environment(error.into()),
        })?;
        let stop = Stop::listen().map_err(anyhow::Error::new)?;
        let orphans = Orphans::of(&directory).map_err(anyhow::Error::new)?;
        if orphans.are_at_work() {
            printer.note("commands of a run that was killed are still at work: waiting for their end");
            orphans.outlive(&stop);
        }
        let store = Store::read(&directory, &self.root)?;
        let progress = Progress::new(&what.graph, common.format, printer, &stop);
        progress.begin(what.command, self.lab.name.as_str());
        let runner = Runner {
            root: &self.root,
            store: &store,
            materials: what.materials,
            observer: &|event| progress.tell(&event),
            orphans: &orphans,
            stop: &stop,
            pace: pace(),
        };
        let summary = runner.run(&what.graph);
        Ok(progress.end(what.command, self.lab.name.as_str(), summary))
    }
}

/// How long pauses between attempts are: `MESHLAB_PACE`, a factor, 1 if absent.
fn pace() -> f64 {
    let given = std::env::var("MESHLAB_PACE").ok().and_then(|text| text.parse().ok());
    given.filter(|pace| (0.0..=100.0).contains(pace)).unwrap_or(1.0)
}

/// What a command of the runner wants done.
pub(super) struct Work<'a> {
    /// The command's name.
    pub(super) command: &'a str,
    /// Its steps.
    pub(super) graph: Graph,
    /// Secrets that they need.
    pub(super) materials: &'a crate::edge::runner::Materials<'a>,
}

impl<'a> Work<'a> {
    /// Steps that need nothing of the keystore.
    pub(super) fn without_keys(command: &'a str, graph: Graph) -> Self {
        Self {
            command,
            graph,
            materials: &|name| Err(anyhow::anyhow!("`{name}` is not needed here")),
        }
    }
}

/// The common arguments of a command whose plan is one function.
pub(super) fn simple(
    directory: Option<&Path>,
    common: &Common,
    printer: &Printer,
    command: &str,
    options: &Options,
    plan: fn(Context<'_>) -> Result<Graph, Problems>,
) -> Result<Code, Failure> {
    let session = Session::open(directory, common.lab(), None)?;
    let graph = session.choose(plan(session.context(options))?, common)?;
    session.run(&Work::without_keys(command, graph), common, printer)
}

impl Common {
    pub(super) fn lab(&self) -> Option<&String> {
        self.lab.as_ref()
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}
