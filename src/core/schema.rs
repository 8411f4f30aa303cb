//! Checks a document against the JSON Schema of the type that it should be, and reports everything at once.
//!
//! Only what `schemars` writes for our own types is understood; the schema is the one that editors use, so both say the same.

use std::sync::Arc;

use regex_lite::Regex;
use serde::de::DeserializeOwned;

use super::problem::{Problem, Problems, closest};
use super::source::{Path, Place, Source};
use super::value::{Map, Value};
use super::yaml::{self, Node};

/// Everything in which the document `node` of `source` differs from `schema`.
fn check(source: &Arc<Source>, node: &Node, value: &Value, schema: &Value) -> Problems {
    if value.is_null() {
        return empty(source, schema).into();
    }
    let mut walk = Walk {
        source,
        node,
        root: schema,
        problems: Problems::default(),
    };
    walk.value(schema, value, &Path::default());
    walk.problems
}

/// Reads the document `node` of `source` into the type that `schema` was made from; without a schema the document is known to fit it.
///
/// # Errors
/// Everything in which the document differs from the schema: the typed read alone would stop at the first.
pub fn read<T: DeserializeOwned>(source: &Arc<Source>, node: &Node, schema: Option<&Value>) -> Result<T, Problems> {
    let value = node.to_value();
    let all = schema.map_or_else(Problems::default, |schema| check(source, node, &value, schema));
    match serde_json::from_value(value) {
        // What the schema lets pass and the type does not; the reader of texts knows where it is.
        Err(why) if all.is_empty() => match yaml::read::<T>(source) {
            Err(first) => Err(first.into()),
            Ok(_) => Err(Problem::at(Place::file(source), why.to_string()).into()),
        },
        Err(_) => Err(all),
        Ok(typed) => all.or(typed),
    }
}

fn empty(source: &Arc<Source>, schema: &Value) -> Problem {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let keys: Vec<&str> = required.filter_map(Value::as_str).collect();
    Problem::at(Place::file(source), "the file is empty").help(format!("it needs the keys {}", keys.join(", ")))
}

struct Walk<'a> {
    source: &'a Arc<Source>,
    node: &'a Node,
    root: &'a Value,
    problems: Problems,
}

impl<'a> Walk<'a> {
    fn value(&mut self, schema: &'a Value, value: &Value, path: &Path) {
        let schema = self.follow(schema);
        if let Some(branches) = branches(schema) {
            return self.one_of(branches, value, path);
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
            return self.among(&allowed.iter().collect::<Vec<_>>(), value, path);
        }
        if let Some(only) = schema.get("const") {
            return self.among(&[only], value, path);
        }
        if !self.has_type(schema, value, path) {
            return;
        }
        match value {
            Value::Object(map) => self.map(schema, map, path),
            Value::Array(items) => self.list(schema, items, path),
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => self.number(schema, number.as_f64(), path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn follow(&self, schema: &'a Value) -> &'a Value {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|name| name.strip_prefix('#'));
        target.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }

    fn one_of(&mut self, branches: &'a [Value], value: &Value, path: &Path) {
        let branches: Vec<&Value> = branches.iter().map(|branch| self.follow(branch)).collect();
        let nullable = branches
            .iter()
            .any(|branch| branch.get("type").is_some_and(|kind| kind == "null"));
        if nullable && value.is_null() {
            return;
        }
        let rest: Vec<&Value> = branches
            .into_iter()
            .filter(|branch| branch.get("type").is_none_or(|kind| kind != "null"))
            .collect();
        match rest.as_slice() {
            [only] => self.value(only, value, path),
            many => match tagged(many, value) {
                Tagged::Branch(branch) => self.value(branch, value, path),
                Tagged::Names(names) => self.names(&names, value, path),
                Tagged::Constants(allowed) => self.among(&allowed, value, path),
            },
        }
    }

    fn names(&mut self, names: &[&str], value: &Value, path: &Path) {
        let expected = format!("write one of: {}", names.join(", "));
        match value
            .as_object()
            .map(|map| map.keys().map(String::as_str).collect::<Vec<_>>())
            .as_deref()
        {
            Some([one]) => self.unknown_key(one, names, path),
            Some(_) => self
                .at(path, "expected exactly one key")
                .help_into(&mut self.problems, expected),
            None => self
                .at(path, &format!("expected a map with one key, found {}", describe(value)))
                .help_into(&mut self.problems, expected),
        }
    }

    fn among(&mut self, allowed: &[&Value], value: &Value, path: &Path) {
        if allowed.contains(&value) {
            return;
        }
        let names: Vec<&str> = allowed.iter().filter_map(|value| value.as_str()).collect();
        let typed = value
            .as_str()
            .map_or_else(|| describe(value).to_owned(), |text| format!("`{text}`"));
        let help = match value.as_str().and_then(|text| closest(text, names.iter().copied())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", alternatives(&names)),
        };
        self.problems
            .push(self.at(path, &format!("{typed} is not allowed here")).help(help));
    }

    fn has_type(&mut self, schema: &Value, value: &Value, path: &Path) -> bool {
        let wanted: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        if wanted.iter().any(|kind| is_of(kind, value)) {
            return true;
        }
        let names: Vec<&str> = wanted
            .iter()
            .filter(|kind| **kind != "null")
            .map(|kind| kind_name(kind))
            .collect();
        let mut problem = self.at(
            path,
            &format!("expected {}, found {}", names.join(" or "), describe(value)),
        );
        if wanted.contains(&"string") && matches!(value, Value::Number(_) | Value::Bool(_)) {
            // As it is written: the number 1.30 would print as 1.3.
            let written = self.source.text.get(self.node.locate(path).value);
            problem = problem.help(format!("quote it: \"{}\"", written.unwrap_or_default()));
        }
        self.problems.push(problem);
        false
    }

    fn map(&mut self, schema: &'a Value, map: &Map, path: &Path) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        for (key, value) in map {
            match properties.and_then(|known| known.get(key)).or(others) {
                Some(Value::Bool(false)) => {
                    let known: Vec<&str> = properties.unwrap_or(&empty).keys().map(String::as_str).collect();
                    self.unknown_key(key, &known, path);
                }
                Some(inner) => self.value(inner, value, &path.join(key)),
                None => {}
            }
        }
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for key in required.filter(|key| !map.contains_key(*key)) {
            self.problems.push(
                Problem::at(Place::key(self.source, path.clone()), format!("missing key `{key}`")).help_opt(
                    properties
                        .and_then(|known| known.get(key))
                        .and_then(|inner| inner.get("description"))
                        .and_then(Value::as_str),
                ),
            );
        }
    }

    fn unknown_key(&mut self, key: &str, known: &[&str], path: &Path) {
        let problem = Problem::at(Place::key(self.source, path.join(key)), format!("unknown key `{key}`"));
        let problem = match closest(key, known.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => problem.help("no key is allowed here"),
            None => problem.help(format!("known keys: {}", known.join(", "))),
        };
        self.problems.push(problem);
    }

    fn list(&mut self, schema: &'a Value, items: &[Value], path: &Path) {
        if schema
            .get("minItems")
            .and_then(Value::as_u64)
            .is_some_and(|min| (items.len() as u64) < min)
        {
            self.problems.push(
                self.at(path, "the list is empty")
                    .help("write at least one item, or remove the key"),
            );
        }
        if let Some(inner) = schema.get("items") {
            for (i, item) in items.iter().enumerate() {
                self.value(inner, item, &path.join(i));
            }
        }
    }

    fn text(&mut self, schema: &Value, text: &str, path: &Path) {
        let length = text.chars().count() as u64;
        if schema
            .get("maxLength")
            .and_then(Value::as_u64)
            .is_some_and(|max| length > max)
        {
            self.problems
                .push(self.at(path, &format!("`{text}` is too long: {length} characters")));
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        {
            let meaning = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            self.problems.push(
                self.at(path, &format!("`{text}` does not have the right form"))
                    .help(format!("{meaning} Its form: {pattern}").trim_start()),
            );
        }
    }

    fn number(&mut self, schema: &Value, number: Option<f64>, path: &Path) {
        let Some(number) = number else { return };
        let min = schema
            .get("minimum")
            .and_then(Value::as_f64)
            .filter(|min| number < *min);
        let max = schema
            .get("maximum")
            .and_then(Value::as_f64)
            .filter(|max| number > *max);
        if let Some(min) = min {
            self.problems
                .push(self.at(path, &format!("{number} is too small: the least is {min}")));
        }
        if let Some(max) = max {
            self.problems
                .push(self.at(path, &format!("{number} is too large: the most is {max}")));
        }
    }

    fn at(&self, path: &Path, message: &str) -> Problem {
        Problem::at(Place::value(self.source, path.clone()), message)
    }
}

impl Problem {
    fn help_into(self, problems: &mut Problems, help: String) {
        problems.push(self.help(help));
    }

    fn help_opt(self, help: Option<&str>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }
}

fn branches(schema: &Value) -> Option<&Vec<Value>> {
    schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))
        .and_then(Value::as_array)
}

/// How an externally tagged enum's schema applies to a value.
enum Tagged<'a> {
    Branch(&'a Value),
    Names(Vec<&'a str>),
    Constants(Vec<&'a Value>),
}

fn tagged<'a>(branches: &[&'a Value], value: &Value) -> Tagged<'a> {
    let constants: Vec<&Value> = branches.iter().flat_map(|branch| constants(branch)).collect();
    if !constants.is_empty() {
        return Tagged::Constants(constants);
    }
    let tags: Vec<(&str, &Value)> = branches
        .iter()
        .filter_map(|branch| Some((tag(branch)?, *branch)))
        .collect();
    let chosen = value
        .as_object()
        .filter(|map| map.len() == 1)
        .and_then(|map| map.keys().next());
    match tags.iter().find(|(name, _)| chosen.is_some_and(|key| key == name)) {
        Some((_, branch)) => Tagged::Branch(branch),
        None => Tagged::Names(tags.into_iter().map(|(name, _)| name).collect()),
    }
}

fn constants(branch: &Value) -> Vec<&Value> {
    match (branch.get("const"), branch.get("enum").and_then(Value::as_array)) {
        (Some(one), _) => vec![one],
        (None, Some(many)) => many.iter().collect(),
        (None, None) => Vec::new(),
    }
}

fn tag(branch: &Value) -> Option<&str> {
    branch.get("required")?.as_array()?.first()?.as_str()
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn kind_name(kind: &str) -> &str {
    match kind {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "text",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}

/// What a value is, for people.
pub(crate) fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn alternatives(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => format!("`{one}`"),
        [rest @ .., last] => format!(
            "{} or `{last}`",
            rest.iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
