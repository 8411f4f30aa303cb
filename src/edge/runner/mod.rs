//! Runs steps: looks whether they are done, acts where they are not, as many at once as their order allows.

mod act;
mod content;
mod hold;
mod orphans;
mod process;
mod schedule;
mod stop;
mod store;
mod tools;

use std::path::Path;

use crate::core::runner::{Event, Graph};
use crate::edge::secret::Secret;

pub use hold::{Hold, HoldError};
pub use orphans::Orphans;
pub use stop::Stop;
pub use store::Store;
pub use tools::find;

/// How many steps run at once. They wait for others most of the time.
const WORKERS: usize = 8;

/// Tells a secret that only the keystore knows, by the name that steps call it.
pub type Materials<'a> = dyn Fn(&str) -> anyhow::Result<Secret> + Sync + 'a;

/// Is told what happens, from many threads.
pub type Observer<'a> = dyn Fn(Event) + Sync + 'a;

/// Everything that a run needs beside its steps.
pub struct Runner<'a> {
    /// The lab repository: commands run here.
    pub root: &'a Path,
    /// Run-time facts.
    pub store: &'a Store,
    /// Secrets of the keystore.
    pub materials: &'a Materials<'a>,
    /// Hears what happens.
    pub observer: &'a Observer<'a>,
    /// Where commands are noted while they are at work.
    pub orphans: &'a Orphans,
    /// Whether the user wants to end.
    pub stop: &'a Stop,
    /// How long pauses are, as a factor.
    pub pace: f64,
}

/// How many steps ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// There was nothing to do.
    pub skipped: usize,
    /// They did it.
    pub done: usize,
    /// They could not.
    pub failed: usize,
    /// They need one that failed, or the user ended the run before them.
    pub left: usize,
}

impl Runner<'_> {
    /// Runs all steps of a graph.
    pub fn run(&self, graph: &Graph) -> Summary {
        schedule::run(self, graph)
    }
}
