//! From text to a [`Blueprint`].

use std::sync::Arc;

use super::{Blueprint, json_schema};
use crate::core::problem::Problems;
use crate::core::schema;
use crate::core::source::Source;
use crate::core::yaml::Node;

/// Reads a blueprint.
///
/// # Errors
/// Everything that is wrong with its shape: unknown, duplicate and missing keys, values of a wrong type, range or form.
pub fn read(source: &Arc<Source>) -> Result<Blueprint, Problems> {
    schema::read(source, &Node::parse(source)?, Some(&json_schema()))
}
