//! What people read.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Problem, Problems};
use crate::core::source::{Place, Source};
use crate::path;

fn report(problem: Problem) -> String {
    Problems::from(problem).report(false)
}

fn lab(text: &str) -> Arc<Source> {
    Source::new("blueprints/lab.yaml", text)
}

#[test]
fn a_value_with_label_and_help() {
    let source = lab("spec:\n  cells:\n  - name: Pasta\n    count: 2\n");
    let place = Place::value(&source, path!["spec", "cells", 0, "name"]);
    let problem = Problem::at(place, "the cell name `Pasta` has a capital letter")
        .label("only a-z, 0-9 and -")
        .help("write `pasta`");
    insta::assert_snapshot!(report(problem), @r"
    error: the cell name `Pasta` has a capital letter
     --> blueprints/lab.yaml:3:11
      |
    3 |   - name: Pasta
      |           ^^^^^ only a-z, 0-9 and -
      |
      = help: write `pasta`
    ");
}

#[test]
fn places_of_one_file_share_a_frame() {
    let source = lab(
        "a:\n  podCIDR: 10.1.0.0/16\nb:\n  podCIDR: 10.1.0.0/16\nc: 1\nd: 1\ne: 1\nf: 1\ng: {podCIDR: 10.1.0.0/16}\n",
    );
    let other = Source::new("blueprints/other.yaml", "x: 10.1.0.0/16\n");
    let problem = Problem::at(Place::value(&source, path!["b", "podCIDR"]), "`b` and `a` overlap")
        .label("this one")
        .related(Place::value(&other, path!["x"]), "and this")
        .related(Place::value(&source, path!["a", "podCIDR"]), "that one")
        .related(Place::key(&source, path!["g", "podCIDR"]), "and that");
    insta::assert_snapshot!(report(problem), @r"
    error: `b` and `a` overlap
     --> blueprints/lab.yaml:4:12
      |
    2 |   podCIDR: 10.1.0.0/16
      |            ----------- that one
    3 | b:
    4 |   podCIDR: 10.1.0.0/16
      |            ^^^^^^^^^^^ this one
    ...
    9 | g: {podCIDR: 10.1.0.0/16}
      |     ------- and that
      |
     ::: blueprints/other.yaml:1:4
      |
    1 | x: 10.1.0.0/16
      |    ----------- and this
    ");
}

#[test]
fn a_file_as_a_whole() {
    insta::assert_snapshot!(report(Problem::at(Place::file(&lab("a: 1\n")), "the lab has no cells").help("add one below `spec.cells`")), @r"
    error: the lab has no cells
    --> blueprints/lab.yaml
     = help: add one below `spec.cells`
    ");
    insta::assert_snapshot!(report(Problem::at(Place::file(&lab("")), "there is nothing in this file")), @r"
    error: there is nothing in this file
    --> blueprints/lab.yaml
    ");
    insta::assert_snapshot!(report(Problem::at(Place::key(&lab("\n\n"), path!["spec"]), "the key `spec` is missing")), @r"
    error: the key `spec` is missing
    --> blueprints/lab.yaml
    ");
}

#[test]
fn no_file_at_all() {
    insta::assert_snapshot!(report(Problem::new("there is no lab `x`").help("did you mean `y`?")), @r"
    error: there is no lab `x`
     |
     = help: did you mean `y`?
    ");
}

#[test]
fn a_value_of_many_lines_is_marked_on_its_first() {
    let source = lab("spec:\n  settings:\n    a: 1\n    b: 2\n");
    insta::assert_snapshot!(report(Problem::at(Place::value(&source, path!["spec", "settings"]), "bad settings")), @r"
    error: bad settings
     --> blueprints/lab.yaml:3:5
      |
    3 |     a: 1
      |     ^^^^
    ");
    insta::assert_snapshot!(report(Problem::at(Place::value(&source, path!["spec", "nothing", "here"]), "nearest")), @r"
    error: nearest
     --> blueprints/lab.yaml:2:3
      |
    2 |   settings:
      |   ^^^^^^^^^
    ");
}

#[test]
fn columns_count_characters_and_lines_may_end_in_cr_lf() {
    let source = lab("\u{feff}é: ü\r\n\"日本\": [x, 'ö']\r\n");
    insta::assert_snapshot!(report(Problem::at(Place::value(&source, path!["é"]), "first line")), @r"
    error: first line
     --> blueprints/lab.yaml:1:4
      |
    1 | é: ü
      |    ^
    ");
    insta::assert_snapshot!(report(Problem::at(Place::value(&source, path!["日本", 1]), "second line")), @r#"
    error: second line
     --> blueprints/lab.yaml:2:11
      |
    2 | "日本": [x, 'ö']
      |             ^^^
    "#);
    insta::assert_snapshot!(report(Problem::at(Place::bytes(&source, 3..source.text.len()), "to the end")), @r"
    error: to the end
     --> blueprints/lab.yaml:1:3
      |
    1 | é: ü
      |   ^^
    ");
}

#[test]
fn a_file_that_is_no_yaml_has_no_paths() {
    let source = lab("a: [\n");
    assert!(report(Problem::at(Place::value(&source, path!["a"]), "m")).contains("--> blueprints/lab.yaml"));
}

#[test]
fn sorted_and_without_repeats() {
    let (a, b) = (Source::new("a.yaml", "x: 1\ny: 2\n"), Source::new("b.yaml", "x: 1\n"));
    let problems: Problems = [
        Problem::at(Place::value(&b, path!["x"]), "m"),
        Problem::at(Place::value(&a, path!["y"]), "m"),
        Problem::at(Place::value(&a, path!["x"]), "n"),
        Problem::at(Place::value(&a, path!["x"]), "m"),
        Problem::at(Place::bytes(&a, 3..4), "m"),
        Problem::new("z"),
    ]
    .into_iter()
    .collect();
    let report = problems.report(false);
    let heads: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("error") || line.contains("-->"))
        .collect();
    assert_eq!(
        heads,
        [
            "error: z",
            "error: m",
            " --> a.yaml:1:4",
            "error: n",
            " --> a.yaml:1:4",
            "error: m",
            " --> a.yaml:2:4",
            "error: m",
            " --> b.yaml:1:4"
        ]
    );
    assert_eq!(problems.len(), 6);
}

#[test]
fn colour_is_optional() {
    let problems = Problems::from(Problem::at(Place::bytes(&lab("a: 1\n"), 3..4), "m"));
    assert!(!problems.report(false).contains('\u{1b}'));
    assert!(problems.report(true).contains('\u{1b}'));
}

#[test]
fn suggestions_are_close() {
    let help = |typed: &str| {
        Problem::new("m")
            .did_you_mean(typed, ["revision", "version", "podCIDR"])
            .help
    };
    assert_eq!(help("versoin").as_deref(), Some("did you mean `version`?"));
    assert_eq!(help("podcidr").as_deref(), Some("did you mean `podCIDR`?"));
    assert_eq!(help("zzz"), None);
}

#[test]
fn results_give_up_their_problems() {
    let mut problems = Problems::default();
    assert!(problems.is_empty());
    assert_eq!(problems.take(Ok(1)), Some(1));
    assert_eq!(problems.take::<()>(Err(Problem::new("m").into())), None);
    assert_eq!(problems.clone().or(2), Err(problems));
}

proptest! {
    #[test]
    fn any_place_in_any_text_can_be_shown(text in "(\\PC|\n|\r\n|\t|\u{feff}){0,40}", start in 0_usize..60, end in 0_usize..60) {
        let source = lab(&text);
        let problem = Problem::at(Place::bytes(&source, start..end), "m").label("l").related(Place::bytes(&source, end..start), "r");
        prop_assert!(report(problem).starts_with("error: m\n"));
        prop_assert!(Problems::from(Problem::at(Place::key(&source, path!["a", 0]), "m")).report(true).contains("lab.yaml"));
    }
}
