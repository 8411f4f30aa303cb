//! The value of a YAML or JSON document, and Helm's own way to merge two.

/// Any document: null, boolean, number, string, list or map. Maps keep their order.
pub type Value = serde_json::Value;

/// A map that keeps the order in which keys were added.
pub type Map = serde_json::Map<String, Value>;

/// Merges `over` into `base` as Helm merges values files: maps merge, lists and scalars replace, null deletes.
///
/// Keys of `base` keep their place; new keys follow in the order of `over`.
pub fn merge(base: &mut Map, over: &Map) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (_, Value::Null) => {
                base.shift_remove(key);
            }
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            (_, Value::Object(above)) => {
                let mut fresh = Map::new();
                merge(&mut fresh, above);
                base.insert(key.clone(), Value::Object(fresh));
            }
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Lays `over` on `base` where Helm will merge the result: as [`merge`], but null stays, so that it deletes a chart's default too.
pub fn overlay(base: &mut Map, over: &Map) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => overlay(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(base: Value, over: Value) -> Value {
        let (Value::Object(mut base), Value::Object(over)) = (base, over) else {
            panic!("maps only")
        };
        merge(&mut base, &over);
        Value::Object(base)
    }

    #[test]
    fn maps_merge_lists_replace_null_deletes() {
        let base = json!({"a": {"x": 1, "y": 2}, "l": [1, 2], "gone": true});
        let over = json!({"a": {"y": 3, "z": null}, "l": [3], "gone": null, "new": {"k": null, "v": 1}});
        assert_eq!(
            merged(base, over),
            json!({"a": {"x": 1, "y": 3}, "l": [3], "new": {"v": 1}})
        );
    }

    #[test]
    fn null_stays_where_helm_will_see_it() {
        let Value::Object(mut base) = json!({"a": {"x": 1, "y": 2}, "l": [1]}) else {
            panic!("maps only")
        };
        overlay(
            &mut base,
            json!({"a": {"x": null, "z": null}, "l": [2]}).as_object().unwrap(),
        );
        assert_eq!(
            Value::Object(base),
            json!({"a": {"x": null, "y": 2, "z": null}, "l": [2]})
        );
    }

    #[test]
    fn keys_keep_their_place() {
        let out = merged(json!({"b": 1, "a": 1}), json!({"c": 1, "b": 2}));
        assert_eq!(out.to_string(), r#"{"b":2,"a":1,"c":1}"#);
    }
}
