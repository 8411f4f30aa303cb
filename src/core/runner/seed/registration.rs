//! Clusters made known to Argo CD: an account in the cluster, and on the manager the Secret that names it.

use super::super::kubeconfig;
use super::{ARGO_CD, Context, Step, apply_content, read};
use crate::core::lab::Cluster;
use crate::core::runner::step::{Content, Probe, Word};

/// Where the account is.
const NAMESPACE: &str = "kube-system";

/// A registration per active cluster; the manager's own is in Git, and holds no credential.
pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    let clusters = context.lab.active().filter(|cluster| !cluster.is_manager());
    clusters
        .flat_map(|cluster| [access(context, cluster), registration(context, cluster)])
        .collect()
}

/// The step after which Argo CD knows a cluster.
pub(super) fn id(cluster: &Cluster) -> String {
    format!("seed/registration/{}", cluster.name)
}

/// A step that needs Argo CD to know the cluster. The manager it knows from Git.
pub(super) fn before(cluster: &Cluster, later: Step) -> Step {
    if cluster.is_manager() {
        later
    } else {
        later.needs(id(cluster))
    }
}

fn access_id(cluster: &Cluster) -> String {
    format!("seed/access/{}", cluster.name)
}

/// The run-time fact by which a registration is known to be of this cluster, and not of one that had its name before.
fn token_fact(cluster: &Cluster) -> String {
    format!("{}.token", cluster.name)
}

/// The account, for this lab's Argo CD only.
fn account(context: Context<'_>) -> String {
    format!("argocd-{}", context.lab.name)
}

/// An account with all rights, as `argocd cluster add` makes it, and a token that lasts (Kubernetes fills in a Secret of this type).
fn access(context: Context<'_>, cluster: &Cluster) -> Step {
    let account = account(context);
    let objects = format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {account}, namespace: {NAMESPACE}}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {account}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}\n\
         subjects: [{{kind: ServiceAccount, name: {account}, namespace: {NAMESPACE}}}]\n---\n\
         apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\n\
         metadata: {{name: {account}, namespace: {NAMESPACE}, annotations: {{kubernetes.io/service-account.name: {account}}}}}\n"
    );
    let filled = token(context, cluster, "{{with .data}}{{if .token}}yes{{end}}{{end}}");
    let which = token(context, cluster, "{{.metadata.uid}}");
    Step::new(
        access_id(cluster),
        format!("make an account for Argo CD in {}", cluster.name),
    )
    .of(&cluster.name)
    .needs(kubeconfig::id(cluster))
    .check(Probe::new(filled).output("yes"))
    .check(Probe::new(which).learn_output(token_fact(cluster)))
    .run(apply_content(context.paths, &cluster.name, objects.into()))
    .settle(30, 1)
}

/// What is in the Secret with the token.
fn token(context: Context<'_>, cluster: &Cluster, template: &str) -> crate::core::runner::step::Command {
    read(
        context.paths,
        &cluster.name,
        NAMESPACE,
        &format!("secret/{}", account(context)),
        template,
    )
}

fn registration(context: Context<'_>, cluster: &Cluster) -> Step {
    let (paths, name, manager) = (context.paths, &cluster.name, &context.lab.manager().name);
    let secret = format!("secret/cluster-{name}");
    let of_token = r#"{{index .metadata.annotations "meshlab.dev/token"}}"#;
    let (bearer, authority) = (
        paths.run(&format!("kubeconfigs/{name}.token")),
        paths.run(&format!("kubeconfigs/{name}.ca")),
    );
    let server = read(paths, manager, ARGO_CD, &secret, "{{.data.server | base64decode}}");
    Step::new(id(cluster), format!("register {name} with Argo CD"))
        .of(name)
        .needs(access_id(cluster))
        .needs(super::argo_cd::READY)
        .check(Probe::new(server).output(cluster.reach.api_server.as_str()))
        .check(Probe::new(read(paths, manager, ARGO_CD, &secret, of_token)).output(Word::fact(token_fact(cluster))))
        .run(token(context, cluster, "{{.data.token | base64decode}}").stdout(&bearer))
        .run(token(context, cluster, r#"{{index .data "ca.crt"}}"#).stdout(&authority))
        .run(apply_content(
            paths,
            manager,
            document(context, cluster, &bearer, &authority),
        ))
}

/// The Secret, in Argo CD's form (declarative set-up, clusters).
fn document(context: Context<'_>, cluster: &Cluster, bearer: &str, authority: &str) -> Content {
    let name = &cluster.name;
    Content::new()
        .text(format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: cluster-{name}\n  namespace: {ARGO_CD}\n  labels:\n    \
             argocd.argoproj.io/secret-type: cluster\n    name: {name}\n    cell: {}\n  annotations: {{meshlab.dev/token: \"",
            context.lab.cell_label(cluster)
        ))
        .fact(token_fact(cluster))
        .text(format!(
            "\"}}\nstringData:\n  name: {name}\n  server: {}\n  config: |\n    {{\"bearerToken\": \"",
            cluster.reach.api_server
        ))
        .file(bearer)
        .text("\", \"tlsClientConfig\": {\"caData\": \"")
        .file(authority)
        .text("\"}}\n")
}
