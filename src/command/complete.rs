//! The lock of a lab, complete: read, extended where something is wanted that it lacks, never changed otherwise.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Failure, Printer};
use crate::core::pki::{CompleteLock, Lack, Lock, Wants, lacking};
use crate::core::resolve::Allocations;
use crate::edge::allocations;
use crate::edge::keystore::Keystore;
use crate::edge::repository::BlueprintFile;
use crate::edge::{lock, mint};

/// A lab's lock and where its private keys are.
pub(super) struct Locking {
    directory: PathBuf,
    keystore: PathBuf,
    lab: String,
    pub(super) allocations: Allocations,
    lock: Lock,
}
