//! What a template sees.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

/// The variables of a render: a base, and layers over it for one instance or one turn of a loop.
///
/// A layer costs one allocation; the base is never copied. A scope never shows its values in debug output.
#[derive(Clone)]
pub struct Scope(Value);

impl Scope {
    /// A scope over a map or object of variables.
    pub fn new(base: Value) -> Self {
        Self(base)
    }

    /// This scope with one more variable, which hides another of its name.
    pub fn with(&self, name: impl Into<Arc<str>>, value: impl Into<Value>) -> Self {
        Self(Value::from_object(Layer {
            name: name.into(),
            value: value.into(),
            below: self.0.clone(),
        }))
    }

    /// The variable `name`.
    pub fn get(&self, name: &str) -> Option<Value> {
        lookup(&self.0, name)
    }

    pub(super) fn root(&self) -> Value {
        self.0.clone()
    }

    /// The names of all variables, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        names(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.names()).finish()
    }
}

/// One variable over a scope.
struct Layer {
    name: Arc<str>,
    value: Value,
    below: Value,
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layer").field(&self.name).finish()
    }
}

impl Object for Layer {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if *self.name == *key {
            Some(self.value.clone())
        } else {
            lookup(&self.below, key)
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut all = names(&self.below);
        all.push(self.name.to_string());
        all.sort_unstable();
        all.dedup();
        Enumerator::Values(all.into_iter().map(Value::from).collect())
    }
}

fn lookup(root: &Value, name: &str) -> Option<Value> {
    root.get_attr(name).ok().filter(|value| !value.is_undefined())
}

/// The keys of a map, sorted.
pub(super) fn names(map: &Value) -> Vec<String> {
    let keys = map
        .as_object()
        .and_then(minijinja::value::DynObject::try_iter)
        .into_iter()
        .flatten();
    let mut names: Vec<String> = keys.filter_map(|key| key.as_str().map(str::to_owned)).collect();
    names.sort_unstable();
    names
}
