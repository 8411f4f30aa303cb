//! What is there stays; what is added is exactly what was lacking.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};

use super::{Keys, certificate, complete_at, extend, extend_at, found};
use crate::core::pki::fixture::{cacerts, cluster, wants};
use crate::core::pki::{DnsName, KeyAlgorithm, Lack, Lock, Slot, Subject, Why, lacking, stale};
use crate::core::source::Source;

const LAB: [&str; 3] = ["pasta-1", "pasta-2", "pizza-1"];

#[test]
fn minting_twice_changes_nothing_and_needs_no_key() {
    let (lock, _) = found(&wants(&LAB));
    let again = complete_at(&wants(&LAB), lock.clone(), None, OffsetDateTime::now_utc()).unwrap();
    assert!(again.made.is_empty() && again.keys.is_empty());
    assert_eq!(again.lock.lock().files(), lock.files());
}

#[test]
fn the_files_of_a_lock_are_read_back() {
    let (lock, _) = found(&wants(&LAB));
    let files = lock.files();
    let sources = files
        .iter()
        .map(|(name, text)| (name.as_str(), Source::new(name.clone(), text.clone())));
    assert_eq!(Lock::parse(sources).unwrap(), lock);
    assert!(files.values().all(|text| text.ends_with('\n') && !text.contains('\r')));
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["pasta-1.json", "pasta-2.json", "pizza-1.json", "root-cert.pem"]
    );
}

#[test]
fn a_new_cluster_adds_exactly_its_entries() {
    let (before, mut keys) = found(&wants(&LAB));
    let slots: BTreeSet<Slot> = keys.keys().cloned().collect();
    let wants = wants(&["pasta-1", "pasta-2", "pasta-3", "pizza-1"]);
    let done = extend(&wants, before.clone(), &mut keys).unwrap();
    let (mut after, before) = (done.lock.lock().files(), before.files());
    assert!(after.remove("pasta-3.json").is_some());
    assert_eq!(after, before);
    let fresh = done
        .keys
        .keys()
        .filter(|slot| !slots.contains(slot))
        .map(Slot::path)
        .collect::<Vec<_>>();
    let of = |name: &str| format!("clusters/pasta-3/{name}.key.pem");
    assert_eq!(fresh, [of("mesh-ca"), of("ingress-ca"), of("sealing")]);
    let cell = |name| certificate(done.lock.lock(), name, &Subject::Cell);
    assert_eq!(cell("pasta-3"), cell("pasta-1"));
    assert_ne!(cell("pasta-3"), cell("pizza-1"));
}

#[test]
fn a_cluster_that_needs_nothing_has_no_entry() {
    let mut wants = wants(&LAB);
    let idle = wants.clusters.get_mut("pizza-1").unwrap();
    (idle.mesh, idle.ingress, idle.cell_ca, idle.sealing) = (None, None, false, false);
    idle.secrets.clear();
    let (lock, _) = found(&wants);
    assert_eq!(
        lock.clusters.keys().map(ToString::to_string).collect::<Vec<_>>(),
        ["pasta-1", "pasta-2"]
    );
}

#[test]
fn a_removed_cluster_leaves_without_a_key() {
    let (before, _) = found(&wants(&LAB));
    let less = wants(&["pasta-1", "pizza-1"]);
    assert_eq!(
        stale(&less, &before)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["pasta-2 is no longer in the lab"]
    );
    let after = complete_at(&less, before.clone(), None, OffsetDateTime::now_utc())
        .unwrap()
        .lock
        .lock()
        .files();
    let mut rest = before.files();
    rest.remove("pasta-2.json");
    assert_eq!(after, rest);
}

#[test]
fn a_new_trust_domain_replaces_one_certificate_and_what_is_made_of_it() {
    let (before, mut keys) = found(&wants(&LAB));
    let mut wants = wants(&LAB);
    let mesh = wants.clusters.get_mut("pasta-2").unwrap().mesh.as_mut().unwrap();
    mesh.trust_domain = DnsName::new("new.local").unwrap();
    let done = extend(&wants, before.clone(), &mut keys).unwrap();
    let why = Why::Changed;
    let lack = Lack::Certificate {
        cluster: cluster("pasta-2"),
        subject: Subject::Mesh,
        why,
    };
    assert_eq!(done.made, [lack], "the Secret follows from the certificate");
    assert!(done.keys.is_empty(), "the key stays");
    let after = done.lock.lock();
    assert_ne!(
        certificate(after, "pasta-2", &Subject::Mesh),
        certificate(&before, "pasta-2", &Subject::Mesh)
    );
    let (id, _) = cacerts();
    assert_ne!(
        after.clusters["pasta-2"].secrets[&id],
        before.clusters["pasta-2"].secrets[&id]
    );
    assert_eq!(after.clusters["pasta-1"], before.clusters["pasta-1"]);
}

#[test]
fn settings_of_new_keys_do_not_replace_old_ones() {
    let (lock, _) = found(&wants(&LAB));
    let mut other = wants(&LAB);
    other.pki.key = KeyAlgorithm::Rsa4096;
    other.pki.root_years = 1.try_into().unwrap();
    assert_eq!(lacking(&other, &lock), []);
}

#[test]
fn a_lost_lock_is_rebuilt_on_the_same_roots_and_keys() {
    let (before, mut keys) = found(&wants(&LAB));
    let done = extend(&wants(&LAB), Lock::default(), &mut keys).unwrap();
    let after = done.lock.lock();
    assert!(done.keys.is_empty());
    assert_eq!(after.roots, before.roots);
    for subject in [Subject::Mesh, Subject::Ingress, Subject::Cell, Subject::Sealing] {
        let key = |lock: &Lock| certificate(lock, "pasta-1", &subject).public_key().to_vec();
        assert_eq!(key(after), key(&before), "{subject}");
    }
    keys.remove(&Slot::RootCertificate);
    let again = extend(&wants(&LAB), Lock::default(), &mut keys).unwrap();
    assert_eq!(again.lock.lock().roots[0].public_key(), before.roots[0].public_key());
}

#[test]
fn a_second_root_is_trusted_and_changes_only_what_carries_roots() {
    let (mut lock, mut keys) = found(&wants(&LAB));
    let (other, _) = found(&wants(&LAB));
    lock.roots.extend(other.roots);
    let lacks = lacking(&wants(&LAB), &lock);
    assert!(
        lacks
            .iter()
            .all(|lack| matches!(lack, Lack::Secret { why: Why::Changed, .. })),
        "{lacks:?}"
    );
    assert_eq!(lacks.len(), LAB.len());
    let done = extend(&wants(&LAB), lock.clone(), &mut keys).unwrap();
    assert_eq!(done.lock.roots_pem().matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(
        certificate(done.lock.lock(), "pasta-1", &Subject::Mesh),
        certificate(&lock, "pasta-1", &Subject::Mesh)
    );
}

#[test]
fn clusters_of_a_cell_end_up_with_one_ca() {
    let (mut lock, mut keys) = found(&wants(&LAB));
    let (other, _) = found(&wants(&LAB));
    let foreign = other.clusters["pasta-2"].certificates[&Subject::Cell].clone();
    lock.clusters
        .get_mut("pasta-2")
        .unwrap()
        .certificates
        .insert(Subject::Cell, foreign);
    let lacks: Vec<_> = lacking(&wants(&LAB), &lock).iter().map(ToString::to_string).collect();
    assert_eq!(lacks, ["the cell CA of pasta-2 is not that of the rest of its cell"]);
    let done = extend(&wants(&LAB), lock, &mut keys).unwrap();
    let cell = |name| certificate(done.lock.lock(), name, &Subject::Cell);
    assert_eq!(cell("pasta-1"), cell("pasta-2"));
}

#[test]
fn lives_are_nested_and_start_an_hour_ago() {
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_059).unwrap();
    let mut keys = Keys::new();
    let mut wants = wants(&["pasta-1"]);
    let lock = extend_at(&wants, Lock::default(), &mut keys, now)
        .unwrap()
        .lock
        .lock()
        .clone();
    let days =
        |certificate: &crate::core::pki::Certificate| (certificate.not_after() - (1_800_000_000 - 3_600)) / 86_400;
    assert_eq!(days(&lock.roots[0]), 3_650);
    assert_eq!(days(&certificate(&lock, "pasta-1", &Subject::Mesh)), 1_825);
    wants
        .clusters
        .insert(cluster("pasta-2"), wants.clusters["pasta-1"].clone());
    let late = extend_at(&wants, lock.clone(), &mut keys, now + Duration::days(3_000)).unwrap();
    assert_eq!(
        certificate(late.lock.lock(), "pasta-2", &Subject::Mesh).not_after(),
        lock.roots[0].not_after()
    );
}
