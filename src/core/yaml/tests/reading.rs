//! Reading: types, positions, and that both readers agree.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::value;
use crate::core::source::Source;
use crate::core::value::Value;
use crate::core::yaml::{Kind, Node, Style, read, read_all, write};
use crate::path;

fn node(text: &str) -> Node {
    Node::parse(&Source::new("t.yaml", text)).unwrap_or_else(|problem| panic!("{text:?}: {problem:?}"))
}

fn typed(text: &str) -> Value {
    read(&Source::new("t.yaml", text)).unwrap_or_else(|problem| panic!("{text:?}: {problem:?}"))
}

#[test]
fn scalars_have_types() {
    let text = "n: ~\ne:\nb: yes\ni: -5\nu: 18446744073709551615\nf: 1.50\no: 0755\nx: 0x1F\ns: 1.30.3\nc: 10.41.0.0/16\nq: '5'\nt: !!str 7\nw: nope\nd: ---\nm: 5G\nv: 24.04\n";
    let expected = json!({
        "n": null, "e": null, "b": true, "i": -5, "u": u64::MAX, "f": 1.5, "o": 493, "x": 31, "s": "1.30.3", "c": "10.41.0.0/16",
        "q": "5", "t": "7", "w": "nope", "d": "---", "m": "5G", "v": 24.04
    });
    assert_eq!(node(text).to_value(), expected);
    assert_eq!(typed(text), expected);
}

#[test]
fn empty_documents_are_null() {
    for text in ["", "# only a comment\n", "---\n", "\u{feff}", "\n\n"] {
        assert!(node(text).is_null(), "{text:?}");
        assert_eq!(typed(text), Value::Null, "{text:?}");
    }
}

#[test]
fn keys_are_text_whatever_they_look_like() {
    let expected = json!({"5011": "a", "on": "b", "1.5": "c", "": "d"});
    assert_eq!(node("5011: a\non: b\n1.5: c\n'': d\n").to_value(), expected);
}

#[test]
fn styles_are_known() {
    let node = node("p: a b\nq: 'a'\nl: |\n  a\nf: >-\n  a\n  b\nm: a\n  b |\nz: |-\n  # a\n");
    let style = |key: &str| match node.field(key).map(Node::kind) {
        Some(Kind::Text(text, style)) => (text.as_str(), *style),
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(style("p"), ("a b", Style::Plain));
    assert_eq!(style("q"), ("a", Style::Quoted));
    assert_eq!(style("l"), ("a\n", Style::Literal));
    assert_eq!(style("f"), ("a b", Style::Folded));
    assert_eq!(style("m"), ("a b |", Style::Plain));
    assert_eq!(style("z"), ("# a", Style::Literal));
    assert!(Style::Folded.is_block() && Style::Literal.is_block() && !Style::Quoted.is_block());
}

#[test]
fn positions_are_byte_ranges() {
    let text = "é: [1, 'zwei']\nspec:\n  cells:\n  - name: pasta\n  # comment\n  - {name: pizza}\n\n# end\n";
    let node = node(text);
    let at = |path| {
        let located = node.locate(&path);
        (&text[located.key], &text[located.value])
    };
    assert_eq!(at(path!["é", 1]), ("'zwei'", "'zwei'"));
    assert_eq!(at(path!["spec", "cells", 1, "name"]), ("name", "pizza"));
    assert_eq!(at(path!["spec", "cells", 1]), ("{name: pizza}", "{name: pizza}"));
    assert_eq!(at(path!["spec", "cells", 0]).1, "name: pasta");
    assert_eq!(
        at(path!["spec", "cells"]),
        ("cells", "name: pasta\n  # comment\n  - {name: pizza}")
    );
    assert_eq!(
        at(path!["spec", "cells", 7, "name"]).0,
        "cells",
        "the nearest ancestor that exists"
    );
    assert_eq!(at(path!["spec", "cells", 1, "count"]).1, "{name: pizza}");
    assert_eq!(at(path![]).0, &text[..text.find("\n\n").unwrap()]);
    assert_eq!(
        node.get(&path!["spec", "cells", 1, "name"]).and_then(Node::as_str),
        Some("pizza")
    );
    assert_eq!(node.get(&path!["spec", "cells", "name"]), None);
}

#[test]
fn anchors_and_merges() {
    let text = "base: &b {x: 1, l: &l [é]}\ncopy: *b\nmore:\n  <<: *b\n  x: 2\ntwo:\n  <<: [*b, {z: 3}]\nlist: *l\n";
    let expected = json!({
        "base": {"x": 1, "l": ["é"]}, "copy": {"x": 1, "l": ["é"]}, "more": {"x": 2, "l": ["é"]},
        "two": {"x": 1, "l": ["é"], "z": 3}, "list": ["é"]
    });
    assert_eq!(node(text).to_value(), expected);
    assert_eq!(typed(text), expected);
    let copy = node(text).locate(&path!["copy"]).value;
    assert_eq!(&text[copy], "*b");
}

#[test]
fn streams_leave_out_empty_documents() {
    let read = |text: &str| read_all(&Source::new("t.yaml", text)).unwrap();
    assert_eq!(
        read("a: 1\n---\n---\n# nothing\n---\nb: 2\n"),
        [json!({"a": 1}), json!({"b": 2})]
    );
    assert!(read("").is_empty());
}

#[test]
fn large_documents_are_read() {
    let clusters: Vec<Value> = (0..100_000)
        .map(|i| json!({"name": format!("c-{i}"), "id": i}))
        .collect();
    let text = write(&json!({ "clusters": clusters }));
    assert_eq!(typed(&text)["clusters"].as_array().map(Vec::len), Some(100_000));
    assert_eq!(
        node(&text).field("clusters").and_then(Node::as_list).map(<[Node]>::len),
        Some(100_000)
    );
}

#[test]
fn types_are_read() {
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Lab {
        name: String,
        #[serde(default)]
        ports: Vec<u16>,
    }
    let lab: Lab = read(&Source::new("t.yaml", "name: 5\nports: [80, 443]\n")).unwrap();
    assert_eq!(
        lab,
        Lab {
            name: "5".into(),
            ports: vec![80, 443]
        }
    );
}

/// Lines of YAML as people write them, right and wrong.
fn yaml_like() -> impl Strategy<Value = String> {
    let scalar = || {
        prop::sample::select(vec![
            "",
            "a",
            "yes",
            "0755",
            "-1",
            "1e3",
            "1_0",
            ".5",
            "-.inf",
            "'x'",
            "\"y\"",
            "[a, 1]",
            "{b: 2}",
            "|",
            "~",
            "+5",
            "0b11",
            "1.2.3",
            "No",
            "0o7",
            "2024-01-01",
            "1:30",
            "0x",
            "é",
            "a b",
            "- c",
            "&x 1",
            "*x",
            "-",
            "0.0",
            "1e999",
            "08",
            "+",
            "--1",
            "1-2",
            "nan",
            "inf",
            "e5",
            "0_1",
            "0x_1",
        ])
    };
    let line = (
        0_usize..3,
        prop::sample::select(vec!["", "- ", "a: ", "b: ", "c: ", "? "]),
        scalar(),
    );
    let line = line.prop_map(|(indent, head, scalar)| format!("{}{head}{scalar}\n", "  ".repeat(indent)));
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn both_readers_agree(text in yaml_like()) {
        let source = Source::new("t.yaml", text.as_str());
        match (Node::parse(&source), read::<Value>(&source)) {
            (Ok(node), Ok(value)) => prop_assert_eq!(node.to_value(), value),
            (Err(_), Err(_)) => {}
            // The typed reader cannot know that a map has a key that is no text, or that equal numbers are spelled differently.
            (Err(problem), Ok(value)) => prop_assert!(problem.message.contains("key"), "{:?} but {:?}", problem, value),
            (Ok(node), Err(problem)) => prop_assert!(problem.message.contains("twice"), "{:?} but {:?}", node, problem),
        }
    }

    #[test]
    fn positions_lie_in_the_source(value in value()) {
        let source = Source::new("t.yaml", write(&value));
        check(&Node::parse(&source).unwrap(), &source.text, 0..source.text.len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let source = Source::new("t.yaml", text);
        if let Err(problem) = Node::parse(&source) {
            prop_assert!(!crate::core::problem::Problems::from(problem).report(false).is_empty());
        }
        let _ = read::<Value>(&source);
    }
}

/// Children lie inside of their parents, on character boundaries.
fn check(node: &Node, text: &str, outer: std::ops::Range<usize>) {
    let bytes = node.bytes();
    assert!(text.get(bytes.clone()).is_some());
    assert!(
        outer.start <= bytes.start && bytes.end <= outer.end,
        "{bytes:?} in {outer:?} of {text:?}"
    );
    node.as_list()
        .into_iter()
        .flatten()
        .for_each(|item| check(item, text, bytes.clone()));
    node.as_map()
        .into_iter()
        .flatten()
        .for_each(|entry| check(&entry.value, text, bytes.clone()));
}
