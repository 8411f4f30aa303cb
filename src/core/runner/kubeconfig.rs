//! The lab's kubeconfig: one context per cluster, named after it.

use super::plan::{Context, Paths};
use super::provider;
use super::step::{Command, Content, Probe, Step};
use crate::core::lab::Cluster;

/// The step after which a cluster can be talked to.
pub(super) fn id(cluster: &Cluster) -> String {
    format!("kubeconfig/{}", cluster.name)
}

/// A step per cluster, and one for the user's own file if it shall have them too.
pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    let steps = context.lab.active().map(|cluster| step(context, cluster));
    let users = context.options.merge_kubeconfig.as_deref();
    steps.chain(users.map(|file| merge(context, file))).collect()
}

/// Enters all contexts into the user's own kubeconfig. What that has under other names stays, the current context too: the lab's file names none.
fn merge(context: Context<'_>, file: &str) -> Step {
    let lab = context.paths.kubeconfig();
    let merged = format!("{lab}.merged");
    let answers = |cluster: &Cluster| {
        let command = Command::new("kubectl", ["--kubeconfig", file, "--context", cluster.name.as_str()]);
        ready(command)
    };
    let view = Command::new("kubectl", ["config", "view", "--raw", "--flatten"])
        .env("KUBECONFIG", format!("{lab}:{file}"))
        .stdout(&merged);
    let step = Step::new("kubeconfig", format!("enter all clusters into {file}"))
        .run(view)
        // A copy, not a move: the file may be a link, and keeps its mode.
        .run(Command::new("cp", [merged.as_str(), file]))
        .run(Command::new("rm", [merged.as_str()]));
    context
        .lab
        .active()
        .fold(step, |step, cluster| step.needs(id(cluster)).check(answers(cluster)))
}

/// Holds if the API server answers, to these credentials, that it is ready.
fn ready(kubectl: Command) -> Probe {
    Probe::new(kubectl.args(["get", "--raw=/readyz", "--request-timeout=10s"])).output("ok")
}

fn step(context: Context<'_>, cluster: &Cluster) -> Step {
    let (paths, name) = (context.paths, cluster.name.as_str());
    let machines = provider::of(cluster);
    let part = |what: &str| paths.run(&format!("kubeconfigs/{name}.{what}"));
    let (raw, server, user) = (part("raw"), part("cluster"), part("user"));
    let view = |path: &str| {
        let template = format!("jsonpath={{{path}}}");
        let config = [
            "--kubeconfig",
            raw.as_str(),
            "config",
            "view",
            "--raw",
            "--minify",
            "--flatten",
        ];
        Command::new("kubectl", config).args(["--output".to_owned(), template])
    };
    let declared = machines.server(context, cluster);
    let what = if declared.is_some() {
        ".clusters[0].cluster.certificate-authority-data"
    } else {
        ".clusters[0].cluster"
    };
    let (own, lab) = (paths.run(&format!("kubeconfigs/{name}")), paths.kubeconfig());
    let merged = format!("{lab}.new");
    // Of two files that know a name the first wins.
    let merge = Command::new("kubectl", ["config", "view", "--raw", "--flatten"])
        .env("KUBECONFIG", format!("{own}:{lab}"))
        .stdout(&merged);
    let step = Step::new(id(cluster), format!("enter {name} into the lab's kubeconfig"))
        .of(&cluster.name)
        // Two that write the lab's file at once would lose one.
        .lock("kubeconfig")
        .check(ready(kubectl(paths, name)))
        .run(machines.kubeconfig(context, cluster).stdout(&raw))
        .run(view(what).stdout(&server))
        .run(view(".users[0].user").stdout(&user))
        .write(&own, document(name, declared, &server, &user))
        .run(merge)
        .run(Command::new("mv", [merged, lab]))
        .settle(10, 3);
    match machines.id(cluster) {
        Some(machine) => step.needs(machine),
        None => step,
    }
}

/// A kubeconfig with one context. What a cluster and a user are comes as JSON, which is YAML.
fn document(name: &str, server: Option<Content>, cluster: &str, user: &str) -> Content {
    let content = Content::new().text(format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: {name}\n  cluster:"
    ));
    let mut content = match server {
        Some(server) => {
            let mut content = content
                .text("\n    certificate-authority-data: ")
                .file(cluster)
                .text("\n    ");
            content.0.extend(server.0);
            content
        }
        None => content.text(" ").file(cluster),
    };
    content = content.text(format!("\nusers:\n- name: {name}\n  user: ")).file(user);
    content.text(format!(
        "\ncontexts:\n- name: {name}\n  context: {{cluster: {name}, user: {name}}}\n"
    ))
}

/// `kubectl` with the lab's kubeconfig, for a cluster.
pub fn kubectl(paths: &Paths, cluster: &str) -> Command {
    let kubeconfig = paths.kubeconfig();
    Command::new("kubectl", ["--kubeconfig", kubeconfig.as_str(), "--context", cluster])
}
