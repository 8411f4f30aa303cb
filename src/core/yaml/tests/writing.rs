//! Writing: one text per value, read back as that value by everybody.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::{positions, text, value};
use crate::core::source::Source;
use crate::core::value::Value;
use crate::core::yaml::{Node, canonical, read, write, write_to};

fn back(text: &str) -> Value {
    read(&Source::new("t.yaml", text)).unwrap_or_else(|problem| panic!("{text}\n{problem:?}"))
}

#[test]
fn looks_like_kubernetes() {
    let value = json!({
        "apiVersion": "v1", "items": [{"name": "a", "args": ["--x", "y: z"]}, []], "empty": {}, "none": null,
        "on": true, "yes": "yes", "port": "8080", "version": "1.30", "cidr": "10.41.0.0/16", "float": 1e21, "five": 5.0,
        "script": "#!/bin/sh\nset -e\n\tindented \n\necho done\n", "tabs": "\n\tfirst\nsecond", "long": "word ".repeat(60) + "end",
        "helm": "{{ .name }}", "glob": "*.local", "url": "https://a.b/c#d", "strip": "a\nb", "keep": "a\n\n"
    });
    let text = write(&value);
    insta::assert_snapshot!(text, @r#"
    apiVersion: v1
    items:
    - name: a
      args:
      - --x
      - "y: z"
    - []
    empty: {}
    none: null
    "on": true
    "yes": "yes"
    port: "8080"
    version: "1.30"
    cidr: 10.41.0.0/16
    float: 1.0e+21
    five: 5.0
    script: |
      #!/bin/sh
      set -e
      	indented 

      echo done
    tabs: "\n\tfirst\nsecond"
    long: word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word end
    helm: "{{ .name }}"
    glob: "*.local"
    url: https://a.b/c#d
    strip: |-
      a
      b
    keep: |+
      a
    "#);
    assert_eq!(back(&text), value);
}

#[test]
fn ends_with_one_newline() {
    for value in [
        json!({"a": 1}),
        json!([]),
        json!({}),
        json!("x"),
        json!(null),
        json!({"a": "x\n"}),
    ] {
        let text = write(&value);
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
        let mut appended = "# header\n".to_owned();
        write_to(&mut appended, &value);
        assert_eq!(appended, format!("# header\n{text}"));
    }
}

#[test]
fn blank_lines_stay_blank() {
    let text = write(&json!({"a": {"script": "one\n\n  two\n\n\nthree\n"}, "list": ["x\n\ny"]}));
    assert_eq!(
        text,
        "a:\n  script: |\n    one\n\n      two\n\n\n    three\nlist:\n- |-\n  x\n\n  y\n"
    );
    assert_eq!(write(&json!({"a": "x\n  \ny"})), "a: \"x\\n  \\ny\"\n");
}

#[test]
fn nothing_is_folded() {
    let long = "a ".repeat(2000) + "b";
    assert_eq!(write(&json!({ "k": long })).lines().count(), 1);
}

#[test]
fn kubernetes_objects_have_an_order() {
    let object = json!({
        "data": {"z": 1, "a": 2}, "spec": {}, "metadata": {"annotations": {}, "finalizers": [], "namespace": "n", "labels": {}, "name": "x"},
        "kind": "ConfigMap", "apiVersion": "v1"
    });
    let keys = |value: &Value| {
        value
            .as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let sorted = canonical(object.clone());
    assert_eq!(keys(&sorted), ["apiVersion", "kind", "metadata", "spec", "data"]);
    assert_eq!(
        keys(&sorted["metadata"]),
        ["name", "namespace", "labels", "annotations", "finalizers"]
    );
    assert_eq!(keys(&sorted["data"]), ["z", "a"]);
    assert_eq!(sorted, object, "nothing is lost");
    let values = json!({"kind": "x", "metadata": {"labels": 1, "name": 2}});
    assert_eq!(canonical(values.clone()).to_string(), values.to_string());
}

proptest! {
    #![proptest_config(Config { cases: 1000, ..Config::default() })]

    #[test]
    fn any_text_anywhere_reads_back(text in text()) {
        let value = positions(&text);
        let written = write(&value);
        prop_assert_eq!(back(&written), value.clone(), "{}", written);
        prop_assert_eq!(Node::parse(&Source::new("t.yaml", written)).unwrap().to_value(), value);
    }

    #[test]
    fn any_value_reads_back(value in value()) {
        let written = write(&value);
        prop_assert_eq!(back(&written), value.clone(), "{}", written);
        prop_assert_eq!(Node::parse(&Source::new("t.yaml", written)).unwrap().to_value(), value);
    }

    #[test]
    fn writing_is_stable(value in value()) {
        let written = write(&value);
        prop_assert_eq!(write(&back(&written)), written);
    }
}

/// `PyYAML`, a reader of YAML 1.1, gets the same values. Skipped, aloud, where it is not installed.
#[test]
fn a_reader_of_yaml_1_1_agrees() {
    const SCRIPT: &str = "import sys, json, yaml\nprint(json.dumps([yaml.safe_load(d) for d in json.load(sys.stdin)]))";
    let mut runner = TestRunner::deterministic();
    let mut values = Vec::new();
    for _ in 0..300 {
        values.push(positions(&text().new_tree(&mut runner).unwrap().current()));
        values.push(json!([value().new_tree(&mut runner).unwrap().current()]));
    }
    let documents: Vec<String> = values.iter().map(write).collect();
    let Some(read) = python(SCRIPT, &json!(documents)) else {
        println!("skipped: python3 with PyYAML is not installed");
        return;
    };
    for ((value, document), read) in values.iter().zip(&documents).zip(read.as_array().unwrap()) {
        assert!(same(value, read), "{document}\n{value}\n{read}");
    }
}

/// Equal, but for what JSON loses on the way back: whether a number is a float, and its last bit.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= a.abs() * f64::EPSILON
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn python(script: &str, input: &Value) -> Option<Value> {
    let mut child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(input.to_string().as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).unwrap())
}
