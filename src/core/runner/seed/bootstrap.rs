//! The root Application, and the workflow that brings everything up in order. The workflow is the lab's: it would wait for clusters that nobody chose.

use super::super::kubeconfig::kubectl;
use super::{
    ARGO_CD, Context, Step, WORKFLOWS, apply, apply_content, argo_cd, git, look, registration, repository, sealing,
};
use crate::core::runner::step::{Command, Content, Probe, Word};

/// Argo CD reads Git.
const ROOT: &str = "seed/root";

/// The state of the tree is known.
const TREE: &str = "bootstrap/tree";

/// The run-time fact: a hash over the tree. Its ownership manifest holds those of all files.
const HASH: &str = "tree";

/// What the workflow consists of is there.
const TEMPLATES: &str = "bootstrap/templates";

/// It has been submitted.
const SUBMITTED: &str = "bootstrap/workflow";

/// It has done its work.
pub(in crate::core::runner) const DONE: &str = "bootstrap/done";

pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    vec![
        root(context),
        tree(context),
        templates(context),
        submitted(context),
        done(context),
    ]
}

/// The Application over everything else. It comes when all that its Applications need is there.
fn root(context: Context<'_>) -> Step {
    let (lab, manager) = (context.lab, context.lab.manager());
    let get = kubectl(context.paths, manager.name.as_str()).args([
        "--namespace",
        ARGO_CD,
        "get",
        "application.argoproj.io/root",
        "--output=json",
    ]);
    let source = |key: &str| format!("/spec/source/{key}");
    let mut step = Step::new(ROOT, "point Argo CD at Git")
        .of(&manager.name)
        .needs(argo_cd::READY)
        .after(repository::ID)
        .after(git::ID)
        .check(
            Probe::new(get)
                .json(source("repoURL"), lab.git.repo_url.as_str())
                .json(source("targetRevision"), lab.git.revision.as_str())
                .json(source("path"), format!("{}/argocd", lab.git.path)),
        )
        .run(
            apply(context.paths, &manager.name).args(["--filename".to_owned(), context.paths.tree("argocd/root.yaml")]),
        );
    for cluster in lab.active() {
        step = step.after(sealing::id(cluster)).after(registration::id(cluster));
    }
    step
}

fn tree(context: Context<'_>) -> Step {
    let hash = Command::new("git", ["hash-object".to_owned(), context.paths.tree(".meshlab.sum")]);
    Step::new(TREE, "find out which tree this is").check(Probe::new(hash).learn_output(HASH))
}

/// Argo CD brings namespaces, Argo Workflows and the WorkflowTemplates by itself.
fn templates(context: Context<'_>) -> Step {
    let manager = context.lab.manager();
    let get = |object: &str| {
        kubectl(context.paths, manager.name.as_str()).args(["--namespace", WORKFLOWS, "get", object, "--output=name"])
    };
    Step::new(TEMPLATES, "wait until Argo CD has brought the workflows")
        .needs(ROOT)
        .check(Probe::new(get("workflowtemplate.argoproj.io/bootstrap")))
        .check(Probe::new(get("workflowtemplate.argoproj.io/argocd-sync-and-wait")))
        .settle(240, 5)
        .progress(applications(context), look::healthy)
        .diagnose(applications(context), look::unwell)
        .hint(format!(
            "`meshlab status {}` tells what Argo CD says; has the tree been pushed to {}, {}? A private repository needs --git-credentials FILE",
            context.lab.name, context.lab.git.repo_url, context.lab.git.revision
        ))
}

/// One workflow per state of the tree, by its name: applied twice it is still one. One that failed makes room for another.
fn submitted(context: Context<'_>) -> Step {
    let (paths, manager) = (context.paths, &context.lab.manager().name);
    let template = r#"--output=go-template={{$phase := ""}}{{with .status}}{{with .phase}}{{$phase = .}}{{end}}{{end}}{{if or (eq $phase "Failed") (eq $phase "Error")}}failed{{else}}fine{{end}}"#;
    // By the label that Argo Workflows gives: one that runs is never deleted, whatever this program believes.
    let failed = Word::from("meshlab.dev/bootstrap=")
        .and_fact(HASH)
        .text(",workflows.argoproj.io/phase in (Failed,Error)");
    let away = kubectl(paths, manager.as_str())
        .args(["--namespace", WORKFLOWS, "delete", "workflow.argoproj.io", "--selector"])
        .arg(failed)
        .patience(3, 2);
    let document = Content::new()
        .text("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:\n  name: bootstrap-")
        .fact(HASH)
        .text(format!(
            "\n  namespace: {WORKFLOWS}\n  labels: {{meshlab.dev/bootstrap: \""
        ))
        .fact(HASH)
        .text("\"}\nspec:\n  workflowTemplateRef: {name: bootstrap}\n");
    let step = Step::new(SUBMITTED, "submit the bootstrap")
        .needs(TREE)
        .needs(TEMPLATES)
        .needs(argo_cd::TOKEN)
        .check(Probe::new(get(context).arg(template)).output("fine"))
        .run(away)
        .run(apply_content(paths, manager, document));
    // It syncs to every cluster: one that is not there it would wait for in vain.
    let clusters = context.lab.active();
    clusters.fold(step, |step, cluster| {
        sealing::before(context, cluster, registration::before(cluster, step))
    })
}

fn done(context: Context<'_>) -> Step {
    let phase = "/status/phase";
    let probe = Probe::new(get(context).arg("--output=json"))
        .json(phase, "Succeeded")
        .hopeless(phase, "Failed")
        .hopeless(phase, "Error");
    let (kubeconfig, lab, manager) = (
        context.paths.kubeconfig(),
        &context.lab.name,
        &context.lab.manager().name,
    );
    Step::new(DONE, "follow the bootstrap")
        .needs(SUBMITTED)
        .check(probe)
        .settle(1440, 5)
        .progress(get(context).arg("--output=json"), look::tasks)
        .progress(applications(context), look::healthy)
        .diagnose(get(context).arg("--output=json"), look::failed_tasks)
        .diagnose(applications(context), look::unwell)
        .hint(format!(
            "argo --kubeconfig {kubeconfig} --context {manager} -n {WORKFLOWS} get @latest; and `meshlab status {lab}`"
        ))
}

/// All Applications.
fn applications(context: Context<'_>) -> Command {
    let list = [
        "--namespace",
        ARGO_CD,
        "get",
        "applications.argoproj.io",
        "--output=json",
    ];
    kubectl(context.paths, context.lab.manager().name.as_str()).args(list)
}

/// Asks for the workflow.
fn get(context: Context<'_>) -> Command {
    kubectl(context.paths, context.lab.manager().name.as_str())
        .args(["--namespace", WORKFLOWS, "get"])
        .arg(Word::from("workflow.argoproj.io/bootstrap-").and_fact(HASH))
}
