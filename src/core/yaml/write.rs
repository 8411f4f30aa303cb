//! Canonical YAML: one text per value, which every reader reads back as that value.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_yaml::{DoubleQuoted, SerializerOptions};

use crate::core::value::{Map, Value};

/// The text of a document, with one newline at its end.
pub fn write(value: &Value) -> String {
    let mut text = String::new();
    write_to(&mut text, value);
    text
}

/// Appends the text of a document to `text`.
pub fn write_to(text: &mut String, value: &Value) {
    let start = text.len();
    if serde_yaml::to_fmt_writer_with_options(text, &Document(value), options()).is_err() {
        // Writing a value into a string has no way to fail; were there one, JSON is YAML too.
        text.truncate(start);
        text.push_str(&value.to_string());
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if text[start..].contains(" \n") {
        let bare = bare_blank_lines(&text[start..]);
        text.replace_range(start.., &bare);
    }
}

/// The serializer indents the blank lines of block scalars; here they become empty. Nothing is lost, because no block scalar
/// has lines that consist of spaces ([`needs_quotes`]).
fn bare_blank_lines(text: &str) -> String {
    let bare = |line| if is_blank(line) { "\n" } else { line };
    text.split_inclusive('\n').map(bare).collect()
}

/// Whether there is nothing but spaces on a line.
fn is_blank(line: &str) -> bool {
    line.trim_end_matches('\n').bytes().all(|byte| byte == b' ')
}

fn options() -> SerializerOptions {
    serde_yaml::ser_options! { folded_wrap_chars: 1_000_000, compact_list_indent: true }
}

/// A value with the strings that need care marked for the serializer.
struct Document<'a>(&'a Value);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) if needs_quotes(text) => DoubleQuoted(text).serialize(serializer),
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items
                    .iter()
                    .try_for_each(|item| list.serialize_element(&Document(item)))?;
                list.end()
            }
            Value::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries
                    .iter()
                    .try_for_each(|(key, value)| map.serialize_entry(key, &Document(value)))?;
                map.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

/// Whether a text of several lines must not become a block scalar: Go's YAML reader takes a tab at its start for indentation,
/// and a line of spaces would be invisible.
fn needs_quotes(text: &str) -> bool {
    let is_spaces = |line: &str| !line.is_empty() && is_blank(line);
    text.contains('\n') && (text.trim_start_matches('\n').starts_with('\t') || text.split('\n').any(is_spaces))
}

/// A Kubernetes object with its keys in the customary order: `apiVersion`, `kind`, `metadata`, then the rest as they come;
/// in `metadata` first `name`, `namespace`, `labels`, `annotations`. Anything else is left as it is.
pub fn canonical(value: Value) -> Value {
    match value {
        Value::Object(mut object) if object.contains_key("apiVersion") && object.contains_key("kind") => {
            if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
                *metadata = first(
                    std::mem::take(metadata),
                    &["name", "namespace", "labels", "annotations"],
                );
            }
            Value::Object(first(object, &["apiVersion", "kind", "metadata", "spec"]))
        }
        other => other,
    }
}

/// The map with `keys` first, in that order.
fn first(mut map: Map, keys: &[&str]) -> Map {
    let mut sorted = Map::with_capacity(map.len());
    sorted.extend(keys.iter().filter_map(|key| map.shift_remove_entry(*key)));
    sorted.extend(map);
    sorted
}
