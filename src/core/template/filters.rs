//! Filters for the languages inside of YAML: shell, TOML, JSON, YAML itself.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use super::convert;
use super::engine::{defined, text};
use crate::core::{shell, value, yaml};

/// Adds them. Those that take text refuse lists, maps and null instead of printing them as Python would.
pub(super) fn add(engine: &mut Environment<'_>) {
    engine.add_filter("shquote", shquote);
    engine.add_filter("toml", toml);
    engine.add_filter("json", json);
    engine.add_filter("yaml", yaml);
    engine.add_filter("b64encode", b64encode);
    engine.add_filter("string", |value: &Value| text(value));
    engine.add_filter("join", join);
    engine.add_filter("default", default);
    engine.add_filter("d", default);
    engine.add_filter("indent", indent);
}

fn shquote(value: &Value) -> Result<String, Error> {
    Ok(shell::word(&text(value)?))
}

/// A TOML value: a basic string, a number or a boolean (TOML 1.0).
fn toml(value: &Value) -> Result<String, Error> {
    let text = text(value)?;
    if value.kind() != ValueKind::String {
        return Ok(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => write!(quoted, "\\u{:04X}", u32::from(c))?,
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// Any value as JSON on one line.
fn json(value: &Value) -> Result<String, Error> {
    document(value).map(|value| value.to_string())
}

/// Any value as YAML, without the newline at its end; `|indent` puts it where it belongs.
fn yaml(value: &Value) -> Result<String, Error> {
    let mut text = yaml::write(&document(value)?);
    text.pop();
    Ok(text)
}

/// Base64 of a text.
fn b64encode(value: &Value) -> Result<String, Error> {
    text(value).map(|text| BASE64_STANDARD.encode(text))
}

/// The scalars of a list, with a separator between them if there is one.
#[allow(clippy::needless_pass_by_value, reason = "minijinja hands arguments over")]
fn join(list: &Value, separator: Rest<Value>) -> Result<String, Error> {
    defined(list)?;
    let separator = match separator.as_slice() {
        [] => String::new(),
        [one] => text(one)?,
        _ => return Err(refuse("`join` takes one separator")),
    };
    if list.as_str().is_some() {
        return Err(refuse("`join` takes a list, this is text"));
    }
    let items = list
        .try_iter()?
        .map(|item| text(&item))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(items.join(&separator))
}

/// The value if it is defined, else the fallback, which must be; with a second argument `true`, only a value that holds.
#[allow(clippy::needless_pass_by_value, reason = "minijinja hands arguments over")]
fn default(value: &Value, arguments: Rest<Value>) -> Result<Value, Error> {
    let (fallback, must_hold) = match arguments.as_slice() {
        [fallback] => (fallback, false),
        [fallback, must_hold] => (fallback, must_hold.is_true()),
        _ => return Err(refuse("`default` takes a fallback")),
    };
    if !value.is_undefined() && (value.is_true() || !must_hold) {
        return Ok(value.clone());
    }
    defined(fallback)?;
    Ok(fallback.clone())
}

/// Indents every line but the first and blank ones by `width` spaces; with `first`, the first too.
fn indent(value: &Value, width: usize, first: Option<bool>) -> Result<String, Error> {
    defined(value)?;
    let Some(text) = value.as_str() else {
        return Err(refuse(format!(
            "`indent` takes text, this is {}: use `|yaml|indent(…)`",
            convert::kind(value)
        )));
    };
    let pad = " ".repeat(width.min(1000));
    let mut lines = text
        .strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .enumerate()
        .map(|(index, line)| {
            let bare = line.is_empty() || (index == 0 && !first.unwrap_or_default());
            if bare { line.to_owned() } else { format!("{pad}{line}") }
        });
    let head = lines.next().unwrap_or_default();
    Ok(lines.fold(head, |all, line| all + "\n" + &line))
}

fn document(value: &Value) -> Result<value::Value, Error> {
    defined(value)?;
    convert::to_value(value).map_err(refuse)
}

fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}
