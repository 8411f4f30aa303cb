//! Pull-through registries on the host, one container each.

use super::plan::Context;
use super::step::{Command, Expect, Probe, Step};

/// The image of a registry (CNCF Distribution).
const IMAGE: &str = "docker.io/library/registry:3.0.0";

/// A step per registry. They are the host's: two labs that name the same registry and port share one.
pub(super) fn up(context: Context<'_>) -> Vec<Step> {
    let registries = context.lab.registries.iter();
    registries.map(|(registry, port)| step(registry, *port)).collect()
}

/// Steps that remove the containers. What they have pulled stays in their volumes.
pub(super) fn down(context: Context<'_>) -> Vec<Step> {
    let registries = context.lab.registries.iter();
    registries.map(|(registry, port)| remove(registry, *port)).collect()
}

fn remove(registry: &str, port: u16) -> Step {
    let name = container(registry, port);
    let list = ["container", "list", "--all", "--format", "{{.Names}}"];
    Step::new(format!("down/{}", id(registry)), format!("stop serving {registry}"))
        .check(Probe::new(Command::new("docker", list)).expect(Expect::NoLine(name.clone())))
        .run(Command::new("docker", ["rm", "--force", name.as_str()]))
}

/// Its step, for those that pull from it.
pub(super) fn id(registry: &str) -> String {
    format!("registry/{registry}")
}

/// The container, named after what it stands for and where it listens.
fn container(registry: &str, port: u16) -> String {
    format!("meshlab-registry-{}-{port}", registry.replace(':', "-"))
}

/// The volume of its images, which outlives the container.
fn volume(registry: &str) -> String {
    format!("meshlab-registry-{}", registry.replace(':', "-"))
}

fn step(registry: &str, port: u16) -> Step {
    let name = container(registry, port);
    let inspect = || Command::new("docker", ["container", "inspect", name.as_str()]);
    let create = Command::new(
        "docker",
        ["create", "--name", name.as_str(), "--restart", "unless-stopped"],
    )
    .args(["--publish".to_owned(), format!("{port}:5000")])
    .args(["--volume".to_owned(), format!("{}:/var/lib/registry", volume(registry))])
    .args([
        "--env".to_owned(),
        format!("REGISTRY_PROXY_REMOTEURL={}", upstream(registry)),
    ])
    // Without it the image waits for a collector of traces.
    .args(["--env", "OTEL_TRACES_EXPORTER=none", IMAGE])
    .timeout(600)
    .patience(3, 5);
    Step::new(id(registry), format!("serve {registry} on port {port} of the host"))
        .check(Probe::new(inspect()).json("/0/State/Running", true))
        .run(create.unless(Probe::new(inspect())))
        .run(Command::new("docker", ["start", name.as_str()]))
        .hint(format!("docker logs {name}"))
}

/// Where the images of a registry come from. Docker's is served under another name than it is known by.
fn upstream(registry: &str) -> String {
    match registry {
        "docker.io" => "https://registry-1.docker.io".to_owned(),
        other => format!("https://{other}"),
    }
}
