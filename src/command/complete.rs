//! The lock of a lab, complete: read, extended where the lab wants something that it lacks, never changed otherwise.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::print::counted;
use super::{Failure, Printer};
use crate::core::name::LabName;
use crate::core::pki::{CompleteLock, Lock, Wants, stale};
use crate::core::resolve::Allocations;
use crate::edge::allocations;
use crate::edge::keystore::Keystore;
use crate::edge::lock::{self, LockError};
use crate::edge::mint::{self, CompleteError, Completed};
use crate::edge::repository::BlueprintFile;

/// A lab's lock, and where its private keys are.
pub(super) struct Locking<'a> {
    file: &'a BlueprintFile,
    keystore: PathBuf,
    /// Slots and ids that the lock knows.
    pub(super) allocations: Allocations,
    lock: Lock,
}

impl<'a> Locking<'a> {
    /// Reads the lock; the keystore is `keystore`, or `.meshlab/<lab>` below `root`.
    pub(super) fn open(root: &Path, file: &'a BlueprintFile, keystore: Option<&Path>) -> Result<Self, Failure> {
        let name = file.lock_name();
        let allocations = allocations::read(&file.lock(), &name).map_err(|error| match error {
            allocations::Error::Problems(problems) => problems.into(),
            allocations::Error::Io(error) => {
                Failure::Environment(anyhow::Error::new(error).context(format!("cannot read {name}")))
            }
        })?;
        let lock = lock::read(&file.lock(), &name)?;
        let keystore = keystore.map_or_else(|| root.join(".meshlab").join(file.lab()), Path::to_owned);
        Ok(Self {
            file,
            keystore,
            allocations,
            lock,
        })
    }

    /// The lock as it is, if it has everything: what a check needs.
    pub(super) fn check(self, wants: &Wants, allocations: &Allocations) -> Result<CompleteLock, Failure> {
        if self.allocations != *allocations {
            let what = "the lock does not know the addresses of every cell and cluster";
            return Err(self.incomplete(what, &[]));
        }
        let stale: Vec<String> = stale(wants, &self.lock).iter().map(ToString::to_string).collect();
        if !stale.is_empty() {
            return Err(self.incomplete("the lock holds what is no longer wanted", &stale));
        }
        let (file, keystore) = (self.file, self.keystore);
        self.lock.complete(wants).map_err(|lacks| {
            let lacks: Vec<String> = lacks.iter().map(ToString::to_string).collect();
            incomplete(file, &keystore, "the lock is not complete", &lacks)
        })
    }

    /// The lock with everything: what it lacks is minted, and nothing is written yet.
    pub(super) fn mint(mut self, wants: &Wants, allocations: Allocations) -> Result<Minted<'a>, Failure> {
        let keystore = Keystore::open(&self.keystore, &wants.lab).map_err(refused)?;
        let read = keystore.as_ref().map(|keystore| |slot: &_| Ok(keystore.read(slot)?));
        let before = std::mem::take(&mut self.lock);
        let done = mint::complete(wants, before, read.as_ref().map(|read| read as &mint::Read))
            .map_err(|error| self.failed(error))?;
        Ok(Minted {
            exposed: keystore
                .filter(|keystore| !keystore.is_public())
                .map(|keystore| keystore.exposed())
                .unwrap_or_default(),
            before: self,
            lab: wants.lab.clone(),
            allocations,
            done,
        })
    }

    fn failed(&self, error: CompleteError) -> Failure {
        match error {
            CompleteError::NoKeystore(lacks) => {
                let lacks: Vec<String> = lacks.iter().map(ToString::to_string).collect();
                self.incomplete(
                    "the lock is not complete, and there is no keystore to extend it",
                    &lacks,
                )
            }
            refused @ CompleteError::Refused(_) => refused
                .problems(&self.keystore.display().to_string(), &self.file.lock_name())
                .into(),
            CompleteError::Failed(error) => Failure::Environment(error),
        }
    }

    fn incomplete(&self, what: &str, lacks: &[String]) -> Failure {
        incomplete(self.file, &self.keystore, what, lacks)
    }
}

/// A complete lock whose new parts are only in memory.
pub(super) struct Minted<'a> {
    before: Locking<'a>,
    lab: LabName,
    allocations: Allocations,
    done: Completed,
    /// Private keys that others can read.
    exposed: Vec<PathBuf>,
}

impl Minted<'_> {
    /// The lock, complete.
    pub(super) fn lock(&self) -> &CompleteLock {
        &self.done.lock
    }

    /// Writes what is new. Keystore first, then lock, so that no certificate is ever without its key.
    pub(super) fn keep(&self, printer: &Printer) -> Result<(), Failure> {
        let before = &self.before;
        let directory = before.file.lock();
        if !self.done.keys.is_empty() {
            let keystore = Keystore::create(&before.keystore, &self.lab).map_err(refused)?;
            keystore.add(&self.done.keys).map_err(refused)?;
        }
        if self.done.is_changed() {
            lock::write(&directory, self.done.lock.lock())?;
        }
        if before.allocations != self.allocations {
            allocations::write(&directory, &self.allocations)
                .with_context(|| format!("cannot write {}", before.file.lock_name()))?;
        }
        self.tell(printer);
        Ok(())
    }

    fn tell(&self, printer: &Printer) {
        let (lab, made, keys) = (&self.lab, &self.done.made, &self.done.keys);
        for path in &self.exposed {
            let path = path.display();
            printer.note(&format!(
                "warning: others can read the private key {path}; run `chmod 600` on it"
            ));
        }
        for made in made {
            printer.detail(&format!("minted: {made}"));
        }
        if !made.is_empty() {
            let (entries, place) = (counted(made.len(), "entry", "entries"), self.before.file.lock_name());
            printer.note(&format!("{lab}: the lock was extended by {entries}; commit {place}"));
        }
        if !keys.is_empty() {
            let (keys, place) = (
                counted(keys.len(), "new private key", "new private keys"),
                self.before.keystore.display(),
            );
            printer.note(&format!(
                "{lab}: {keys} in {place}: keep them, and never in Git in the clear"
            ));
        }
    }
}

/// How many lines of what is lacking are shown.
const SHOWN: usize = 10;

fn incomplete(file: &BlueprintFile, keystore: &Path, what: &str, lacks: &[String]) -> Failure {
    let mut text = format!("{}: {what}\n", file.lock_name());
    for lack in lacks.iter().take(SHOWN) {
        text += &format!("  - {lack}\n");
    }
    if lacks.len() > SHOWN {
        text += &format!("  - and {} more\n", lacks.len() - SHOWN);
    }
    let help = format!(
        "run `meshlab render {}` where its keystore is ({}; or name it with --keystore DIR), and commit the lock",
        file.lab(),
        keystore.display()
    );
    Failure::Incomplete(format!("{text}  = help: {help}"))
}

pub(super) fn refused(error: crate::edge::keystore::KeystoreError) -> Failure {
    use crate::edge::keystore::KeystoreError;
    match error {
        KeystoreError::Io(..) => Failure::Environment(error.into()),
        other => Failure::Refused(other.to_string()),
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Problems(problems) => Self::Input(problems),
            LockError::Io(..) => Self::Environment(error.into()),
        }
    }
}
