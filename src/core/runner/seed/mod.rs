//! Seeding: what Argo CD needs before it can do the rest. Everything is applied server-side, in the name of `meshlab`, and seen to be there afterwards.

mod argo_cd;
mod bootstrap;
mod git;
mod handover;
mod look;
mod registration;
mod repository;
mod sealing;

pub(super) use bootstrap::DONE;
pub use repository::{Credentials, MATERIAL as REPOSITORY_MATERIAL};
pub use sealing::MATERIAL as SEALING_MATERIAL;

use super::kubeconfig::kubectl;
use super::plan::{Context, Paths};
use super::step::{Command, Content, Step};
use crate::core::name::ClusterName;

/// The namespace of Argo CD: its Applications, projects and registrations.
const ARGO_CD: &str = "argocd";

/// The namespace of the workflows.
const WORKFLOWS: &str = "argo";

/// Steps from reachable clusters to a lab that is what Git says.
pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(git::steps(context));
    steps.extend(sealing::steps(context));
    steps.extend(argo_cd::steps(context));
    steps.extend(registration::steps(context));
    steps.extend(repository::steps(context));
    steps.extend(bootstrap::steps(context));
    steps.extend(handover::steps(context));
    steps
}

/// Steps that end what runs on this host.
pub(super) fn down(context: Context<'_>) -> Option<Step> {
    git::down(context)
}

/// Applies the files that follow, or what it reads.
fn apply(paths: &Paths, cluster: &ClusterName) -> Command {
    kubectl(paths, cluster.as_str())
        .args(["apply", "--server-side", "--field-manager=meshlab", "--force-conflicts"])
        .patience(5, 2)
}

/// Applies an object that is nowhere in Git.
fn apply_content(paths: &Paths, cluster: &ClusterName, content: Content) -> Command {
    apply(paths, cluster).args(["--filename", "-"]).stdin(content)
}

/// Prints what a template finds in an object. Absent objects are failures.
fn read(paths: &Paths, cluster: &ClusterName, namespace: &str, object: &str, template: &str) -> Command {
    kubectl(paths, cluster.as_str()).args([
        "--namespace".to_owned(),
        namespace.to_owned(),
        "get".to_owned(),
        object.to_owned(),
        format!("--output=go-template={template}"),
    ])
}
