//! The runner's plan: what brings a lab to life, as values.
//!
//! A [`Step`] says how to see that it is done and which commands do it. [`up`] and its likes make the steps of a lab, [`Graph`] orders them, [`script`] shows them as
//! a shell would read them. Nothing here runs anything: `edge::runner` does.

mod event;
mod facts;
mod graph;
mod judge;
mod kubeconfig;
mod plan;
mod provider;
mod registries;
mod script;
pub mod seed;
mod shell;
mod step;
mod vms;

pub use event::{Event, What};
pub use facts::{Facts, ROOT};
pub use graph::Graph;
pub use judge::{Verdict, judge};
pub use kubeconfig::kubectl;
pub use plan::{Context, Options, Paths, down, resume, suspend, up};
pub use script::script;
pub use step::{
    Act, Command, Content, Expect, File, Learn, Look, Material, Part, Patience, Piece, Probe, Stdin, Step, Word,
};
