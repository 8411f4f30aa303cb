//! YAML: the one place that reads and writes it.
//!
//! Reading keeps positions ([`Node`]) or goes straight to a type ([`read`]); both follow the same rules, which are those of
//! Go's YAML reader where Kubernetes tools use one: `yes` and `0755` are a boolean and an octal number, equal keys are an error.
//! Writing is canonical: one value has one text, and every reader of YAML 1.1 or 1.2 reads that value back.

mod compose;
mod fault;
mod node;
mod scalar;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use node::{Entry, Kind, Located, Node, Style};
pub use write::{canonical, write, write_to};

use super::problem::Problem;
use super::source::Source;
use super::value::Value;

/// How deep a document may nest: deeper than any that a person writes, shallow enough for the stack of a thread.
const MAX_DEPTH: usize = 64;

/// Reads one document into a type. An empty document is null.
///
/// # Errors
/// The first thing that is not YAML, or that the type does not allow, at its place.
pub fn read<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T, Problem> {
    serde_yaml::from_str_with_options(&source.text, options()).map_err(|error| fault::typed(source, &error))
}

/// Reads every document of a stream, separated by `---`; documents that hold nothing are left out.
///
/// # Errors
/// The first thing that is not YAML, at its place.
pub fn read_all(source: &Arc<Source>) -> Result<Vec<Value>, Problem> {
    let documents: Vec<Value> = serde_yaml::from_multiple_with_options(&source.text, options())
        .map_err(|error| fault::typed(source, &error))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// The rules of reading, for all of meshlab. Limits against alias bombs stay; those on size fit fleets of thousands of clusters.
fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: 50_000_000,
            max_events: 100_000_000,
            max_documents: 1_000_000,
            max_total_scalar_bytes: usize::MAX,
        },
    }
}
