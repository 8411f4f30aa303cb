//! The repository, served read-only to the lab's machines: by `git daemon`, at the one address by which they know the host.

use super::super::kubeconfig;
use super::{Context, Step};
use crate::core::runner::plan::Paths;
use crate::core::runner::step::{Command, Probe, Word};

/// The step after which the repository is served.
pub(super) const ID: &str = "git/serve";

const PLACES: &str = "git/places";

/// The run-time fact: the host's address in the machines' network. Nobody listens anywhere else.
const HOST: &str = "host.address";

/// The run-time fact: where Git keeps the repository, which a work tree need not contain.
const DIRECTORY: &str = "git.directory";

/// Where Docker looks for a Git that has the daemon; Alpine's images have none.
const IMAGE: &str = "docker.io/library/buildpack-deps:bookworm-scm";

/// Steps of a lab whose blueprint says `git: {serve: true}`.
pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    match context.lab.manager().settings.provider.name() {
        _ if !context.lab.git.serve => Vec::new(),
        "kind" => container(context),
        _ => daemon(context),
    }
}

/// Ends the serving.
pub(super) fn down(context: Context<'_>) -> Option<Step> {
    let step = Step::new("down/git", "stop serving the repository");
    match context.lab.manager().settings.provider.name() {
        _ if !context.lab.git.serve => None,
        "kind" => {
            let name = container_name(context.lab.name.as_str());
            let gone = Command::new(
                "docker",
                ["ps", "--all", "--quiet", "--filter", &format!("name=^{name}$")],
            );
            let step = step.check(Probe::new(gone).output(""));
            Some(step.run(Command::new("docker", ["rm", "--force", name.as_str()])))
        }
        _ => {
            let pid = context.paths.run("git.pid");
            let file = ["find", context.paths.run.as_str(), "-maxdepth", "1", "-name", "git.pid"];
            let step = step.check(Probe::new(Command::new(file[0], file[1..].iter().copied())).output(""));
            // The daemon removes the file when it ends; one that was killed leaves it.
            let end = Command::new("pkill", ["-F", pid.as_str()]).lenient();
            Some(step.run(end).run(Command::new("rm", ["-f", pid.as_str()])))
        }
    }
}

fn container_name(lab: &str) -> String {
    format!("{lab}-git")
}

/// The repository under its name in the URL. Whatever else lies there, nothing but this is served.
fn link(paths: &Paths, lab: &str) -> String {
    paths.run(&format!("git/{lab}.git"))
}

/// Where Git keeps the repository.
fn directory() -> Probe {
    let directory = Command::new("git", ["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    Probe::new(directory).learn_output(DIRECTORY)
}

/// A daemon of the host. The machines' way out is the host (cloud-init enters it as `host.<domain>`).
fn daemon(context: Context<'_>) -> Vec<Step> {
    let (paths, lab, manager) = (context.paths, context.lab.name.as_str(), context.lab.manager());
    let (folder, link) = (paths.run("git"), link(paths, lab));
    let route = [
        "exec",
        manager.name.as_str(),
        "--",
        "ip",
        "-4",
        "-json",
        "route",
        "show",
        "default",
    ];
    let places = Step::new(PLACES, "find out where the machines see this host")
        .of(&manager.name)
        .needs(kubeconfig::id(manager))
        .check(Probe::new(Command::new("multipass", route)).learn(HOST, "/0/gateway"))
        .check(directory())
        .settle(10, 3);
    let listen = Word::from("--listen=").and_fact(HOST);
    let daemon = Command::new(
        "git",
        [
            "daemon",
            "--detach",
            "--reuseaddr",
            "--strict-paths",
            "--export-all",
            "--informative-errors",
        ],
    )
    .arg(listen)
    .args([
        format!("--pid-file={}", paths.run("git.pid")),
        format!("--base-path={folder}"),
        link.clone(),
    ]);
    let url = Word::from("git://").and_fact(HOST).text(format!("/{lab}.git"));
    let serve = Step::new(ID, "serve the repository to the machines")
        .of(&manager.name)
        .needs(PLACES)
        .check(Probe::new(Command::new("git", ["ls-remote"]).arg(url).timeout(10)))
        .run(Command::new("mkdir", ["-p", folder.as_str()]))
        .run(Command::new("ln", ["-sfn"]).arg(Word::fact(DIRECTORY)).arg(link))
        .run(daemon)
        .settle(5, 1)
        .hint("does another program, or another lab, listen on port 9418 there?");
    vec![places, serve]
}

/// The same in a container of the nodes' network, which publishes no port.
fn container(context: Context<'_>) -> Vec<Step> {
    let (lab, manager) = (context.lab.name.as_str(), context.lab.manager());
    let name = container_name(lab);
    let inside = format!("/srv/git/{lab}.git");
    let inspect = Command::new("docker", ["container", "inspect", name.as_str()]);
    let places = Step::new(PLACES, "find the repository")
        .of(&manager.name)
        .needs(kubeconfig::id(manager))
        .check(directory());
    let mount = Word::from("type=bind,readonly,source=")
        .and_fact(DIRECTORY)
        .text(format!(",target={inside}"));
    let run = Command::new(
        "docker",
        [
            "run",
            "--detach",
            "--name",
            name.as_str(),
            "--network",
            "kind",
            "--restart",
            "unless-stopped",
            "--mount",
        ],
    )
    .arg(mount)
    // The repository is the user's, the daemon is root in its container.
    .args([
        "--env",
        "GIT_CONFIG_COUNT=1",
        "--env",
        "GIT_CONFIG_KEY_0=safe.directory",
        "--env",
        "GIT_CONFIG_VALUE_0=*",
        IMAGE,
    ])
    .args([
        "git",
        "daemon",
        "--strict-paths",
        "--export-all",
        "--informative-errors",
        "--base-path=/srv/git",
        inside.as_str(),
    ])
    .timeout(600)
    .patience(3, 5);
    let serve = Step::new(ID, "serve the repository to the nodes")
        .of(&manager.name)
        .needs(PLACES)
        .check(Probe::new(inspect).json("/0/State/Running", true))
        .run(Command::new("docker", ["rm", "--force", name.as_str()]).lenient())
        .run(run)
        .settle(5, 1)
        .hint(format!("docker logs {name}"));
    vec![places, serve]
}
