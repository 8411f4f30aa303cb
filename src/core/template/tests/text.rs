//! Jinja inside of block scalars and `.j2` files.

use serde_json::json;

use super::{fails, refused, render, scope};
use crate::core::problem::Problems;
use crate::core::source::Source;
use crate::core::template::TextTemplate;

#[test]
fn all_of_jinja_works_in_a_block_scalar() {
    let text = "s: |\n  #!/bin/sh\n  <% if network.clusterMesh %>\n  mesh\n  <% else %>\n  none\n  <% endif %>\n  <# a comment #>\n  <% for peer in cluster.peers %>\n  peer <{ peer.name }>:<{ peer.port }> <{ loop.index }>\n  <% endfor %>\n  <% set x = 'end' %>\n  ${#a[@]} {{ x }} <{ x }>\n";
    assert_eq!(
        render(text),
        json!({"s": "#!/bin/sh\nmesh\npeer pasta-2:2379 1\n${#a[@]} {{ x }} end\n"})
    );
}

#[test]
fn a_line_of_its_own_leaves_no_line() {
    let text = "s: |\n  a\n    <% if true %>\n    b\n    <% endif %>\n  c\n";
    assert_eq!(render(text), json!({"s": "a\n  b\nc\n"}));
}

#[test]
fn white_space_is_controlled() {
    assert_eq!(
        render("s: |\n  a\n  <%- if true -%>\n  b\n  <%- endif %>\n"),
        json!({"s": "ab"})
    );
}

#[test]
fn folded_scalars_are_text_too() {
    assert_eq!(
        render("s: >-\n  a\n  <% if true %>b<% endif %>\n  <{ cluster.id }>\n"),
        json!({"s": "a b 1"})
    );
}

#[test]
fn a_block_scalar_is_text_even_if_it_is_one_expression() {
    assert_eq!(render("s: |\n  <{ cluster.id }>\n"), json!({"s": "1\n"}));
    assert_eq!(render("s: |-\n  <{ cluster.id }>\n"), json!({"s": "1"}));
}

#[test]
fn booleans_print_as_yaml_writes_them() {
    assert_eq!(
        render("s: |\n  <{ network.clusterMesh }> <{ not true }> <{ 1.0 }> <{ 7 }>\n"),
        json!({"s": "true false 1.0 7\n"})
    );
}

#[test]
fn directives_inside_of_other_text_are_refused() {
    insta::assert_snapshot!(refused("a: x <% if true %>y<% endif %>\n"), @r"
    error: directives and comments inside of text need a block scalar
     --> t.yaml:1:6
      |
    1 | a: x <% if true %>y<% endif %>
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write the text below a `|`
    ");
    assert!(refused("a: \"<# c #>\"\n").contains("need a block scalar"));
}

#[test]
fn undefined_is_an_error_in_blocks() {
    insta::assert_snapshot!(fails("a:\n  s: |\n    one\n    two <{ istio.versoin }> <{ istio.versoin }>\n"), @r"
    error: `istio.versoin` is not defined
     --> t.yaml:4:12
      |
    4 |     two <{ istio.versoin }> <{ istio.versoin }>
      |            ^^^^^^^^^^^^^
      |
      = help: did you mean `istio.version`?
    ");
    insta::assert_snapshot!(fails("s: |\n  <% if cluster.nope %>\n  x\n  <% endif %>\n"), @r"
    error: `cluster.nope` is not defined
     --> t.yaml:2:9
      |
    2 |   <% if cluster.nope %>
      |         ^^^^^^^^^^^^
      |
      = help: did you mean `cluster.nodes`?
    ");
    insta::assert_snapshot!(fails("s: |\n  <{ 'x' if false }>\n"), @r"
    error: this has no value
     --> t.yaml:2:3
      |
    2 |   <{ 'x' if false }>
      |   ^^^^^^^^^^^^^^^
      |
      = help: look for an `if` without `else`, an empty list, or an index that is not there
    ");
    assert!(fails("s: |\n  <% for x in cell.vmz %>\n  <% endfor %>\n").contains("`cell.vms`"));
    assert!(fails("s: |\n  <{ cluster.nodes|join(sep) }>\n").contains("`sep` is not defined"));
}

#[test]
fn syntax_errors_stand_at_their_line() {
    insta::assert_snapshot!(refused("a: 1\nb:\n  c: |\n    one\n\n    <% if true %>\n    two <{ x + }>\n    <% endif %>\n"), @r"
    error: this is not a template: unexpected end of variable block
     --> t.yaml:7:16
      |
    7 |     two <{ x + }>
      |                ^^
    ");
    insta::assert_snapshot!(refused("c: |\n  <% if true %>\n  two\n"), @r"
    error: this is not a template: unexpected end of input, expected end of block
     --> t.yaml:3:3
      |
    3 |   two
      |   ^^^
    ");
    insta::assert_snapshot!(refused("c: |\n  é <% fi true %>\n  two\n"), @r"
    error: this is not a template: unknown statement fi
     --> t.yaml:2:8
      |
    2 |   é <% fi true %>
      |        ^^
    ");
    insta::assert_snapshot!(refused("c: |\n  <{ x\n  two\n"), @r"
    error: this is not a template: unexpected identifier, expected end of variable block
     --> t.yaml:3:3
      |
    3 |   two
      |   ^^^
    ");
}

#[test]
fn files_of_text() {
    let source = Source::new(
        "README.md.j2",
        "# <{ cell.name }>\n\n<% for c in cell.clusters %>\n- <{ c.name }>\n<% endfor %>\n",
    );
    assert_eq!(
        TextTemplate::parse(&source).unwrap().render(&scope()).unwrap(),
        "# pasta\n\n- pasta-1\n- pasta-2\n"
    );
    let report = |text: &str| {
        let source = Source::new("README.md.j2", text);
        let problem = TextTemplate::parse(&source)
            .map_or_else(|problem| problem, |template| template.render(&scope()).expect_err(text));
        Problems::from(problem).report(false)
    };
    insta::assert_snapshot!(report("# é\n\n<{ cel.name }>\n"), @r"
    error: `cel` is not defined
     --> README.md.j2:3:4
      |
    3 | <{ cel.name }>
      |    ^^^
      |
      = help: did you mean `cell`?
    ");
    insta::assert_snapshot!(report("<% for %>\n"), @r"
    error: this is not a template: unexpected end of block, expected in
     --> README.md.j2:1:8
      |
    1 | <% for %>
      |        ^^
    ");
}
