//! What is refused, and in which words.

use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{Keys, complete_at, extend, extend_at, found};
use crate::core::pki::fixture::{cluster, id, secret, wants};
use crate::core::pki::{DnsName, Lock, Slot, Subject, Wants};
use crate::edge::mint::CompleteError;
use crate::edge::secret::Secret;

fn grown() -> Wants {
    wants(&["pasta-1", "pasta-2"])
}

fn words(error: &CompleteError) -> String {
    error.problems("keys", "meshlab.lock").report(false)
}

#[test]
fn without_keystore_the_lacks_and_the_command_are_named() {
    let (lock, _) = found(&wants(&["pasta-1"]));
    let error = complete_at(&grown(), lock, None, OffsetDateTime::now_utc()).unwrap_err();
    assert!(
        matches!(&error, CompleteError::NoKeystore(lacks) if lacks.len() == 5),
        "{error:?}"
    );
    let words = words(&error).split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        "meshlab.lock is incomplete: pasta-2 has no Istio CA; pasta-2 has no ingress CA;",
        "istio-system/cacerts of pasta-2",
        "no keystore at keys: run `meshlab render --keystore DIR`",
    ] {
        assert!(words.contains(says), "{words}");
    }
}

#[test]
fn a_keystore_with_another_root_is_refused_with_both_fingerprints() {
    let (lock, _) = found(&wants(&["pasta-1"]));
    let (other, mut foreign) = found(&wants(&["pasta-1"]));
    let error = words(&extend(&grown(), lock.clone(), &mut foreign).unwrap_err());
    for says in [lock.roots[0].fingerprint(), other.roots[0].fingerprint()] {
        assert!(error.contains(says.as_str()), "{error}");
    }
    assert!(error.contains("choose one"), "{error}");
    foreign.remove(&Slot::RootCertificate);
    assert!(words(&extend(&grown(), lock, &mut foreign).unwrap_err()).contains("different roots"));
}

#[test]
fn a_keystore_without_root_key_issues_nothing() {
    let (lock, mut keys) = found(&wants(&["pasta-1"]));
    keys.remove(&Slot::Root);
    let error = words(&extend(&grown(), lock.clone(), &mut keys).unwrap_err());
    assert!(error.contains("keys has no root key (root.key.pem)"), "{error}");
    let mut rootless = lock;
    rootless.roots.clear();
    assert!(words(&extend(&wants(&["pasta-1"]), rootless, &mut Keys::new()).unwrap_err()).contains("no root key"));
}

#[test]
fn wrong_and_lost_keys_are_all_named_at_once() {
    let (lock, mut keys) = found(&grown());
    let slot = |name| Slot::Cluster(cluster(name), Subject::Mesh);
    let foreign = keys[&slot("pasta-2")].clone();
    keys.insert(slot("pasta-1"), foreign);
    keys.remove(&slot("pasta-2"));
    let mut wants = grown();
    for want in wants.clusters.values_mut() {
        want.mesh.as_mut().unwrap().trust_domain = DnsName::new("new.local").unwrap();
    }
    let error = words(&extend(&wants, lock, &mut keys).unwrap_err());
    assert!(
        error.contains("keys/clusters/pasta-1/mesh-ca.key.pem is not the key of"),
        "{error}"
    );
    assert!(
        error.contains("clusters/pasta-2/mesh-ca.key.pem, which keys does not have"),
        "{error}"
    );
    assert!(!error.contains("BEGIN"), "{error}");
}

#[test]
fn a_spoilt_key_file_is_named_and_not_quoted() {
    let (lock, mut keys) = found(&wants(&["pasta-1"]));
    let text = keys[&Slot::Root].reveal().replace("PRIVATE", "SPOILT");
    keys.insert(Slot::Root, Secret::from(text.clone()));
    let error = extend(&grown(), lock, &mut keys).unwrap_err();
    assert!(
        words(&error).contains("keys/root.key.pem is not a private key"),
        "{error}"
    );
    let body = text.lines().nth(1).unwrap();
    assert!(!format!("{error:?}{error}").contains(body));
}

#[test]
fn a_password_keeps_its_length_until_a_person_decides() {
    let users = id("argo-cd/users");
    let of = |length: u16| {
        let mut wants = wants(&["pasta-1"]);
        let want = wants.clusters.get_mut("pasta-1").unwrap();
        want.secrets.insert(
            users.clone(),
            secret("argocd", &[("password", json!({"random": length}))]),
        );
        wants
    };
    let (lock, mut keys) = found(&of(32));
    let error = words(&extend(&of(64), lock.clone(), &mut keys).unwrap_err());
    assert!(
        error.contains("has 32 characters; the component now wants 64"),
        "{error}"
    );
    keys.retain(|slot, _| !matches!(slot, Slot::Random(..)));
    assert!(words(&extend(&of(64), lock, &mut keys).unwrap_err()).contains("which keys does not have"));
}

#[test]
fn an_expired_root_issues_nothing() {
    let mut keys = Keys::new();
    let now = OffsetDateTime::now_utc();
    let lock = extend_at(&wants(&["pasta-1"]), Lock::default(), &mut keys, now)
        .unwrap()
        .lock
        .lock()
        .clone();
    let error = extend_at(&grown(), lock, &mut keys, now + Duration::days(3_651)).unwrap_err();
    assert!(words(&error).contains("keys/root.key.pem expired on"), "{error}");
}

#[test]
fn wants_that_nothing_can_meet_are_refused_first() {
    let mut wants = wants(&["pasta-1"]);
    let want = wants.clusters.get_mut("pasta-1").unwrap();
    want.mesh = None;
    let server = json!({"server": {"dns": ["grafana.example.com"], "part": "key"}});
    want.secrets
        .insert(id("grafana/tls"), secret("grafana", &[("tls.key", server)]));
    let error = words(&extend(&wants, Lock::default(), &mut Keys::new()).unwrap_err());
    assert!(
        error.contains("`ca-key.pem` of the Secret istio-cacerts/cacerts needs the mesh CA"),
        "{error}"
    );
    assert!(
        error.contains("grafana.example.com, but the ingress CA may only issue names within demo.lab"),
        "{error}"
    );
}
