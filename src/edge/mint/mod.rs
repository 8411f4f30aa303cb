//! Makes what the lock lacks: keys, certificates, passwords, ciphertext. The only place with a clock and randomness.
//!
//! The keystore is another edge: it is lent as a function that reads one value, and what is new comes back in
//! [`Completed::keys`]. The caller stores the keys first, then the lock, then writes the tree: after a crash between two of
//! these steps the next run finds every key for which anything was published.
//!
//! ```no_run
//! # use meshlab::{core::pki::Wants, edge::{keystore::Keystore, lock, mint}};
//! # fn run(wants: &Wants, lock_dir: &std::path::Path, key_dir: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let before = lock::read(lock_dir, "blueprints/lab.lock")?;
//! let keystore = Keystore::open(key_dir, &wants.lab)?;
//! let read = keystore.as_ref().map(|keystore| |slot: &_| Ok(keystore.read(slot)?));
//! let done = mint::complete(wants, before, read.as_ref().map(|read| read as &mint::Read))?;
//! if !done.keys.is_empty() {
//!     Keystore::create(key_dir, &wants.lab)?.add(&done.keys)?;
//! }
//! lock::write(lock_dir, done.lock.lock())?;
//! # Ok(())
//! # }
//! ```

mod certify;
mod cluster;
mod constraint;
mod error;
mod export;
mod key;
mod password;
mod root;
mod seal;
mod shelf;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use time::OffsetDateTime;

use self::cluster::{Cluster, Mint};
pub use self::error::{CompleteError, Refusal};
use self::error::{Trouble, sort};
pub use self::export::pkcs1_pem;
pub use self::shelf::Read;
use self::shelf::Shelf;
use super::secret::Secret;
use crate::core::name::CellName;
use crate::core::pki::{Certificate, ClusterLock, CompleteLock, Lack, Lock, Slot, Stale, Wants, lacking, stale, unmet};

/// A lock made complete.
#[derive(Debug)]
pub struct Completed {
    /// The lock.
    pub lock: CompleteLock,
    /// What the keystore must hold from now on, before the lock is written.
    pub keys: BTreeMap<Slot, Secret>,
    /// What was lacking and has been made. Secrets made of a replaced certificate are sealed anew with it.
    pub made: Vec<Lack>,
    /// What was no longer wanted and has been dropped.
    pub dropped: Vec<Stale>,
}

impl Completed {
    /// Whether the lock is another than before.
    pub fn is_changed(&self) -> bool {
        !self.made.is_empty() || !self.dropped.is_empty()
    }
}

/// Makes what `lock` lacks of `wants` and drops what is no longer wanted. What is there and right stays byte for byte.
///
/// Without `keys`, only a lock to which nothing was ever minted can be extended; its keys are all new.
///
/// # Errors
/// See [`CompleteError`]. Nothing has been written anywhere.
pub fn complete(wants: &Wants, lock: Lock, keys: Option<&Read>) -> Result<Completed, CompleteError> {
    complete_at(wants, lock, keys, OffsetDateTime::now_utc())
}

fn complete_at(
    wants: &Wants,
    mut lock: Lock,
    keys: Option<&Read>,
    now: OffsetDateTime,
) -> Result<Completed, CompleteError> {
    refuse_unmet(wants)?;
    let founded = !lock.is_new();
    let dropped = stale(wants, &lock);
    if !dropped.is_empty() {
        lock.prune(wants);
    }
    let made = lacking(wants, &lock);
    if keys.is_none() && founded && !made.is_empty() {
        return Err(CompleteError::NoKeystore(made));
    }
    let shelf = Shelf::new(keys);
    if !made.is_empty() {
        lock = extend(wants, &lock, &shelf, now)?;
    }
    let lock = lock
        .complete(wants)
        .map_err(|lacks| CompleteError::unfinished(&lacks))?;
    Ok(Completed {
        lock,
        keys: shelf.made(),
        made,
        dropped,
    })
}

fn refuse_unmet(wants: &Wants) -> Result<(), CompleteError> {
    let unmet = unmet(wants);
    if unmet.is_empty() {
        return Ok(());
    }
    Err(CompleteError::Refused(unmet.into_iter().map(Refusal::Unmet).collect()))
}

/// The root first, then the CAs of the cells, then every cluster in parallel.
fn extend(wants: &Wants, lock: &Lock, shelf: &Shelf<'_>, now: OffsetDateTime) -> Result<Lock, CompleteError> {
    let roots = root::roots(wants, lock, shelf, now).map_err(|trouble| sort([trouble]))?;
    let mint = Mint::new(wants, shelf, &roots, now);
    let cells = cells(wants, &mint, lock)?;
    let complete = |(name, want)| {
        let have = lock.clusters.get(name).cloned().unwrap_or_default();
        let cluster = Cluster {
            name,
            want,
            cell: cells.get(&want.cell),
        };
        Ok((name.clone(), mint.complete(cluster, have)?))
    };
    let mut clusters = all(wants.clusters.par_iter().map(complete).collect())?;
    clusters.retain(|_, lock: &mut ClusterLock| !lock.is_empty());
    Ok(Lock { roots, clusters })
}

fn cells(wants: &Wants, mint: &Mint<'_>, lock: &Lock) -> Result<BTreeMap<CellName, Certificate>, CompleteError> {
    let wanted: BTreeSet<&CellName> = wants
        .clusters
        .values()
        .filter(|want| want.cell_ca)
        .map(|want| &want.cell)
        .collect();
    let locked = lock.cell_cas(wants);
    all(wanted
        .into_par_iter()
        .map(|cell| Ok((cell.clone(), mint.cell_ca(cell, locked.get(cell).copied())?)))
        .collect())
}

/// Everything, or every trouble.
fn all<K: Ord, V>(results: Vec<Result<(K, V), Trouble>>) -> Result<BTreeMap<K, V>, CompleteError> {
    let (done, troubles): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    if troubles.is_empty() {
        return Ok(done.into_iter().flatten().collect());
    }
    Err(sort(troubles.into_iter().filter_map(Result::err)))
}
