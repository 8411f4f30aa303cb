//! Vault as the issuer: then no certificate of the mesh and no key of an authority is meshlab's.

use crate::support::Scratch;

fn lab(issuer: &str) -> String {
    format!(
        "\
apiVersion: meshlab.dev/v1alpha1
kind: Blueprint
metadata: {{name: lab}}
spec:
  domain: demo.lab
  git: {{repoURL: https://example.org/lab.git}}
  pki: {{issuer: {issuer}}}
  secrets: {{key: rsa-2048}}
  registries: {{}}
  manager: {{name: hub}}
  cells:
  - {{name: cell, count: 2}}
"
    )
}

/// Names of files below a folder that hold `part`.
fn named(scratch: &Scratch, folder: &str, part: &str) -> Vec<String> {
    let files = scratch.files(folder);
    files.into_keys().filter(|path| path.contains(part)).collect()
}

#[test]
fn the_lock_has_no_root_and_the_keystore_no_authority_of_the_mesh() {
    let scratch = Scratch::of("lab", &lab("vault"));
    scratch.run("render").succeeds();
    scratch.run("render --check").succeeds();
    for (folder, part) in [
        ("out", "pki/"),
        ("out", "istio-cacerts"),
        ("blueprints/lab.lock", "root"),
        (".meshlab/lab", "root"),
        (".meshlab/lab", "mesh-ca"),
        (".meshlab/lab", "ingress-ca"),
    ] {
        assert_eq!(named(&scratch, folder, part), [""; 0], "{folder}");
    }
    for cluster in ["cell-1", "cell-2"] {
        let lock = scratch.read(&format!("blueprints/lab.lock/{cluster}.json"));
        assert!(!lock.contains("\"mesh\"") && lock.contains("\"sealing\""), "{lock}");
        let folder = format!("out/lab/clusters/{cluster}/manifests/istio-vault-issuers");
        let role = format!("roleId: {cluster}\n");
        let issuer = scratch.read(&format!("{folder}/istio-cluster-ica-issuer.yaml"));
        assert!(issuer.contains(&role), "{issuer}");
        assert!(
            scratch
                .read(&format!("{folder}/istio-cluster-ica.yaml"))
                .contains("secretName: cacerts")
        );
    }
}

#[test]
fn a_lab_moves_to_vault_and_back_to_its_own_root() {
    let scratch = Scratch::of("lab", &lab("meshlab"));
    scratch.run("render").succeeds();
    let root = scratch.read("out/lab/pki/root-cert.pem");
    scratch.write("blueprints/lab.yaml", lab("vault"));
    scratch
        .run("render --check")
        .exits(1)
        .says("the lab no longer has a root of its own");
    scratch.run("render").succeeds();
    scratch.run("render --check").succeeds();
    assert!(!scratch.exists("out/lab/pki/root-cert.pem"));
    assert!(!scratch.exists("blueprints/lab.lock/root-cert.pem"));
    scratch.write("blueprints/lab.yaml", lab("meshlab"));
    scratch.run("render").succeeds();
    assert_eq!(scratch.read("out/lab/pki/root-cert.pem"), root);
}
