//! What reading and writing promise.

mod errors;
mod reading;
mod writing;

use proptest::prelude::*;
use serde_json::{Number, json};

use crate::core::value::Value;

/// Any text, with the characters and words that YAML readers stumble over well represented.
fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "n",
        "~",
        "null",
        "NULL",
        "true",
        "True",
        "0755",
        "0o17",
        "0x1F",
        "1e3",
        "1_000",
        "12:30:00",
        "4:5",
        "2024-01-01",
        ".inf",
        "-.INF",
        ".nan",
        "=",
        "<<",
        "-",
        "- a",
        "---",
        "...",
        "?",
        "? a",
        "a: b",
        "a #b",
        "#c",
        "&a",
        "*a",
        "!x",
        "%d",
        "@a",
        "`a",
        "|",
        ">",
        "{}",
        "[]",
        "{{ .x }}",
        "<{ x }>",
        "<% if x %>",
        "'",
        "\"",
        "\\",
        " a",
        "a ",
        "\ta",
        "a\t",
        ":",
        "a:",
        ",",
        "1.",
        ".5",
        "+1",
        "-0",
        "1e999",
        "685_230.15",
        "\u{feff}",
        "\u{2028}",
        "\u{85}",
        "\u{0}",
        "\u{1b}",
        "é",
        "字",
        "😀",
    ]);
    let piece = prop_oneof![
        4 => word.prop_map(str::to_owned),
        2 => Just("\n".to_owned()),
        1 => Just(" ".to_owned()),
        1 => Just("\t".to_owned()),
        1 => Just("\r\n".to_owned()),
        2 => "[ -~]{0,12}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-1000_i64..1000).prop_map(Number::from),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
        prop::sample::select(vec![1e21, 1e-7, 0.1, -0.0, 5.0, 1e16, f64::MAX, f64::MIN_POSITIVE])
            .prop_filter_map("finite", Number::from_f64),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        text().prop_map(Value::String),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..5).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

/// A text in every position that it can take.
fn positions(text: &str) -> Value {
    let mut keyed = serde_json::Map::new();
    keyed.insert(text.to_owned(), json!(text));
    json!({"value": text, "list": [text, [text]], "map": keyed, "nested": [{"a": text, "b": {"c": [{"d": text}]}}]})
}
