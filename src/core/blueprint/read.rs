//! From text to a [`Blueprint`].

use std::sync::Arc;

use super::{Blueprint, schema};
use crate::core::problem::Problems;
use crate::core::source::Source;
use crate::core::yaml;

/// Reads a blueprint.
///
/// # Errors
/// Everything that is wrong with its shape: unknown, duplicate and missing keys, values of a wrong type.
pub fn read(source: &Arc<Source>) -> Result<Blueprint, Problems> {
    // The typed read stops at the first error; the schema, made from the same types, finds them all.
    yaml::read(source).map_err(|first| {
        let all = schema::problems(source, &schema::json_schema());
        if all.is_empty() { first.into() } else { all }
    })
}
