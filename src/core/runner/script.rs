//! Steps as a script that a person can read, and paste.

use super::graph::Graph;
use super::plan::Paths;
use super::shell;
use super::step::{Act, Patience, Probe, Step};

/// Every command of every step, in order, quoted for a POSIX shell. It is a script that does what the runner does, one command after the other;
/// only that it acts without looking first. Secrets are shown as the files that hold them.
pub fn script(graph: &Graph, paths: &Paths, head: &str) -> String {
    let mut text: String = head.lines().map(|line| format!("# {line}\n")).collect();
    text += &format!("set -eu\numask 077\nroot=$PWD\nmkdir -p {}/kubeconfigs\n", paths.run);
    for step in &graph.steps {
        text += &of_step(step);
    }
    text
}

fn of_step(step: &Step) -> String {
    let mut text = format!("\n# {}: {}\n", step.id, step.title);
    for probe in &step.check {
        text += &format!("# done when: {}\n", shell::condition(probe).replace('\n', "\n# "));
    }
    for act in &step.action {
        text += &match act {
            Act::Run(command) => attempts(command.patience) + &shell::guarded(command) + "\n",
            Act::Write(file) => shell::write(&file.path, &file.content) + "\n",
        };
    }
    if step.settle.times > 1 {
        text += &wait(&step.check, step.settle);
    }
    for assignment in step.check.iter().flat_map(shell::learns) {
        text += &format!("{assignment}\n");
    }
    text
}

fn attempts(patience: Patience) -> String {
    match patience.times {
        0 | 1 => String::new(),
        times => format!("# up to {times} times\n"),
    }
}

fn wait(check: &[Probe], patience: Patience) -> String {
    let conditions: Vec<String> = check.iter().map(shell::condition).collect();
    format!(
        "until {}; do sleep {}; done\n",
        conditions.join(" && "),
        patience.pause.max(1)
    )
}
