//! The JSON Schemas that editors use: as committed as the types have them, and true of what ships.

use std::fs;

use meshlab::core::source::Source;
use meshlab::core::value::Value;
use meshlab::core::yaml::Node;
use meshlab::core::{blueprint, catalog, schema};

use crate::support::{Scratch, files, root};

#[test]
fn the_committed_schemas_are_current() {
    let scratch = Scratch::empty();
    for (of, file) in [
        ("blueprint", "blueprint.schema.json"),
        ("component", "component.schema.json"),
    ] {
        let printed = scratch.run(&format!("schema {of}")).succeeds().stdout;
        let committed = fs::read_to_string(root().join("blueprints").join(file)).unwrap();
        assert!(printed == committed, "run `meshlab schema {of} > blueprints/{file}`");
    }
}

#[test]
fn everything_that_ships_satisfies_its_schema() {
    let blueprints = root().join("blueprints");
    let mut judged = 0;
    for (path, text) in files(&blueprints) {
        let of = match path.split('/').collect::<Vec<_>>()[..] {
            [lab] if lab.ends_with(".yaml") => blueprint::json_schema(),
            ["components", _, "component.yaml"] => catalog::json_schema().clone(),
            _ => continue,
        };
        let source = Source::new(path, String::from_utf8(text).unwrap());
        let read = schema::read::<Value>(&source, &Node::parse(&source).unwrap(), Some(&of));
        assert!(read.is_ok(), "{}", read.unwrap_err().report(false));
        judged += 1;
    }
    assert!(judged > 20);
}

#[test]
fn blueprints_tell_editors_their_schema() {
    for (path, text) in files(&root().join("blueprints")) {
        if path.ends_with(".yaml") && !path.contains('/') {
            let text = String::from_utf8(text).unwrap();
            assert!(
                text.starts_with("# yaml-language-server: $schema=blueprint.schema.json\n"),
                "{path}"
            );
        }
    }
}
