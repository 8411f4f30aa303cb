//! Filters for the languages inside of YAML.

use std::process::Command;

use proptest::prelude::*;
use serde_json::json;

use super::{fails, render};
use crate::core::source::Source;
use crate::core::template::{Expr, Scope, from_value};
use crate::core::value::Value;
use crate::core::yaml::read;

/// The result of `expr` with `v` set to a value.
fn filtered(expr: &str, value: &Value) -> String {
    let scope = Scope::new(from_value(&json!({ "v": value })));
    let expr = Expr::parse(&Source::new("t", expr), 0..expr.len(), expr).unwrap();
    expr.eval(&scope).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn shell_words() {
    for (value, word) in [
        (json!("plain-1.2/x:y"), "plain-1.2/x:y"),
        (json!(""), "''"),
        (json!("a b"), "'a b'"),
        (json!("it's $HOME"), r"'it'\''s $HOME'"),
        (json!("~"), "'~'"),
        (json!(5), "5"),
        (json!(true), "true"),
    ] {
        assert_eq!(filtered("v|shquote", &value), word);
    }
    assert!(fails("a: <{ cluster.nodes|shquote }>\n").contains("only scalars can stand in text, this is a list"));
    assert!(fails("a: <{ network.none|shquote }>\n").contains("this is null"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_shell_reads_the_word_back(text in "[^\\x00]{0,30}") {
        let word = filtered("v|shquote", &json!(text));
        let output = Command::new("sh").args(["-c", &format!("printf %s {word}")]).output().unwrap();
        prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
    }
}

proptest! {
    #[test]
    fn json_and_yaml_read_back(text in any::<String>(), number in any::<i64>()) {
        let value = json!({"a": [text.clone(), number, null, true], text: {}});
        prop_assert_eq!(&serde_json::from_str::<Value>(&filtered("v|json", &value)).unwrap(), &value);
        prop_assert_eq!(&read::<Value>(&Source::new("t", filtered("v|yaml", &value))).unwrap(), &value);
    }
}

#[test]
fn toml_scalars() {
    assert_eq!(
        filtered("v|toml", &json!("a \"b\" \\ \n\t\u{7f}é")),
        r#""a \"b\" \\ \n\t\u007Fé""#
    );
    assert_eq!(filtered("v|toml", &json!(5011)), "5011");
    assert_eq!(filtered("v|toml", &json!(false)), "false");
    assert_eq!(filtered("v|toml", &json!(1.0)), "1.0");
    assert!(fails("a: <{ cluster.peers[0]|toml }>\n").contains("a map"));
}

#[test]
fn yaml_is_embedded_with_indent() {
    let text = "s: |\n  peers:\n    <{ cluster.peers|yaml|indent(2) }>\n  end\n";
    assert_eq!(
        render(text),
        json!({"s": "peers:\n  - name: pasta-2\n    port: 2379\nend\n"})
    );
}

#[test]
fn indent_takes_text_only() {
    assert_eq!(filtered("v|indent(2)", &json!("a\n\nb\n")), "a\n\n  b");
    assert_eq!(filtered("v|indent(2, true)", &json!("a\nb")), "  a\n  b");
    assert!(fails("a: <{ cluster.nodes|indent(2) }>\n").contains("use `|yaml|indent(…)`"));
}

#[test]
fn joined_lists_hold_scalars() {
    assert_eq!(filtered("v|join(', ')", &json!(["a", 1, true])), "a, 1, true");
    assert_eq!(filtered("v|join", &json!(["a", "b"])), "ab");
    assert!(fails("a: <{ cluster.peers|join(',') }>\n").contains("a map"));
    assert!(fails("a: <{ cluster.name|join(',') }>\n").contains("`join` takes a list"));
}

#[test]
fn defaults() {
    let text = "a: <{ cluster.gone|default(5) }>\nb: <{ cell.vms|default('x') }>\nc: <{ cell.vms|d('x', true) }>\nd: <{ cluster.id|default('x', true) }>\n";
    assert_eq!(render(text), json!({"a": 5, "b": [], "c": "x", "d": 1}));
    assert!(fails("a: <{ cluster.gone|default }>\n").contains("takes a fallback"));
}

#[test]
fn others() {
    assert_eq!(filtered("v|b64encode", &json!("user:pass")), "dXNlcjpwYXNz");
    assert_eq!(filtered("v|string", &json!(true)), "true");
    assert_eq!(filtered("(v|string) ~ 'x'", &json!(true)), "truex");
}

#[test]
fn undefined_arguments_are_errors() {
    for expr in [
        "nope|shquote",
        "nope|toml",
        "nope|json",
        "nope|yaml",
        "nope|b64encode",
        "nope|indent(2)",
        "nope|join",
        "cluster.nodes|join(nope)",
    ] {
        let report = fails(&format!("a: <{{ {expr} }}>\n"));
        assert!(report.contains("`nope` is not defined"), "{expr}: {report}");
    }
}

#[test]
fn what_prints_variables_is_gone() {
    assert!(fails("a: <{ debug() }>\n").contains("debug"));
    for filter in ["pprint", "safe", "escape", "e"] {
        assert!(
            fails(&format!("a: <{{ cluster.name|{filter} }}>\n")).contains("no filter"),
            "{filter}"
        );
    }
}
