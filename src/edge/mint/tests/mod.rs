//! What is minted, and when; judged by others than the libraries that made it.

mod chains;
mod refusals;
mod sealed;
mod stability;

use std::collections::BTreeMap;
use std::process::Command;

use time::OffsetDateTime;

use super::{CompleteError, Completed, complete_at};
use crate::core::pki::fixture::cluster;
use crate::core::pki::{Certificate, Lock, Slot, Subject, Wants};
use crate::edge::secret::Secret;

/// A keystore in memory.
type Keys = BTreeMap<Slot, Secret>;

/// Completes `lock` with the keys of `keys`, to which new ones are added.
fn extend(wants: &Wants, lock: Lock, keys: &mut Keys) -> Result<Completed, CompleteError> {
    extend_at(wants, lock, keys, OffsetDateTime::now_utc())
}

fn extend_at(wants: &Wants, lock: Lock, keys: &mut Keys, now: OffsetDateTime) -> Result<Completed, CompleteError> {
    let done = complete_at(wants, lock, Some(&|slot: &Slot| Ok(keys.get(slot).cloned())), now)?;
    for (slot, secret) in &done.keys {
        assert!(
            keys.insert(slot.clone(), secret.clone()).is_none(),
            "{slot} is in the keystore already"
        );
    }
    Ok(done)
}

/// A new lab.
fn found(wants: &Wants) -> (Lock, Keys) {
    let mut keys = Keys::new();
    let lock = extend(wants, Lock::default(), &mut keys).unwrap().lock.lock().clone();
    (lock, keys)
}

fn certificate(lock: &Lock, name: &str, subject: &Subject) -> Certificate {
    lock.clusters[name].certificate(subject).unwrap().clone()
}

fn key(keys: &Keys, name: &str, subject: Subject) -> Secret {
    keys[&Slot::Cluster(cluster(name), subject)].clone()
}

/// Whether the `openssl` command is there; says so if not.
fn openssl() -> bool {
    let there = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: there is no `openssl` command");
    }
    there
}
