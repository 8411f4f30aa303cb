//! `--dry-run`: what it prints for the labs that ship, and that it does what it says.

use std::process::Command;

use super::labs::Lab;
use crate::support::{Run, root, skipped};

fn meshlab(arguments: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_meshlab"))
        .args(arguments.split_whitespace())
        .current_dir(root())
        .env_remove("MESHLAB_KEYSTORE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn of_every_lab_that_ships() {
    let mut labs: Vec<String> = std::fs::read_dir(root().join("blueprints"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".yaml")?.to_owned()))
        .collect();
    labs.sort();
    assert!(labs.len() >= 3);
    for lab in labs {
        let script = meshlab(&format!("up {lab} --dry-run"));
        let shell = Command::new("sh").args(["-n", "-c", &script]).output().unwrap();
        assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
        insta::assert_snapshot!(format!("up-{lab}"), script);
    }
}

#[test]
fn of_the_other_commands() {
    for command in ["suspend", "resume", "down"] {
        insta::assert_snapshot!(
            command,
            meshlab(&format!("{command} replicated-control-planes --dry-run"))
        );
    }
    insta::assert_snapshot!("only", meshlab("up dual-ingress --only edge-1 --dry-run"));
}

/// Whoever pastes it gets what `up` makes.
#[test]
fn a_script_does_what_up_does() {
    if Command::new("jq").arg("--version").output().is_err() {
        return skipped("scripts of --dry-run", "no jq");
    }
    for make in [Lab::multipass, Lab::minikube, Lab::kind, Lab::existing] {
        let (pasted, run) = (make(), make());
        let script: Run = pasted.run("up --dry-run").succeeds();
        assert_eq!(pasted.noted("calls"), [] as [String; 0], "a dry run calls nothing");
        let mut shell = Command::new("sh");
        pasted.prepare(&mut shell);
        let output = shell.args(["-c", &script.stdout]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        run.run("up").succeeds();
        assert_eq!(pasted.effects(), run.effects());
        pasted.understood();
        for file in ["kubeconfigs/hub", "kubeconfigs/one"] {
            let file = format!(".meshlab/lab.run/{file}");
            assert_eq!(pasted.scratch.read(&file), run.scratch.read(&file));
        }
    }
}
