//! What people read first: its commands run, its blueprint renders, and it forgets no command.

use std::fs;

use crate::support::{Scratch, root};

/// The fenced blocks of a page in one language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n")
        .collect()
}

/// `meshlab` runs in a lab of its own, whose name is that of the README's.
fn shown_commands() -> Vec<String> {
    let lines = blocks("README.md", "sh").concat();
    let commands = lines
        .lines()
        .map(|line| line.split(" #").next().unwrap().trim().to_owned());
    commands.filter(|line| !line.is_empty()).collect()
}

#[test]
fn its_commands_run() {
    let scratch = Scratch::rendered();
    let mut run = 0;
    for command in shown_commands() {
        let arguments = command
            .strip_prefix("cargo run --release -- ")
            .or_else(|| command.strip_prefix("meshlab "));
        if let Some(arguments) = arguments.map(|arguments| arguments.replace("meshlab", "lab")) {
            scratch.run(&arguments).succeeds();
            run += 1;
        }
    }
    assert!(run > 0, "README.md shows no command of meshlab");
}

#[test]
fn its_blueprint_renders() {
    let shown = blocks("README.md", "yaml");
    let blueprint = shown.iter().find(|block| block.contains("kind: Blueprint")).unwrap();
    let scratch = Scratch::of("meshlab", blueprint);
    scratch.run("validate").succeeds();
}

#[test]
fn every_command_is_explained() {
    let pages: String = ["README.md", "docs/templates.md", "docs/runner.md"]
        .map(|page| fs::read_to_string(root().join(page)).unwrap())
        .concat();
    let help = Scratch::empty().run("--help").succeeds().stdout;
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"render"), "{help}");
    for command in commands {
        assert!(
            pages.contains(&format!("meshlab {command}")),
            "no page tells what `meshlab {command}` does"
        );
    }
}
