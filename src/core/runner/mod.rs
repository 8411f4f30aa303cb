//! The runner's plan: what brings a lab to life, as values.
//!
//! A [`Step`] says how to see that it is done and which commands do it. [`plan`] makes the steps of a lab, [`Graph`] orders them, [`script`] shows them as
//! a shell would read them. Nothing here runs anything: `edge::runner` does.

mod graph;
mod kubeconfig;
mod machines;
mod plan;
mod provider;
mod registries;
mod script;
pub mod seed;
mod shell;
mod step;

pub use graph::Graph;
pub use kubeconfig::kubectl;
pub use plan::{Context, Options, Paths, plan};
pub use script::script;
pub use step::{Act, Command, Content, Expect, File, Learn, Material, Part, Patience, Piece, Probe, Stdin, Step, Word};
