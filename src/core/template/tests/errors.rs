//! Messages: at the template's own line, with what could have been meant.

use serde_json::json;

use super::{fails, refused};
use crate::core::problem::Problems;
use crate::core::source::Source;
use crate::core::template::{Expr, Scope, Template, from_value};

#[test]
fn undefined() {
    insta::assert_snapshot!(fails("a: 1\nb:\n- version: <{ istio.versoin }>\n"), @r"
    error: `istio.versoin` is not defined
     --> t.yaml:3:15
      |
    3 | - version: <{ istio.versoin }>
      |               ^^^^^^^^^^^^^
      |
      = help: did you mean `istio.version`?
    ");
    insta::assert_snapshot!(fails("a: x-<{ instnace.name }>\n"), @r"
    error: `instnace` is not defined
     --> t.yaml:1:9
      |
    1 | a: x-<{ instnace.name }>
      |         ^^^^^^^^
      |
      = help: known here: cell, cluster, hostile, istio, network, provider, registries
    ");
    insta::assert_snapshot!(fails("<% if netwrok.mode == \"multi\" %>: {a: 1}\n"), @r#"
    error: `netwrok` is not defined
     --> t.yaml:1:7
      |
    1 | <% if netwrok.mode == "multi" %>: {a: 1}
      |       ^^^^^^^
      |
      = help: did you mean `network`?
    "#);
    insta::assert_snapshot!(fails("a: <{ istio.foo.bar }>\n"), @r"
    error: `istio.foo` is not defined
     --> t.yaml:1:7
      |
    1 | a: <{ istio.foo.bar }>
      |       ^^^^^^^^^
      |
      = help: known here: dataplane, revision, version
    ");
    insta::assert_snapshot!(fails("a: <{ cell.vms|first }>\n"), @r"
    error: `cell.vms|first` has no value
     --> t.yaml:1:7
      |
    1 | a: <{ cell.vms|first }>
      |       ^^^^^^^^^^^^^^
      |
      = help: look for an `if` without `else`, an empty list, or an index that is not there
    ");
    insta::assert_snapshot!(fails("a: \"<{ 'x' if cell.vms }>\"\n"), @r#"
    error: `'x' if cell.vms` has no value
     --> t.yaml:1:8
      |
    1 | a: "<{ 'x' if cell.vms }>"
      |        ^^^^^^^^^^^^^^^
      |
      = help: look for an `if` without `else`, an empty list, or an index that is not there
    "#);
    insta::assert_snapshot!(fails("a: <{ cluster.nodes[7] }>\n"), @r"
    error: `cluster.nodes[7]` has no value
     --> t.yaml:1:7
      |
    1 | a: <{ cluster.nodes[7] }>
      |       ^^^^^^^^^^^^^^^^
      |
      = help: look for an `if` without `else`, an empty list, or an index that is not there
    ");
    insta::assert_snapshot!(fails("<{ nope }>: 1\n"), @r"
    error: `nope` is not defined
     --> t.yaml:1:4
      |
    1 | <{ nope }>: 1
      |    ^^^^
      |
      = help: known here: cell, cluster, hostile, istio, network, provider, registries
    ");
}

#[test]
fn undefined_inside_of_a_result() {
    assert!(fails("a: <{ [cluster.nope] }>\n").contains("not defined"));
    assert!(fails("a: '<{ {\"x\": cluster.nope} }>'\n").contains("not defined"));
}

#[test]
fn operations() {
    insta::assert_snapshot!(fails("a: <{ cluster.nodes + 1 }>\n"), @r"
    error: tried to use + operator on unsupported types sequence and number
     --> t.yaml:1:7
      |
    1 | a: <{ cluster.nodes + 1 }>
      |       ^^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(fails("a: <{ istio.version|tomll }>\n"), @r"
    error: there is no filter `tomll`
     --> t.yaml:1:21
      |
    1 | a: <{ istio.version|tomll }>
      |                     ^^^^^
      |
      = help: did you mean `toml`?
    ");
    insta::assert_snapshot!(fails("a: <{ istio.version() }>\n"), @r"
    error: value of type string is not callable
     --> t.yaml:1:12
      |
    1 | a: <{ istio.version() }>
      |            ^^^^^^^^^^
    ");
    insta::assert_snapshot!(fails("a: é <{ cluster.id / 0 }>\n"), @r"
    error: unable to calculate 1 / 0
     --> t.yaml:1:9
      |
    1 | a: é <{ cluster.id / 0 }>
      |         ^^^^^^^^^^^^^^
    ");
}

#[test]
fn syntax() {
    insta::assert_snapshot!(refused("a: <{ x + }>\nb: y <{ (1 }> z\nc: <{ }>\nd: <{ x\n"), @r"
    error: this is not an expression: unexpected end of input, expected expression
     --> t.yaml:1:9
      |
    1 | a: <{ x + }>
      |         ^

    error: this is not an expression: unexpected end of input, expected `)`
     --> t.yaml:2:10
      |
    2 | b: y <{ (1 }> z
      |          ^

    error: an expression is missing here
     --> t.yaml:3:4
      |
    3 | c: <{ }>
      |    ^^^^^

    error: `<{` is not closed
     --> t.yaml:4:4
      |
    4 | d: <{ x
      |    ^^^^
      |
      = help: close it with `}>`
    ");
    insta::assert_snapshot!(refused("<% if x == %>: {}\n"), @r"
    error: this is not an expression: unexpected end of input, expected expression
     --> t.yaml:1:9
      |
    1 | <% if x == %>: {}
      |         ^^
    ");
}

#[test]
fn all_problems_of_a_file_at_once() {
    let problems = Template::parse(&Source::new(
        "t.yaml",
        "a: <{ + }>\n<% else %>: {}\nl:\n- <% for x %>: 1\ns: |\n  <% end %>\n",
    ))
    .unwrap_err();
    assert_eq!(problems.len(), 4, "{}", problems.report(false));
}

#[test]
fn quotes_and_line_ends_do_not_move_the_marker() {
    insta::assert_snapshot!(fails("\u{feff}é: 1\r\na: {b: 'it''s <{ nope }>'}\r\n"), @r"
    error: `nope` is not defined
     --> t.yaml:2:18
      |
    2 | a: {b: 'it''s <{ nope }>'}
      |                  ^^^^
      |
      = help: known here: cell, cluster, hostile, istio, network, provider, registries
    ");
    insta::assert_snapshot!(fails("a: \"\\x41 <{ nope }>\"\n"), @r#"
    error: `nope` is not defined
     --> t.yaml:1:13
      |
    1 | a: "\x41 <{ nope }>"
      |             ^^^^
      |
      = help: known here: cell, cluster, hostile, istio, network, provider, registries
    "#);
    insta::assert_snapshot!(fails("a: one\n  two <{ nope }>\n"), @r"
    error: `nope` is not defined
     --> t.yaml:2:10
      |
    2 |   two <{ nope }>
      |          ^^^^
      |
      = help: known here: cell, cluster, hostile, istio, network, provider, registries
    ");
    insta::assert_snapshot!(fails("a: x nope <{ nope }>\n"), @r"
    error: `nope` is not defined
     --> t.yaml:1:14
      |
    1 | a: x nope <{ nope }>
      |              ^^^^
      |
      = help: known here: cell, cluster, hostile, istio, network, provider, registries
    ");
}

#[test]
fn fragments_point_into_their_file() {
    let source = Source::new("component.yaml", "kind: Component\nwhen: 'network.mode == \"multi\"'\n");
    let text = "network.mode == \"multi\"";
    let expr = Expr::parse(&source, 22..source.text.len() - 1, text).unwrap();
    let problem = expr
        .truth(&Scope::new(from_value(&json!({"network": {"mod": 1}}))))
        .unwrap_err();
    insta::assert_snapshot!(Problems::from(problem).report(false), @r#"
    error: `network.mode` is not defined
     --> component.yaml:2:8
      |
    2 | when: 'network.mode == "multi"'
      |        ^^^^^^^^^^^^
      |
      = help: did you mean `network.mod`?
    "#);
}

#[test]
fn values_are_not_shown() {
    let scope = Scope::new(from_value(&json!({"password": "hunter2", "list": ["hunter2"]})));
    for text in [
        "a: <{ password + 1 }>\n",
        "a: <{ password.x.y }>\n",
        "a: <{ passwort }>\n",
        "a: x<{ list }>\n",
        "a: |\n  <{ list }>\n",
        "a: <{ password|int }>\n",
    ] {
        let problem = Template::parse(&Source::new("t.yaml", text))
            .unwrap()
            .render(&scope)
            .expect_err(text);
        assert!(
            !format!("{problem:?}{}", Problems::from(problem.clone()).report(false)).contains("hunter2"),
            "{problem:?}"
        );
    }
}
