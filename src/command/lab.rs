//! A lab as the commands that look at it need it: resolved, with its lock, and the Applications that Argo CD will create.

use std::path::Path;

use super::Failure;
use super::complete::Locking;
use crate::core::blueprint;
use crate::core::catalog::Catalog;
use crate::core::lab::Lab;
use crate::core::pki::CompleteLock;
use crate::core::resolve::resolve;
use crate::core::wants::wants;
use crate::edge::repository::BlueprintFile;

/// A lab and its lock, both as they are: nothing is minted.
pub(super) struct Opened {
    pub(super) lab: Lab,
    pub(super) lock: CompleteLock,
}

/// Reads a lab.
pub(super) fn open(root: &Path, file: &BlueprintFile, catalog: &Catalog) -> Result<Opened, Failure> {
    let source = file.read()?;
    let blueprint = blueprint::read(&source)?;
    let locking = Locking::open(root, file, None)?;
    let (lab, allocations) = resolve(&blueprint, &source, catalog, &locking.allocations)?;
    let lock = locking.check(&wants(&lab)?, &allocations)?;
    Ok(Opened { lab, lock })
}
