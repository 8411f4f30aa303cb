//! The fault matrix: each command of a small lab fails, is cut off, or has the runner killed beneath it; `up` afterwards completes, and nothing happens twice.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rayon::prelude::*;

use super::labs::{Lab, kill, repeated};

/// A lab with the commands that its `up` runs and with what they bring about.
struct Reference {
    name: &'static str,
    make: fn() -> Lab,
    /// Those of the first run that a second one, which only looks, does not make.
    acting: BTreeSet<String>,
    /// Those that change something.
    changing: BTreeSet<String>,
    effects: Vec<String>,
}

/// Undisturbed runs.
static REFERENCES: LazyLock<Vec<Reference>> = LazyLock::new(|| {
    let reference = |name, make: fn() -> Lab| {
        let lab = make();
        lab.run("up").succeeds();
        let general = |file: &str| -> Vec<String> { lab.noted(file).iter().map(|call| general(&lab, call)).collect() };
        let first = general("calls");
        lab.run("up").succeeds();
        let second: BTreeSet<String> = general("calls").split_off(first.len()).into_iter().collect();
        Reference {
            name,
            make,
            acting: first.into_iter().filter(|call| !second.contains(call)).collect(),
            changing: general("changing").into_iter().collect(),
            effects: lab.effects(),
        }
    };
    vec![
        reference("existing", Lab::existing),
        reference("kind", Lab::kind),
        reference("minikube", Lab::minikube),
        reference("multipass", Lab::multipass),
    ]
});

/// A call without the directory in which it happened.
fn general(lab: &Lab, call: &str) -> String {
    call.replace(lab.scratch.path("").to_str().unwrap(), "[root]/")
}

/// Each call once: with the lab where it comes first, and of two clusters that are alike with the first.
fn cases(calls: fn(&Reference) -> &BTreeSet<String>) -> Vec<(&'static Reference, &'static String)> {
    let mut seen = BTreeSet::new();
    let all = REFERENCES
        .iter()
        .flat_map(|reference| calls(reference).iter().map(move |call| (reference, call)));
    all.filter(|(_, call)| seen.insert(call.replace("two", "one")))
        .collect()
}

/// Runs a fault at each of the calls.
fn each(calls: fn(&Reference) -> &BTreeSet<String>, test: fn(&Lab, &str) -> Result<(), String>) {
    let cases = cases(calls);
    assert!(cases.len() > 15, "{} cases", cases.len());
    let check = |(reference, call): &(&Reference, &String)| {
        let lab = (reference.make)();
        let call = call.replace("[root]/", lab.scratch.path("").to_str().unwrap());
        let outcome = test(&lab, &call).and_then(|()| complete(&lab, &reference.effects));
        outcome
            .err()
            .map(|why| format!("{}, at `{call}`: {why}", reference.name))
    };
    let failed: Vec<String> = cases.par_iter().filter_map(check).collect();
    assert!(
        failed.is_empty(),
        "{} of {} failed:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}

/// `up` completes, every change has happened, and each once.
fn complete(lab: &Lab, effects: &[String]) -> Result<(), String> {
    let run = lab.run("up");
    if run.code != Some(0) {
        return Err(format!("the next `up` fails: {}", run.stderr));
    }
    let found = lab.effects();
    let twice = repeated(&found);
    if !twice.is_empty() {
        return Err(format!("happened more than once: {twice:?}"));
    }
    if found != effects {
        return Err(format!("{found:?}"));
    }
    let refused = lab.noted("refused");
    if refused.is_empty() {
        Ok(())
    } else {
        Err(refused.join("\n"))
    }
}

fn acting(reference: &Reference) -> &BTreeSet<String> {
    &reference.acting
}

fn changing(reference: &Reference) -> &BTreeSet<String> {
    &reference.changing
}

/// The runner is killed while a call hangs; what hangs ends too, as it would with the machine.
fn killed(lab: &Lab, fault: &str) {
    let (mut runner, hanging) = lab.start("up", fault);
    runner.kill().unwrap();
    runner.wait().unwrap();
    kill(&hanging);
}

#[test]
fn each_command_fails_once() {
    each(acting, |lab, call| {
        let run = lab.run_with("up", &format!("fail {call}"));
        // A look that fails is an answer; an action that fails may have been tried again.
        if [Some(0), Some(3)].contains(&run.code) {
            Ok(())
        } else {
            Err(run.stderr)
        }
    });
}

#[test]
fn each_change_is_cut_off_when_it_has_happened() {
    each(changing, |lab, call| {
        let run = lab.run_with("up", &format!("cut {call}"));
        if [Some(0), Some(3)].contains(&run.code) {
            Ok(())
        } else {
            Err(run.stderr)
        }
    });
}

#[test]
fn the_runner_is_killed_at_each_command() {
    each(acting, |lab, call| {
        killed(lab, &format!("hang {call}"));
        Ok(())
    });
}

#[test]
fn the_runner_is_killed_when_a_change_has_happened_and_before_it_knows() {
    each(changing, |lab, call| {
        killed(lab, &format!("linger {call}"));
        Ok(())
    });
}
