//! Expressions in scalars.

use minijinja::Value as Jinja;
use serde_json::json;

use super::{fails, render, scope, template};
use crate::core::source::Source;
use crate::core::template::{Expr, Scope, Template, from_value, to_value};
use crate::core::value::Value;
use crate::core::yaml::{Node, read, write};
use crate::path;

#[test]
fn one_expression_keeps_its_type() {
    let text = "n: <{ cluster.nodes|length }>\nf: <{ cluster.ratio }>\nb: <{ network.clusterMesh }>\nz: <{ network.none }>\ns: <{istio.version}>\nl: <{ cluster.nodes }>\nm: <{ cluster.peers[0] }>\nq: \"<{ cluster.id }>\"\n";
    let expected = json!({
        "n": 3, "f": 0.5, "b": true, "z": null, "s": "1.30.3", "l": ["a", "b", "c"], "m": {"name": "pasta-2", "port": 2379}, "q": 1
    });
    assert_eq!(render(text), expected);
}

#[test]
fn text_embeds_scalars() {
    let text = "host: istiod-<{ istio.revision }>.istio-system.svc\nboth: <{ cluster.name }>:<{ cluster.id }>/<{ network.clusterMesh }>\npad: ' <{ cluster.id }>'\nf: v<{ cluster.ratio }>\n";
    let expected =
        json!({"host": "istiod-1-30-3.istio-system.svc", "both": "pasta-1:1/true", "pad": " 1", "f": "v0.5"});
    assert_eq!(render(text), expected);
}

#[test]
fn what_is_no_scalar_cannot_stand_in_text() {
    for (expr, what) in [
        ("cluster.nodes", "a list"),
        ("cluster.peers[0]", "a map"),
        ("network.none", "null"),
    ] {
        let report = fails(&format!("a: x <{{ {expr} }}>\n"));
        assert!(report.contains(&format!("`{expr}` is {what}")), "{report}");
        let report = fails(&format!("a: |\n  x <{{ {expr} }}>\n"));
        assert!(report.contains(&format!("this is {what}")), "{report}");
    }
}

#[test]
fn what_has_no_expression_stays() {
    let text = "a: '{{ .name }}'\nb: ${#a[@]}\nc: 0755\nd: \"{{`{{ .cluster }}`}}\"\ne: < {x} >\nf: '{{inputs.parameters.x}}'\n";
    let expected = json!({"a": "{{ .name }}", "b": "${#a[@]}", "c": 493, "d": "{{`{{ .cluster }}`}}", "e": "< {x} >", "f": "{{inputs.parameters.x}}"});
    assert_eq!(render(text), expected);
}

#[test]
fn an_expression_may_contain_its_own_end() {
    assert_eq!(render("a: <{ '}>' ~ \"<{\" }>\n"), json!({"a": "}><{"}));
    assert_eq!(render("a: '<{ {\"x\": {}} }>'\n"), json!({"a": {"x": {}}}));
}

#[test]
fn expressions_with_colons_and_in_flow_are_quoted() {
    let text = "a: {b: \"<{ cluster.id }>\", c: ['<{ \"x: y #z\" }>']}\nd: '<{ {\"k\": cluster.id} }>'\n";
    assert_eq!(render(text), json!({"a": {"b": 1, "c": ["x: y #z"]}, "d": {"k": 1}}));
}

#[test]
fn keys_may_be_templates() {
    let text = "<{ cluster.name }>: true\nx-<{ cluster.id }>: 1\n\"<{ cluster.id }>\": 2\n";
    assert_eq!(render(text), json!({"pasta-1": true, "x-1": 1, "1": 2}));
}

#[test]
fn values_never_change_the_structure() {
    let text =
        "a: <{ hostile }>\nb: x <{ hostile }>\n<{ hostile }>: 1\nl: [\"<{ hostile }>\"]\ns: |\n  <{ hostile }>\n";
    let value = render(text);
    let hostile = scope().get("hostile").unwrap();
    let hostile = hostile.as_str().unwrap();
    let expected =
        json!({"a": hostile, "b": format!("x {hostile}"), hostile: 1, "l": [hostile], "s": format!("{hostile}\n")});
    assert_eq!(value, expected);
    let back: Value = read(&Source::new("out.yaml", write(&value))).unwrap();
    assert_eq!(back, expected);
}

#[test]
fn numbers_and_order_survive() {
    let values = json!({"z": u64::MAX, "a": i64::MIN, "m": 1e21, "list": [1, 2.0, {"y": 1, "b": [null, false]}]});
    let scope = Scope::new(from_value(&json!({ "v": values })));
    let rendered = template("v: <{ v }>\n").render(&scope).unwrap();
    assert_eq!(rendered["v"].to_string(), values.to_string());
}

#[test]
fn what_has_no_place_in_a_document_is_refused() {
    let refused = |value: Jinja| to_value(&value).unwrap_err();
    assert!(refused(Jinja::from_bytes(vec![1])).contains("bytes"));
    assert!(refused(Jinja::from(f64::NAN)).contains("NaN"));
    assert!(refused(Jinja::from(i128::MAX)).contains("too large"));
    assert!(refused(Jinja::from(vec![Jinja::UNDEFINED])).contains("not defined"));
    assert!(refused(Jinja::from_pairs([(1, 2)])).contains("a key must be text"));
    assert!(refused(Jinja::from_function(|| 1)).contains("function"));
}

#[test]
fn layers_hide_and_do_not_leak() {
    let base = scope();
    let scope = base
        .with("instance", from_value(&json!({"name": "gw"})))
        .with("cell", "hidden");
    let template = template("a: <{ instance.name }>\nb: <{ cell }>\nc: <{ cluster.name }>\n");
    assert_eq!(
        template.render(&scope).unwrap(),
        json!({"a": "gw", "b": "hidden", "c": "pasta-1"})
    );
    assert!(base.get("instance").is_none());
    let secret = base.with("password", "hunter2");
    assert!(format!("{secret:?}").contains("password") && !format!("{secret:?}").contains("hunter2"));
}

#[test]
fn fragments_of_a_file_are_templates() {
    let source = Source::new(
        "component.yaml",
        "chart: {name: gateway, version: \"<{ istio.version }>\"}\nwhen: network.mode == \"multi\" and cell.vms\n",
    );
    let node = Node::parse(&source).unwrap();
    let chart = Template::from_node(&source, node.field("chart").unwrap()).unwrap();
    assert_eq!(
        chart.render(&scope()).unwrap(),
        json!({"name": "gateway", "version": "1.30.3"})
    );
    let when = node.field("when").unwrap();
    let expr = Expr::parse(&source, node.locate(&path!["when"]).value, when.as_str().unwrap()).unwrap();
    assert!(!expr.truth(&scope()).unwrap());
}

#[test]
fn truth_is_minijinjas_but_undefined_is_an_error() {
    let truth = |text: &str| {
        Expr::parse(&Source::new("t", text), 0..text.len(), text)
            .unwrap()
            .truth(&scope())
    };
    assert_eq!(truth("cluster.peers"), Ok(true));
    assert_eq!(truth("cell.vms"), Ok(false));
    assert_eq!(truth("network.none"), Ok(false));
    assert_eq!(truth("provider.kind is defined"), Ok(false));
    assert_eq!(
        truth("provider.multipass is defined and provider.multipass.cpus == 2"),
        Ok(true)
    );
    for undefined in [
        "nope",
        "istio.versoin",
        "istio.versoin == 1",
        "not istio.versoin",
        "istio.versoin or true",
        "1 if false",
        "istio.versoin in cluster.nodes",
    ] {
        assert!(truth(undefined).is_err(), "{undefined}");
    }
}

#[test]
fn first_lines_with_a_meaning_are_kept() {
    let first = |text: &str| template(text).first_line().map(str::to_owned);
    assert_eq!(first("#cloud-config\na: 1\n").as_deref(), Some("#cloud-config"));
    assert_eq!(
        first("\u{feff}#cloud-config \r\na: 1\n").as_deref(),
        Some("#cloud-config")
    );
    assert_eq!(first("#!/usr/bin/env x\na: 1\n").as_deref(), Some("#!/usr/bin/env x"));
    assert_eq!(first("# a comment\na: 1\n"), None);
    assert_eq!(first("a: 1\n#cloud-config\n"), None);
    assert_eq!(first(""), None);
}

#[test]
fn templates_are_shared_between_threads() {
    let template = template("a: <{ cluster.id }>\ns: |\n  <{ cluster.name }>\n");
    let scope = scope();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| assert_eq!(template.render(&scope).unwrap(), json!({"a": 1, "s": "pasta-1\n"})));
        }
    });
}
