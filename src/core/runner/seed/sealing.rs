//! Sealing keys, before the controllers that would make keys of their own.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::super::kubeconfig;
use super::{Context, Step, apply_content, read};
use crate::core::lab::Cluster;
use crate::core::pki::{Slot, Subject};
use crate::core::runner::step::{Content, Probe};

/// What the command layer is asked for, with the cluster's name: the key in PKCS#1 and PEM, in base64.
pub const MATERIAL: &str = "sealing-key/";

/// Where the controller runs, and looks for keys.
const NAMESPACE: &str = "kube-system";

/// The Secret's name. The controller finds keys by their label.
const NAME: &str = "meshlab-sealing-key";

/// A step per cluster that has a sealing key.
pub(super) fn steps(context: Context<'_>) -> Vec<Step> {
    context
        .lab
        .active()
        .filter_map(|cluster| step(context, cluster))
        .collect()
}

/// The step of a cluster.
pub(super) fn id(cluster: &Cluster) -> String {
    format!("seed/sealing-key/{}", cluster.name)
}

/// A step that needs the cluster to have its key, if it has one.
pub(super) fn before(context: Context<'_>, cluster: &Cluster, later: Step) -> Step {
    match step(context, cluster) {
        Some(step) => later.needs(step.id),
        None => later,
    }
}

fn step(context: Context<'_>, cluster: &Cluster) -> Option<Step> {
    let lock = context.lock.lock().clusters.get(&cluster.name)?;
    let certificate = lock.certificate(&Subject::Sealing)?;
    let is_it = read(
        context.paths,
        &cluster.name,
        NAMESPACE,
        &format!("secret/{NAME}"),
        r#"{{index .metadata.annotations "meshlab.dev/certificate"}}"#,
    );
    let key = Slot::Cluster(cluster.name.clone(), Subject::Sealing).path();
    let shell = format!(
        "openssl rsa -traditional -in {}/{key} | base64 | tr -d '\\n'",
        context.paths.keystore
    );
    let secret = Content::new()
        .text(format!(
            "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata:\n  name: {NAME}\n  namespace: {NAMESPACE}\n  labels: {{sealedsecrets.bitnami.com/sealed-secrets-key: active}}\n  annotations: {{meshlab.dev/certificate: \"{}\"}}\ndata:\n  tls.crt: {}\n  tls.key: ",
            certificate.fingerprint(),
            BASE64_STANDARD.encode(certificate.pem())
        ))
        .material(format!("{MATERIAL}{}", cluster.name), shell)
        .text("\n");
    Some(
        Step::new(id(cluster), format!("give {} its sealing key", cluster.name))
            .of(&cluster.name)
            .needs(kubeconfig::id(cluster))
            .check(Probe::new(is_it).output(certificate.fingerprint().to_string()))
            .run(apply_content(context.paths, &cluster.name, secret)),
    )
}
