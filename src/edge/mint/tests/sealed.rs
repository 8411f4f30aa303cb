//! Sealed values, opened without the library that sealed them: OpenSSL unwraps the session key, `aes-gcm` the value.

use std::fs;
use std::process::{Command, Stdio};

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Keys, certificate, extend, found, key, openssl};
use crate::core::pki::fixture::{cacerts, cluster, id, secret, wants};
use crate::core::pki::{DataKey, Lock, SecretId, Slot, Subject};
use crate::edge::mint::pkcs1_pem;
use crate::edge::secret::Secret;

/// Opens one value with the private key in `pem`, as the controller would for the Secret `label`.
fn unseal(pem: &Secret, label: &str, sealed: &str) -> Option<String> {
    let bytes = STANDARD.decode(sealed).unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    let (wrapped, value) = bytes[2..].split_at(length);
    let session = unwrap(pem, label, wrapped)?;
    let cipher = Aes256Gcm::new_from_slice(&session).unwrap();
    let value = cipher.decrypt(Nonce::from_slice(&[0; 12]), value).ok()?;
    Some(String::from_utf8(value).unwrap())
}

fn unwrap(pem: &Secret, label: &str, wrapped: &[u8]) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let (key, input) = (dir.path().join("tls.key"), dir.path().join("wrapped"));
    fs::write(&key, pem.reveal()).unwrap();
    fs::write(&input, wrapped).unwrap();
    let label: String = label
        .bytes()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let mut command = Command::new("openssl");
    command
        .args(["pkeyutl", "-decrypt", "-inkey"])
        .arg(key)
        .arg("-in")
        .arg(input);
    for option in [
        "rsa_padding_mode:oaep",
        "rsa_oaep_md:sha256",
        "rsa_mgf1_md:sha256",
        &format!("rsa_oaep_label:{label}"),
    ] {
        command.args(["-pkeyopt", option]);
    }
    let output = command.stderr(Stdio::null()).output().unwrap();
    output.status.success().then_some(output.stdout)
}

fn sealed<'a>(lock: &'a Lock, name: &str, id: &SecretId, key: &str) -> &'a str {
    &lock.clusters[name].secrets[id].data[&DataKey::new(key).unwrap()]
}

#[test]
fn the_controller_key_opens_cacerts_and_only_for_its_name() {
    if !openssl() {
        return;
    }
    let (lock, keys) = found(&wants(&["pasta-1"]));
    let controller = pkcs1_pem(&key(&keys, "pasta-1", Subject::Sealing)).unwrap();
    assert!(controller.reveal().starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    let open = |label: &str, key: &str| unseal(&controller, label, sealed(&lock, "pasta-1", &cacerts().0, key));
    let mesh = certificate(&lock, "pasta-1", &Subject::Mesh);
    let label = "istio-system/cacerts";
    assert_eq!(open(label, "ca-cert.pem").as_deref(), Some(mesh.pem()));
    assert_eq!(open(label, "cert-chain.pem").as_deref(), Some(mesh.pem()));
    assert_eq!(open(label, "root-cert.pem").as_deref(), Some(lock.roots[0].pem()));
    assert_eq!(
        open(label, "ca-key.pem").as_deref(),
        Some(key(&keys, "pasta-1", Subject::Mesh).reveal())
    );
    assert_eq!(open("istio-system/other", "ca-cert.pem"), None);
}

#[test]
fn passwords_outlive_a_new_sealing() {
    if !openssl() {
        return;
    }
    let mut wants = wants(&["pasta-1"]);
    let users = id("argo-cd/users");
    let of = |namespace: &str, user: &str| {
        secret(
            namespace,
            &[("user", json!({"text": user})), ("password", json!({"random": 32}))],
        )
    };
    wants
        .clusters
        .get_mut("pasta-1")
        .unwrap()
        .secrets
        .insert(users.clone(), of("argocd", "admin"));
    let (before, mut keys) = found(&wants);
    wants
        .clusters
        .get_mut("pasta-1")
        .unwrap()
        .secrets
        .insert(users.clone(), of("argo", "root"));
    let after = extend(&wants, before.clone(), &mut keys).unwrap();
    assert_eq!(after.made.len(), 1, "{:?}", after.made);
    let controller = key(&keys, "pasta-1", Subject::Sealing);
    let open = |lock: &Lock, label: &str, key: &str| unseal(&controller, label, sealed(lock, "pasta-1", &users, key));
    let (old, new) = (
        open(&before, "argocd/users", "password"),
        open(after.lock.lock(), "argo/users", "password"),
    );
    assert_eq!(old.as_ref().map(String::len), Some(32));
    assert_eq!(old, new);
    assert_eq!(open(after.lock.lock(), "argo/users", "user").as_deref(), Some("root"));
}

#[test]
fn nothing_private_is_in_the_lock_or_shows_itself() {
    let mut wants = wants(&["pasta-1"]);
    let token = id("argo-cd/token");
    wants
        .clusters
        .get_mut("pasta-1")
        .unwrap()
        .secrets
        .insert(token.clone(), secret("argocd", &[("t", json!({"random": 40}))]));
    let mut keys = Keys::new();
    let done = extend(&wants, Lock::default(), &mut keys).unwrap();
    let shown = format!("{done:?}{done:#?}{:?}", done.lock.lock().files());
    assert!(!shown.contains("PRIVATE KEY"));
    let password = keys[&Slot::Random(cluster("pasta-1"), token, DataKey::new("t").unwrap())].reveal();
    assert!(!shown.contains(password));
}
