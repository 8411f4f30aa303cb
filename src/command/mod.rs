//! The command line: one module per command, each a composition of core and edges.

mod apps;
mod complete;
mod components;
mod doctor;
mod down;
mod failure;
mod lab;
mod last;
mod materials;
mod print;
mod progress;
mod render;
mod schema;
mod select;
mod session;
mod status;
mod suspend;
mod sync;
mod up;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use failure::{Code, Failure};
use print::Printer;

/// Renders everything that a multi-cluster Istio lab needs in Git from one small blueprint.
#[derive(Parser)]
#[command(name = "meshlab", version, max_term_width = 110, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done or clean; 1 differences, or an incomplete lock; 2 invalid input or a refusal; 3 the environment failed."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Global {
    /// The lab repository, instead of the nearest directory upwards that has `blueprints/`
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    /// Say only what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Render labs into `out/`
    Render(render::Arguments),
    /// Report every problem of blueprints and catalog
    Validate(validate::Arguments),
    /// List every Application that Argo CD will create
    Apps(apps::Arguments),
    /// List components, or show one
    Components(components::Arguments),
    /// Tell which programs labs need, and whether they are here
    Doctor(doctor::Arguments),
    /// Tell how running labs are
    Status(status::Arguments),
    /// Sync Applications by patterns of their instances' names
    Sync(sync::Arguments),
    /// Print the JSON Schema of blueprints or components
    Schema(schema::Arguments),
    /// Bring a lab to life: machines, clusters, kubeconfigs, Argo CD
    ///
    /// Every step looks first whether it is done: a second `up` does what is missing, and goes on where the last one ended, however it ended.
    Up(up::Arguments),
    /// Stop a lab's machines, and keep what is on them
    ///
    /// Clusters that exist without meshlab go on.
    Suspend(suspend::Arguments),
    /// Start a suspended lab's machines again
    ///
    /// Nothing is made that is not there. Where addresses have changed, machines and kubeconfigs are told.
    Resume(suspend::Arguments),
    /// Remove a lab's machines, with all that is on them
    ///
    /// Asks first, and says what goes and what stays: keys, the lock, the tree, and what registries have pulled.
    Down(down::Arguments),
}

/// How results are printed.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Parses the command line and runs what it names.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.global.quiet, cli.global.verbose);
    let directory = cli.global.directory.as_deref();
    let code = match cli.command {
        Command::Render(arguments) => render::run(directory, &arguments, &printer),
        Command::Validate(arguments) => validate::run(directory, &arguments, &printer),
        Command::Apps(arguments) => apps::run(directory, &arguments),
        Command::Components(arguments) => components::run(directory, &arguments),
        Command::Doctor(arguments) => doctor::run(directory, &arguments, &printer),
        Command::Status(arguments) => status::run(directory, &arguments, &printer),
        Command::Sync(arguments) => sync::run(directory, &arguments, &printer),
        Command::Schema(arguments) => Ok(schema::run(&arguments)),
        Command::Up(arguments) => up::run(directory, &arguments, &printer),
        Command::Suspend(arguments) => suspend::suspend(directory, &arguments, &printer),
        Command::Resume(arguments) => suspend::resume(directory, &arguments, &printer),
        Command::Down(arguments) => down::run(directory, &arguments, &printer),
    };
    code.unwrap_or_else(|failure| printer.failure(&failure)).into()
}
