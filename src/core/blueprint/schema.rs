//! The JSON Schema of a blueprint, made from its types.

use std::sync::Arc;

use schemars::generate::SchemaSettings;

use super::Blueprint;
use crate::core::problem::Problems;
use crate::core::schema;
use crate::core::source::Source;
use crate::core::value::Value;

/// The schema that editors and [`problems`] use (JSON Schema 2020-12).
pub fn json_schema() -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Blueprint>()
        .to_value()
}

/// Everything in which a blueprint differs from the schema.
pub fn problems(source: &Arc<Source>, schema: &Value) -> Problems {
    schema::check(source, schema)
}
