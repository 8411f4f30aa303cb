//! Directives.

use serde_json::json;

use super::{fails, refused, render};

#[test]
fn a_true_condition_merges_into_the_parent() {
    let text = "a: 1\n<% if network.clusterMesh %>:\n  b: 2\n<% if cell.vms %>:\n  c: 3\nd: 4\n";
    assert_eq!(render(text).to_string(), r#"{"a":1,"b":2,"d":4}"#);
}

#[test]
fn loops_merge_once_per_item() {
    let text = "<% for x in cell.clusters %>:\n  <{ x.name }>: <{ loop_free }>\n".replace("loop_free", "x.name|upper");
    assert_eq!(render(&text), json!({"pasta-1": "PASTA-1", "pasta-2": "PASTA-2"}));
    assert_eq!(render("<% for x in cell.vms %>: {a: 1}\n"), json!({}));
}

#[test]
fn loops_take_several_names_and_keys() {
    let text = "ports:\n  <% for host, port in registries|items %>:\n    <{ host }>: <{ port }>\nhosts:\n- <% for host in registries %>: <{ host }>\n";
    assert_eq!(
        render(text),
        json!({"ports": {"docker.io": 5011, "quay.io": 5012}, "hosts": ["docker.io", "quay.io"]})
    );
}

#[test]
fn directives_nest() {
    let text = "<% for c in cell.clusters %>:\n  <% if c.name != cluster.name %>:\n    <{ c.name }>:\n      <% for n in cluster.nodes %>: {<{ n }>: 1}\n";
    let text = text.replace("{<{ n }>: 1}", "{\"<{ n }>\": 1}");
    assert_eq!(render(&text), json!({"pasta-2": {"a": 1, "b": 1, "c": 1}}));
}

#[test]
fn two_maps_merge_anything_else_is_an_error() {
    let text = "spec: {x: {a: 1}}\n<% if true %>:\n  spec: {x: {b: 2}, y: 3}\n";
    assert_eq!(render(text).to_string(), r#"{"spec":{"x":{"a":1,"b":2},"y":3}}"#);
    let text = "<% if true %>:\n  spec: {x: {b: 2}}\nspec: {x: {a: 1}}\n";
    assert_eq!(render(text), json!({"spec": {"x": {"a": 1, "b": 2}}}));
    insta::assert_snapshot!(fails("spec: {x: {a: 1}}\n<% if true %>:\n  spec: {x: {a: 1}}\n"), @r"
    error: the key `spec.x.a` has a value already
     --> t.yaml:3:3
      |
    3 |   spec: {x: {a: 1}}
      |   ^^^^
      |
      = help: a directive adds keys and merges maps; to replace a value, put each under a condition of its own
    ");
    insta::assert_snapshot!(fails("a: [1]\n<% if true %>:\n  a: [2]\n"), @r"
    error: the key `a` has a value already
     --> t.yaml:3:3
      |
    3 |   a: [2]
      |   ^
      |
      = help: a directive adds keys and merges maps; to replace a value, put each under a condition of its own
    ");
    insta::assert_snapshot!(fails("<% for c in cell.clusters %>:\n  name: <{ c.name }>\n"), @r"
    error: the key `name` has a value already
     --> t.yaml:2:3
      |
    2 |   name: <{ c.name }>
      |   ^^^^
      |
      = help: a directive adds keys and merges maps; to replace a value, put each under a condition of its own
    ");
}

#[test]
fn the_key_of_a_merge_is_named_where_it_stands() {
    insta::assert_snapshot!(fails("a: {b: {c: 1}}\n<% if true %>:\n  a:\n    b:\n      c: 2\n"), @r"
    error: the key `a.b.c` has a value already
     --> t.yaml:3:3
      |
    3 |   a:
      |   ^
      |
      = help: a directive adds keys and merges maps; to replace a value, put each under a condition of its own
    ");
}

#[test]
fn equal_keys_are_an_error() {
    insta::assert_snapshot!(fails("pasta-1: {}\n<{ cluster.name }>: {}\n"), @r"
    error: the key `pasta-1` comes up twice in one map
     --> t.yaml:2:1
      |
    2 | <{ cluster.name }>: {}
      | ^^^^^^^^^^^^^^^^^^
    ");
    assert!(fails("<{ cluster.name }>: 1\n<{ 'pasta-1' }>: 1\n").contains("comes up twice"));
    assert!(refused("a: 1\na: 2\n").contains("stands twice"));
    assert!(refused("<% if true %>: {a: 1}\n<% if true %>: {b: 1}\n").contains("stands twice"));
}

#[test]
fn list_entries_splice() {
    let text = "args:\n- --always\n- <% if network.clusterMesh %>: [--mesh]\n- <% if cell.vms %>: [--vms]\n- <% for peer in cluster.peers %>: {name: <{ peer.name }>}\n"
        .replace("<{ peer.name }>", "\"<{ peer.name }>\"");
    assert_eq!(
        render(&text),
        json!({"args": ["--always", "--mesh", {"name": "pasta-2"}]})
    );
}

#[test]
fn what_is_no_list_is_one_item() {
    let text = "- <% if true %>: text\n- <% for n in cluster.nodes %>: <{ n }>\n- <% if true %>: <{ cluster.nodes }>\n- <% if true %>: [[x]]\n- <% if true %>:\n";
    assert_eq!(render(text), json!(["text", "a", "b", "c", "a", "b", "c", ["x"], null]));
}

#[test]
fn splices_nest_as_list_entries() {
    let text = "- <% for c in cell.clusters %>:\n  - <% if c.name != cluster.name %>:\n    - <% for n in cluster.nodes %>: <{ c.name }>-<{ n }>\n";
    assert_eq!(render(text), json!(["pasta-2-a", "pasta-2-b", "pasta-2-c"]));
    insta::assert_snapshot!(refused("- <% if true %>:\n    <% if false %>: {a: 1}\n"), @r"
    error: a directive stands directly below that of a list entry
     --> t.yaml:2:5
      |
    2 |     <% if false %>: {a: 1}
      |     ^^^^^^^^^^^^^^
      |
      = help: write it as a list entry too, `- <% … %>: …`, or join the two conditions with `and`
    ");
}

#[test]
fn a_directive_among_the_keys_of_a_list_entry_merges() {
    let text = "- name: a\n  <% if true %>: {b: 1}\n- <% if true %>: {c: 1}\n  <% if cell.vms %>: {d: 1}\n";
    assert_eq!(render(text), json!([{"name": "a", "b": 1}, {"c": 1}]));
}

#[test]
fn a_map_of_directives_is_a_map() {
    assert_eq!(render("spec:\n  <% if cell.vms %>: {a: 1}\n"), json!({"spec": {}}));
    assert_eq!(render("<% if cell.vms %>:\n  a: 1\n"), json!({}), "nothing to render");
    assert_eq!(render(""), json!(null));
}

#[test]
fn directives_in_maps_hold_maps() {
    insta::assert_snapshot!(refused("args:\n  <% if network.clusterMesh %>: [--mesh]\n"), @r"
    error: below a directive in a map there must be a map
     --> t.yaml:2:3
      |
    2 |   <% if network.clusterMesh %>: [--mesh]
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: for list entries write `- <% … %>: …`
    ");
    assert!(refused("<% if true %>:\n").contains("there must be a map"));
}

#[test]
fn loop_variables_hide_and_end() {
    assert_eq!(
        render("<% for cluster in cell.clusters %>:\n  <{ cluster.name }>: 1\nafter: <{ cluster.id }>\n"),
        json!({"pasta-1": 1, "pasta-2": 1, "after": 1})
    );
    assert!(fails("<% for x in cell.clusters %>:\n  <{ x.name }>: 1\nafter: <{ x }>\n").contains("`x` is not defined"));
}

#[test]
fn only_what_is_rendered_is_evaluated() {
    let text = "<% if provider.kind is defined %>:\n  node: <{ provider.kind.image }>\n<% for x in cell.vms %>:\n  v: <{ nope }>\nrest: 1\n";
    assert_eq!(render(text), json!({"rest": 1}));
}

#[test]
fn there_are_two_directives() {
    insta::assert_snapshot!(refused("<% if true %>: {a: 1}\n<% else %>: {a: 2}\n"), @r"
    error: there is no `else`
     --> t.yaml:2:1
      |
    2 | <% else %>: {a: 2}
      | ^^^^^^^^^^
      |
      = help: write another `if` with the opposite condition
    ");
    assert!(refused("<% elif x %>: {}\n").contains("no `elif`"));
    assert!(refused("<% endif %>: {}\n").contains("ends where its indentation ends"));
    assert!(refused("<% set x = 1 %>: {}\n").contains("no directive `set`"));
    assert!(refused("<% %>: {}\n").contains("no directive ``"));
    assert!(refused("<% for x %>: {}\n").contains("needs `in`"));
    assert!(refused("<% for 1x in y %>: {}\n").contains("`1x` is not a name"));
    assert!(refused("<% if %>: {}\n").contains("an expression is missing"));
    assert!(refused("a <% if true %>: {}\n").contains("a key of its own"));
    assert!(refused("<% if true: {}\n").contains("a key of its own"));
}

#[test]
fn loops_need_lists() {
    insta::assert_snapshot!(fails("<% for x in istio.version %>: {a: 1}\n"), @r"
    error: `istio.version` is text, `for` needs a list
     --> t.yaml:1:13
      |
    1 | <% for x in istio.version %>: {a: 1}
      |             ^^^^^^^^^^^^^
    ");
    assert!(fails("<% for x in network.none %>: {a: 1}\n").contains("is null"));
    assert!(fails("<% for x in cell.vmz %>: {a: 1}\n").contains("did you mean `cell.vms`?"));
    assert!(fails("<% for a, b in cluster.nodes %>: {a: 1}\n").contains("does not have 2 parts"));
}
