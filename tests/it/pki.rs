//! Keystore, then lock: the steps of `render` that extend the PKI, on a real file system.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroU16;
use std::path::Path;

use meshlab::core::name::{CellName, ClusterName, InstanceName, LabName, Namespace};
use meshlab::core::pki::{
    ClusterWants, CompleteLock, DataKey, DnsName, IngressCa, KeyAlgorithm, MeshCa, Organization, Part, PkiSpec,
    SealingKey, SecretId, SecretName, SecretWant, Slot, Wants,
};
use meshlab::edge::keystore::Keystore;
use meshlab::edge::mint::{self, Completed};
use meshlab::edge::{lock, secret::Secret};

fn wants(clusters: &[&str]) -> Wants {
    let years = |years| NonZeroU16::new(years).unwrap();
    let cluster = |name: &&str| (ClusterName::new(name).unwrap(), cluster_wants());
    Wants {
        lab: LabName::new("meshlab").unwrap(),
        root: true,
        pki: PkiSpec {
            organization: Organization::new("meshlab").unwrap(),
            key: KeyAlgorithm::EcdsaP256,
            root_years: years(10),
            intermediate_years: years(5),
            server_days: years(365),
        },
        sealing_key: SealingKey::Rsa2048,
        clusters: clusters.iter().map(cluster).collect(),
    }
}

fn cluster_wants() -> ClusterWants {
    let part = |value: serde_json::Value| Part::parse(&value).unwrap();
    let data = [
        ("ca-key.pem", serde_json::json!({"authority": "mesh", "part": "key"})),
        ("password", serde_json::json!({"random": 32})),
    ];
    let data = data
        .into_iter()
        .map(|(key, value)| (DataKey::new(key).unwrap(), part(value)))
        .collect();
    let id = SecretId {
        instance: InstanceName::new("istio-cacerts").unwrap(),
        name: SecretName::new("cacerts").unwrap(),
    };
    ClusterWants {
        cell: CellName::new("pasta").unwrap(),
        mesh: Some(MeshCa {
            trust_domain: DnsName::new("pasta.local").unwrap(),
            constrain_uri: true,
        }),
        ingress: Some(IngressCa {
            dns: BTreeSet::from([DnsName::new("demo.lab").unwrap()]),
        }),
        cell_ca: true,
        sealing: true,
        secrets: BTreeMap::from([(
            id,
            SecretWant {
                namespace: Namespace::new("istio-system").unwrap(),
                data,
            },
        )]),
    }
}

fn complete(wants: &Wants, lock_dir: &Path, key_dir: &Path) -> Completed {
    let keystore = Keystore::open(key_dir, &wants.lab).unwrap();
    let read = keystore
        .as_ref()
        .map(|keystore| |slot: &Slot| -> anyhow::Result<Option<Secret>> { Ok(keystore.read(slot)?) });
    let before = lock::read(lock_dir, "the lock").unwrap();
    mint::complete(wants, before, read.as_ref().map(|read| read as &mint::Read<'_>)).unwrap()
}

fn store_keys(wants: &Wants, key_dir: &Path, done: &Completed) {
    Keystore::create(key_dir, &wants.lab).unwrap().add(&done.keys).unwrap();
}

fn extend(wants: &Wants, dir: &Path) -> CompleteLock {
    let (lock_dir, key_dir) = (dir.join("meshlab.lock"), dir.join("keys"));
    let done = complete(wants, &lock_dir, &key_dir);
    store_keys(wants, &key_dir, &done);
    lock::write(&lock_dir, done.lock.lock()).unwrap();
    done.lock
}

/// Every file below `dir`, with its content.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    entries
        .map(|entry| {
            (
                entry.path().display().to_string(),
                fs::read_to_string(entry.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_second_run_changes_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let wants = wants(&["pasta-1", "pasta-2"]);
    extend(&wants, dir.path());
    let before = files(dir.path());
    extend(&wants, dir.path());
    assert_eq!(files(dir.path()), before);
}

#[test]
fn growing_the_lab_changes_no_file_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    extend(&wants(&["pasta-1"]), dir.path());
    let before = files(dir.path());
    extend(&wants(&["pasta-1", "pasta-2"]), dir.path());
    let after = files(dir.path());
    assert!(before.iter().all(|(path, text)| after.get(path) == Some(text)));
    let added: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(added.iter().all(|path| path.contains("pasta-2")), "{added:?}");
    assert!(!added.is_empty());
}

#[test]
fn a_crash_between_keystore_and_lock_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (lock_dir, key_dir) = (dir.path().join("meshlab.lock"), dir.path().join("keys"));
    let wants = wants(&["pasta-1"]);
    let lost = complete(&wants, &lock_dir, &key_dir);
    store_keys(&wants, &key_dir, &lost);
    // The lock was never written: the next run builds it on the keys that are there.
    let keys = files(&key_dir);
    let found = extend(&wants, dir.path());
    assert_eq!(files(&key_dir), keys);
    assert_eq!(found.roots_pem(), lost.lock.roots_pem());
}

#[test]
fn the_lock_holds_nothing_private() {
    let dir = tempfile::tempdir().unwrap();
    extend(&wants(&["pasta-1"]), dir.path());
    let public: String = files(&dir.path().join("meshlab.lock")).into_values().collect();
    let bodies = files(&dir.path().join("keys"))
        .into_iter()
        .filter(|(path, _)| !path.ends_with(".cert.pem"));
    let secrets = bodies.filter(|(path, _)| path.ends_with(".key.pem") || path.contains("/secrets/"));
    for (path, text) in secrets {
        let line = text.lines().find(|line| !line.starts_with("-----")).unwrap();
        assert!(!public.contains(line), "{path}");
    }
    assert!(!public.contains("PRIVATE KEY"));
}
