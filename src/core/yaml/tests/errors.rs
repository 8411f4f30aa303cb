//! Messages: what is wrong, at its place, in words of ours.

use serde::Deserialize;

use crate::core::problem::Problems;
use crate::core::source::Source;
use crate::core::value::Value;
use crate::core::yaml::{Node, read};

/// The report of what [`Node::parse`] refuses.
fn refused(text: &str) -> String {
    let problem = Node::parse(&Source::new("lab.yaml", text)).expect_err(text);
    Problems::from(problem).report(false)
}

/// The typed reader says the same.
fn refused_by_both(text: &str) -> String {
    let report = refused(text);
    let problem = read::<Value>(&Source::new("lab.yaml", text)).expect_err(text);
    assert_eq!(Problems::from(problem).report(false), report);
    report
}

#[test]
fn a_key_twice() {
    insta::assert_snapshot!(refused_by_both("spec:\n  name: a\n  é: 1\n  name: b\n"), @r"
    error: the key `name` stands twice in one map
     --> lab.yaml:4:3
      |
    2 |   name: a
      |   ---- first here
    3 |   é: 1
    4 |   name: b
      |   ^^^^ again here
    ");
}

#[test]
fn a_key_twice_in_a_large_map() {
    let many: Vec<String> = (0..40).map(|i| format!("k{i}: {i}\n")).collect();
    let report = refused(&format!("{}k3: again\n", many.concat()));
    assert!(
        report.contains("`k3` stands twice") && report.contains("lab.yaml:41:1"),
        "{report}"
    );
}

#[test]
fn tabs() {
    insta::assert_snapshot!(refused_by_both("a:\n\t- b\n"), @r"
    error: a tab cannot indent
     --> lab.yaml:2:2
      |
    2 |     - b
      |     ^
      |
      = help: indent with spaces
    ");
}

#[test]
fn unknown_anchor() {
    insta::assert_snapshot!(refused_by_both("a: *nowhere\n"), @r"
    error: this alias has no anchor
     --> lab.yaml:1:4
      |
    1 | a: *nowhere
      |    ^^^^^^^^
      |
      = help: mark what it repeats with `&name`, further up
    ");
}

#[test]
fn brackets() {
    insta::assert_snapshot!(refused_by_both("a: [1,\nb: 2\n"), @r"
    error: `[` is not closed
     --> lab.yaml:1:4
      |
    1 | a: [1,
      |    ^^
      |
      = help: close it, or quote text that starts with it
    ");
    insta::assert_snapshot!(refused_by_both("a: {version: <{ x }>}\n"), @r"
    error: `,` or `}` is expected here
     --> lab.yaml:1:15
      |
    1 | a: {version: <{ x }>}
      |               ^
      |
      = help: quote a value that contains `{`, `}`, `[`, `]` or `,`, such as an expression
    ");
}

#[test]
fn quotes() {
    insta::assert_snapshot!(refused_by_both("a: \"b\nc: d\n"), @r"
    error: the quoted text before this is not closed
     --> lab.yaml:2:1
      |
    2 | c: d
      | ^
      |
      = help: close the quote, or indent the lines that continue it
    ");
    insta::assert_snapshot!(refused_by_both("a: 'it's'\n"), @r"
    error: text follows a quoted text
     --> lab.yaml:1:8
      |
    1 | a: 'it's'
      |        ^^
      |
      = help: quote the whole value; double a `'` inside single quotes
    ");
}

#[test]
fn colons() {
    insta::assert_snapshot!(refused_by_both("a: b: c\n"), @r"
    error: a `: ` cannot stand here
     --> lab.yaml:1:5
      |
    1 | a: b: c
      |     ^
      |
      = help: quote a value that contains `: `, such as an expression
    ");
}

#[test]
fn indentation() {
    insta::assert_snapshot!(refused_by_both("a:\n  b: 1\n c: 2\n"), @r"
    error: a key is expected here
     --> lab.yaml:3:2
      |
    3 |  c: 2
      |  ^
      |
      = help: indent the keys of one map alike
    ");
}

#[test]
fn characters_that_need_quotes() {
    insta::assert_snapshot!(refused_by_both("a: @x\n"), @r"
    error: a value without quotes cannot start with `@`
     --> lab.yaml:1:4
      |
    1 | a: @x
      |    ^^
      |
      = help: quote the value
    ");
}

#[test]
fn keys_that_are_not_text() {
    insta::assert_snapshot!(refused("a: {{ .Values.x }}\n"), @r"
    error: a key must be text
     --> lab.yaml:1:5
      |
    1 | a: {{ .Values.x }}
      |     ^
      |
      = help: quote text that starts with `{`, `[` or `*`
    ");
    insta::assert_snapshot!(refused(": 1\n"), @r"
    error: a key is missing before `:`
     --> lab.yaml:1:1
      |
    1 | : 1
      | ^
    ");
    assert!(refused("~: 1\n").contains("a key must be text"));
}

#[test]
fn second_documents() {
    insta::assert_snapshot!(refused_by_both("a: 1\n---\nb: 2\n"), @r"
    error: a second document starts here
     --> lab.yaml:3:1
      |
    3 | b: 2
      | ^
      |
      = help: put each document into a file of its own
    ");
}

#[test]
fn tags_and_numbers() {
    insta::assert_snapshot!(refused("a: !secret x\n"), @r"
    error: the tag `!secret` has no meaning here
     --> lab.yaml:1:4
      |
    1 | a: !secret x
      |    ^^^^^^^
      |
      = help: remove the tag
    ");
    insta::assert_snapshot!(refused("a: .nan\n"), @r"
    error: `.nan` is not a finite number
     --> lab.yaml:1:4
      |
    1 | a: .nan
      |    ^^^^
      |
      = help: quote it if it is text
    ");
}

#[test]
fn bombs() {
    let mut lines = vec!["a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned()];
    for (name, below) in ["b", "c", "d", "e", "f", "g", "h", "i"]
        .iter()
        .zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        let items = vec![format!("*{below}"); 9].join(", ");
        lines.push(format!("{name}: &{name} [{items}]\n"));
    }
    let text = lines.concat();
    assert!(refused(&text).contains("aliases"));
    assert!(read::<Value>(&Source::new("lab.yaml", text)).is_err());
    assert!(refused("a: &a [*a]\n").contains("inside of what it repeats"));
}

#[test]
fn depth() {
    for deep in [
        "[".repeat(200) + &"]".repeat(200),
        (0..200).map(|i| " ".repeat(i) + "a:\n").collect(),
    ] {
        assert!(refused(&deep).contains("nested"), "{}", refused(&deep));
        assert!(read::<Value>(&Source::new("lab.yaml", deep)).is_err());
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code, reason = "only the errors of reading it matter")]
struct Lab {
    name: String,
    #[serde(default)]
    per_cell: u16,
    #[serde(default)]
    sync: Option<Sync>,
    #[serde(default)]
    cells: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sync {
    Manual,
    Automated,
}

fn mismatch(text: &str) -> String {
    let problem = read::<Lab>(&Source::new("lab.yaml", text)).expect_err(text);
    let report = Problems::from(problem).report(false);
    assert!(!report.contains("Options") && !report.contains("at line"), "{report}");
    report
}

#[test]
fn unknown_keys() {
    insta::assert_snapshot!(mismatch("name: a\nperCel: 5\n"), @r"
    error: the key `perCel` is unknown
     --> lab.yaml:2:1
      |
    2 | perCel: 5
      | ^^^^^^
      |
      = help: did you mean `perCell`?
    ");
    insta::assert_snapshot!(mismatch("name: a\nzzz: 5\n"), @r"
    error: the key `zzz` is unknown
     --> lab.yaml:2:1
      |
    2 | zzz: 5
      | ^^^
      |
      = help: known keys: name, perCell, sync, cells
    ");
}

#[test]
fn missing_keys() {
    insta::assert_snapshot!(mismatch("perCell: 5\n"), @r"
    error: the key `name` is missing
     --> lab.yaml:1:1
      |
    1 | perCell: 5
      | ^^^^^^^
    ");
    insta::assert_snapshot!(mismatch(""), @r"
    error: there is nothing in this file
    --> lab.yaml
    ");
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(mismatch("name: a\nperCell: many\n"), @r"
    error: expected a whole number from 0 to 65535
     --> lab.yaml:2:10
      |
    2 | perCell: many
      |          ^^^^
    ");
    insta::assert_snapshot!(mismatch("name: a\ncells: {a: b}\n"), @r"
    error: expected a list
     --> lab.yaml:2:8
      |
    2 | cells: {a: b}
      |        ^
    ");
    insta::assert_snapshot!(mismatch("name: a\nperCell: 70000\n"), @r"
    error: expected a whole number from 0 to 65535
     --> lab.yaml:2:10
      |
    2 | perCell: 70000
      |          ^^^^^
    ");
    insta::assert_snapshot!(mismatch("name: [a]\n"), @r"
    error: expected text
     --> lab.yaml:1:7
      |
    1 | name: [a]
      |       ^
    ");
    insta::assert_snapshot!(mismatch("name:\n"), @r"
    error: expected text, found nothing
     --> lab.yaml:1:5
      |
    1 | name:
      |     ^
    ");
}

#[test]
fn unknown_values() {
    insta::assert_snapshot!(mismatch("name: a\nsync: automatic\n"), @r"
    error: `automatic` is unknown
     --> lab.yaml:2:7
      |
    2 | sync: automatic
      |       ^^^^^^^^^
      |
      = help: did you mean `automated`?
    ");
}
