//! From a compiled template and a scope to a document.

use std::collections::HashSet;

use super::block::{Block, Field, Fields, Item, Key};
use super::scope::Scope;
use super::site::Site;
use crate::core::problem::Problem;
use crate::core::value::{Map, Value};

/// Renders a node.
pub(super) fn value(block: &Block, scope: &Scope) -> Result<Value, Problem> {
    match block {
        Block::Constant(value) => Ok(value.clone()),
        Block::Expr(expr) => expr.value(scope),
        Block::Text(text) => text.render(scope).map(Value::String),
        Block::Jinja(text) => text.render(scope).map(Value::String),
        Block::List(items) => list(items, scope).map(Value::Array),
        Block::Map(fields) => {
            let mut map = Map::with_capacity(fields.0.len());
            merge_fields(&mut map, fields, scope)?;
            Ok(Value::Object(map))
        }
    }
}

fn list(items: &[Item], scope: &Scope) -> Result<Vec<Value>, Problem> {
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::One(block) => list.push(value(block, scope)?),
            Item::Splice(directive, block) => {
                for scope in directive.scopes(scope)? {
                    match value(block, &scope)? {
                        Value::Array(items) => list.extend(items),
                        item => list.push(item),
                    }
                }
            }
        }
    }
    Ok(list)
}

/// Renders the entries of a map into `map`, which may hold keys already: those that an enclosing map has, and those that
/// directives brought. Own keys must differ from each other, even where templates make them.
fn merge_fields(map: &mut Map, fields: &Fields, scope: &Scope) -> Result<(), Problem> {
    let mut own: HashSet<String> = HashSet::new();
    let templated = fields
        .0
        .iter()
        .any(|field| matches!(field, Field::Pair { key: Key::Text(_), .. }));
    for field in &fields.0 {
        match field {
            Field::Pair {
                key,
                site,
                value: block,
            } => {
                let key = match key {
                    Key::Fixed(key) => key.clone(),
                    Key::Text(text) => text.render(scope)?,
                };
                if templated && !own.insert(key.clone()) {
                    return Err(site.problem(format!("the key `{key}` comes up twice in one map")));
                }
                let value = value(block, scope)?;
                put(map, key, value).map_err(|key| taken(&key, site))?;
            }
            Field::Merge { directive, fields } => {
                for scope in directive.scopes(scope)? {
                    merge_fields(map, fields, &scope)?;
                }
            }
        }
    }
    Ok(())
}

/// Sets a key. Where it exists, two maps merge; anything else would lose one of the two.
///
/// # Errors
/// The path of the key that is taken.
fn put(map: &mut Map, key: String, value: Value) -> Result<(), String> {
    match (map.get_mut(&key), value) {
        (None, value) => {
            map.insert(key, value);
            Ok(())
        }
        (Some(Value::Object(below)), Value::Object(above)) => {
            let mut merge = above.into_iter().map(|(inner, value)| put(below, inner, value));
            merge
                .find_map(Result::err)
                .map_or(Ok(()), |inner| Err(format!("{key}.{inner}")))
        }
        (Some(_), _) => Err(key),
    }
}

fn taken(key: &str, site: &Site) -> Problem {
    let problem = site.problem(format!("the key `{key}` has a value already"));
    problem.help("a directive adds keys and merges maps; to replace a value, put each under a condition of its own")
}
