//! Between minijinja's values and ours.

use minijinja::Value as Jinja;
use minijinja::value::{Serde, ValueKind};
use serde::Serialize;
use serde_json::Number;

use crate::core::value::{Map, Value};

/// Any serializable value as an expression sees it.
pub fn from_value(value: &impl Serialize) -> Jinja {
    Jinja::from(Serde(value))
}

/// The result of an expression as a document's value; maps keep their order.
///
/// # Errors
/// What cannot stand in a document: undefined values, bytes, functions, numbers that are not finite, keys that are not text.
pub fn to_value(value: &Jinja) -> Result<Value, String> {
    match value.kind() {
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number => number(value).map(Value::Number),
        ValueKind::String => Ok(Value::String(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| describe(&error))?;
            items
                .map(|item| to_value(&item))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array)
        }
        ValueKind::Map => map(value).map(Value::Object),
        ValueKind::Undefined => Err("a value in it is not defined".to_owned()),
        ValueKind::Invalid => Err(value
            .clone()
            .try_iter()
            .err()
            .map_or_else(|| "it is not a value".to_owned(), |error| describe(&error))),
        _ => Err(format!("{} cannot stand in a document", kind(value))),
    }
}

fn number(value: &Jinja) -> Result<Number, String> {
    let number = if value.is_integer() {
        value
            .as_i64()
            .map(Number::from)
            .or_else(|| u64::try_from(value.clone()).ok().map(Number::from))
    } else {
        f64::try_from(value.clone()).ok().and_then(Number::from_f64)
    };
    number.ok_or_else(|| format!("the number {value} is too large for a document"))
}

fn map(value: &Jinja) -> Result<Map, String> {
    let mut map = Map::new();
    for (key, value) in value
        .as_object()
        .and_then(minijinja::value::DynObject::try_iter_pairs)
        .into_iter()
        .flatten()
    {
        let name = key
            .as_str()
            .ok_or_else(|| format!("a key must be text, this one is {}", kind(&key)))?;
        map.insert(name.to_owned(), to_value(&value)?);
    }
    Ok(map)
}

/// A scalar as the text that stands for it in YAML, JSON and most other languages.
///
/// # Errors
/// What the value is, if it is no scalar.
pub(super) fn scalar(value: &Jinja) -> Result<String, String> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number => number(value).map(|number| number.to_string()),
        _ => Err(kind(value)),
    }
}

/// What a value is, in the words of a document.
pub(super) fn kind(value: &Jinja) -> String {
    match value.kind() {
        ValueKind::Undefined => "not defined",
        ValueKind::None => "null",
        ValueKind::Bool => "true or false",
        ValueKind::Number => "a number",
        ValueKind::String => "text",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "a function or object",
    }
    .to_owned()
}

/// What minijinja says, without its own prefix.
pub(super) fn describe(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
