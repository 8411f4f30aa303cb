//! The JSON Schema of a blueprint, made from its types.

use schemars::generate::SchemaSettings;

use super::Blueprint;
use crate::core::value::Value;

/// The schema that editors and [`super::read`] use (JSON Schema 2020-12).
pub fn json_schema() -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Blueprint>()
        .to_value()
}
