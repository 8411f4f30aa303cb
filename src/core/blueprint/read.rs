//! From text to a [`Blueprint`].

use std::sync::Arc;

use super::{Blueprint, schema};
use crate::core::problem::Problems;
use crate::core::source::Source;
use crate::core::yaml;

/// Reads a blueprint.
///
/// # Errors
/// Everything that is wrong with its shape: unknown, duplicate and missing keys, values of a wrong type, range or form.
pub fn read(source: &Arc<Source>) -> Result<Blueprint, Problems> {
    // The schema, made from the same types, finds every problem, also those of ranges and forms; the typed read stops at the first.
    let all = schema::problems(source, &schema::json_schema());
    match yaml::read(source) {
        Err(first) if all.is_empty() => Err(first.into()),
        Err(_) => Err(all),
        Ok(blueprint) => all.or(blueprint),
    }
}
