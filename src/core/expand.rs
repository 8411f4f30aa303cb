//! What Argo CD makes of ApplicationSets: one Application per parameters file, expanded without a cluster.
//!
//! Rules are those of the ApplicationSet controller with `goTemplate: true` and `missingkey=error` (Argo CD 3.4, `applicationset/utils`, `applicationset/generators/git.go`).

use std::collections::BTreeMap;

use globset::GlobBuilder;
use regex_lite::{Captures, Regex};
use serde_json::json;

use super::artefact::TreePath;
use super::problem::{Problem, Problems};
use super::value::{Map, Value};

/// Rendered documents by path.
pub type Documents = BTreeMap<TreePath, Value>;

/// Every Application among `documents` and of the ApplicationSets there, by name; `root` is the tree's folder in the repository.
///
/// # Errors
/// Templates beyond plain fields, fields that a parameters file lacks, two Applications of one name.
pub fn expand(documents: &Documents, root: &str) -> Result<Vec<Value>, Problems> {
    let mut problems = Problems::default();
    let applications = documents.values().filter(|document| document["kind"] == "Application");
    let mut found: BTreeMap<String, Value> = applications.map(|one| (name_of(one), one.clone())).collect();
    let sets = documents
        .iter()
        .filter(|(_, document)| document["kind"] == "ApplicationSet");
    for (path, set) in sets {
        for (file, parameters) in problems
            .take(parameters(path, set, documents, root))
            .unwrap_or_default()
        {
            match application(set, parameters) {
                Ok(application) => {
                    let name = name_of(&application);
                    if found.insert(name.clone(), application).is_some() {
                        let message = format!("two Applications would be called `{name}`; one of them is of {file}");
                        problems.push(
                            Problem::new(message)
                                .help("cluster and instance names join to that name: rename one of them"),
                        );
                    }
                }
                Err(why) => problems.push(Problem::new(format!("{path} with {file}: {why}"))),
            }
        }
    }
    problems.or(found.into_values().collect())
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// The parameters files that the set's git generators find.
fn parameters<'d>(
    path: &TreePath,
    set: &Value,
    documents: &'d Documents,
    root: &str,
) -> Result<Vec<(&'d TreePath, &'d Value)>, Problems> {
    let generators = set["spec"]["generators"].as_array().into_iter().flatten();
    let patterns = generators
        .flat_map(|generator| generator["git"]["files"].as_array().into_iter().flatten())
        .filter_map(|file| file["path"].as_str());
    let mut found = Vec::new();
    for pattern in patterns {
        // Argo CD reads `*` greedily unless told otherwise: the pattern must mean the same both ways.
        let [precise, greedy] = [true, false].map(|precise| matching(pattern, precise, documents, root));
        let (precise, greedy) = (precise.map_err(Problem::new)?, greedy.map_err(Problem::new)?);
        if precise.len() != greedy.len() {
            let message = format!("{path}: `{pattern}` finds other files when `*` also matches `/`");
            return Err(Problem::new(message)
                .help("rename the files that are in the way: Argo CD globs greedily by default")
                .into());
        }
        found.extend(precise);
    }
    Ok(found)
}

fn matching<'d>(
    pattern: &str,
    precise: bool,
    documents: &'d Documents,
    root: &str,
) -> Result<Vec<(&'d TreePath, &'d Value)>, String> {
    let glob = GlobBuilder::new(pattern)
        .literal_separator(precise)
        .build()
        .map_err(|why| why.to_string())?
        .compile_matcher();
    Ok(documents
        .iter()
        .filter(|(path, _)| glob.is_match(format!("{root}/{path}")))
        .collect())
}

fn application(set: &Value, parameters: &Value) -> Result<Value, String> {
    let field = Regex::new(r"\{\{\s*((?:\.[A-Za-z0-9_]+)+)\s*\}\}").map_err(|why| why.to_string())?;
    let filled = fill(&set["spec"]["template"], parameters, &field)?;
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), filled["metadata"]["name"].clone());
    metadata.insert("namespace".to_owned(), set["metadata"]["namespace"].clone());
    for key in ["labels", "annotations", "finalizers"] {
        if let Some(value) = filled["metadata"].get(key) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    Ok(
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": filled["spec"]}),
    )
}

fn fill(template: &Value, parameters: &Value, field: &Regex) -> Result<Value, String> {
    Ok(match template {
        Value::String(text) => Value::String(fill_text(text, parameters, field)?),
        Value::Array(items) => items
            .iter()
            .map(|item| fill(item, parameters, field))
            .collect::<Result<_, _>>()?,
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| Ok((key.clone(), fill(value, parameters, field)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

fn fill_text(text: &str, parameters: &Value, field: &Regex) -> Result<String, String> {
    let mut missing = None;
    let filled = field.replace_all(text, |captures: &Captures<'_>| {
        let pointer = captures[1].replace('.', "/");
        match parameters.pointer(&pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            _ => {
                missing = Some(captures[1].to_owned());
                String::new()
            }
        }
    });
    match missing {
        Some(name) => Err(format!("there is no text `{name}` for `{text}`")),
        None if filled.contains("{{") => Err(format!(
            "`{text}` is more than a plain field: it cannot be expanded offline"
        )),
        None => Ok(filled.into_owned()),
    }
}
