//! Argo CD on the manager: installed unless something else does it, and ready.

use super::super::kubeconfig::{self, kubectl};
use super::{ARGO_CD, Context, Step, WORKFLOWS, apply, apply_content, look, read};
use crate::core::daily::doctor::installs_argo_cd;
use crate::core::lab::Instance;
use crate::core::runner::step::{Command, Content, Probe, Word};

/// Argo CD takes orders.
pub(super) const READY: &str = "seed/argo-cd";

/// The workflows may give them.
pub(super) const TOKEN: &str = "seed/token";

const SIGNED: &str = "seed/signer";

const NAMESPACES: &str = "seed/namespaces";

/// The Secret with the token of the local account `meshlab`, as the workflows name it.
const CREDENTIALS: &str = "argocd-credentials";

/// The run-time fact by which a token is known to be of this Argo CD: of the Secret that holds the key which signs tokens.
const SIGNER: &str = "argocd.signer";

pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    vec![namespaces(context), argo_cd(context), signer(context), token(context)]
}

/// The namespaces that Argo CD is about to manage, as Git has them.
fn namespaces(context: Context<'_>) -> Step {
    let manager = context.lab.manager();
    let file = |name: &str| {
        context
            .paths
            .of_cluster(manager, &format!("manifests/namespaces/{name}.yaml"))
    };
    let get = kubectl(context.paths, manager.name.as_str()).args(["get", "namespace", ARGO_CD, WORKFLOWS]);
    Step::new(NAMESPACES, "make Argo's namespaces")
        .of(&manager.name)
        .needs(kubeconfig::id(manager))
        .check(Probe::new(get))
        .run(apply(context.paths, &manager.name).args([
            "--filename".to_owned(),
            file(ARGO_CD),
            "--filename".to_owned(),
            file(WORKFLOWS),
        ]))
}

fn argo_cd(context: Context<'_>) -> Step {
    let manager = context.lab.manager();
    let wait = |condition: &str, what: &[&str]| {
        let wait = kubectl(context.paths, manager.name.as_str()).args(["--namespace", ARGO_CD, "wait", "--timeout=1s"]);
        Probe::new(
            wait.arg(format!("--for=condition={condition}"))
                .args(what.iter().copied()),
        )
    };
    let definitions = ["applications", "applicationsets", "appprojects"].map(|kind| format!("crd/{kind}.argoproj.io"));
    let definitions: Vec<&str> = definitions.iter().map(String::as_str).collect();
    let step = Step::new(READY, "wait for Argo CD")
        .of(&manager.name)
        .needs(NAMESPACES)
        .check(wait("Established", &definitions))
        // Whatever its Deployments are called: an Argo CD that was there before may have other names.
        .check(wait(
            "Available",
            &["deployment", "--selector=app.kubernetes.io/part-of=argocd"],
        ))
        .settle(120, 5)
        .diagnose(
            kubectl(context.paths, manager.name.as_str()).args([
                "--namespace",
                ARGO_CD,
                "get",
                "pods",
                "--output=json",
            ]),
            look::waiting_pods,
        )
        .hint(format!(
            "kubectl --kubeconfig {} --context {} -n {ARGO_CD} get pods",
            context.paths.kubeconfig(),
            manager.name
        ));
    let installs = installs_argo_cd(manager);
    let mut instances = manager.instances.values();
    match instances.find(|one| one.component.name.as_str() == "argo-cd" && installs) {
        Some(instance) => Step {
            title: "install Argo CD".to_owned(),
            ..step.run(install(context, instance))
        },
        None => step,
    }
}

/// The chart with the values that Argo CD will have when it manages itself. What the machine's own script installed is not installed again.
fn install(context: Context<'_>, instance: &Instance) -> Command {
    let manager = context.lab.manager();
    let kubeconfig = context.paths.kubeconfig();
    let values = context
        .paths
        .of_cluster(manager, &format!("values/{}.yaml", instance.name));
    let helm = || {
        let place = [
            "--kubeconfig",
            kubeconfig.as_str(),
            "--kube-context",
            manager.name.as_str(),
        ];
        Command::new("helm", place).args(["--namespace", instance.namespace.as_str()])
    };
    let status = helm().args(["status", instance.release.as_str(), "--output", "json"]);
    let install = helm()
        .args(["upgrade", "--install", instance.release.as_str()])
        .timeout(900)
        .patience(3, 10)
        .unless(Probe::new(status).json("/info/status", "deployed"));
    let install = match &instance.chart {
        Some(chart) => install.args([
            chart.name.as_str(),
            "--repo",
            chart.repo.as_str(),
            "--version",
            chart.version.as_str(),
        ]),
        None => install,
    };
    install.args(["--values", values.as_str()])
}

/// Argo CD makes the key that signs its tokens when it first starts.
fn signer(context: Context<'_>) -> Step {
    let manager = context.lab.manager();
    let secret = |template: &str| read(context.paths, &manager.name, ARGO_CD, "secret/argocd-secret", template);
    let key = r#"{{with .data}}{{if index . "server.secretkey"}}yes{{end}}{{end}}"#;
    Step::new(SIGNED, "wait until Argo CD can sign tokens")
        .of(&manager.name)
        .needs(READY)
        .check(Probe::new(secret(key)).output("yes"))
        .check(Probe::new(secret("{{.metadata.uid}}")).learn_output(SIGNER))
        .settle(60, 2)
}

/// The token of the local account `meshlab`, minted without a password. Argo CD's command line knows its namespace and its cluster
/// from the current context of a kubeconfig, and from nothing else (`--kube-context` is not heeded in core mode before Argo CD 3.5).
fn token(context: Context<'_>) -> Step {
    let (paths, manager) = (context.paths, context.lab.manager());
    let (kubeconfig, minted) = (paths.argocd_kubeconfig(), paths.run("argocd.token"));
    let of_manager = kubectl(paths, manager.name.as_str())
        .args(["config", "view", "--raw", "--minify", "--flatten"])
        .stdout(&kubeconfig);
    let namespace = Command::new(
        "kubectl",
        [
            "--kubeconfig",
            kubeconfig.as_str(),
            "config",
            "set-context",
            "--current",
            "--namespace",
            ARGO_CD,
        ],
    );
    let mint = Command::new(
        "argocd",
        ["account", "generate-token", "--core", "--account", "meshlab"],
    )
    .env("KUBECONFIG", &kubeconfig)
    .stdout(&minted)
    .timeout(120)
    .patience(5, 5);
    let signed_by = read(
        paths,
        &manager.name,
        WORKFLOWS,
        &format!("secret/{CREDENTIALS}"),
        r#"{{if .data.token}}{{index .metadata.annotations "meshlab.dev/signer"}}{{end}}"#,
    );
    let secret = Content::new()
        .text(format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {CREDENTIALS}\n  namespace: {WORKFLOWS}\n  annotations: {{meshlab.dev/signer: \""
        ))
        .fact(SIGNER)
        .text("\"}\nstringData:\n  token: ")
        .file(&minted)
        .text("\n");
    Step::new(TOKEN, "mint the workflows' token")
        .of(&manager.name)
        .needs(SIGNED)
        .check(Probe::new(signed_by).output(Word::fact(SIGNER)))
        .run(of_manager)
        .run(namespace)
        .run(mint)
        .run(apply_content(paths, &manager.name, secret))
        .hint("is there a local account `meshlab` with `apiKey` in ConfigMap argocd-cm? Helm values of component argo-cd make it")
}
