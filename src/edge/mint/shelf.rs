//! The private values at hand: those lent by the keystore and those just made.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::error::{Refusal, Trouble};
use super::key::PrivateKey;
use crate::core::pki::{KeyAlgorithm, Slot};
use crate::edge::secret::Secret;

/// Reads one value of the keystore, if it is there.
pub type Read<'a> = dyn Fn(&Slot) -> anyhow::Result<Option<Secret>> + Sync + 'a;

pub(super) struct Shelf<'a> {
    lent: Option<&'a Read<'a>>,
    made: Mutex<BTreeMap<Slot, Secret>>,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(lent: Option<&'a Read<'a>>) -> Self {
        Self {
            lent,
            made: Mutex::default(),
        }
    }

    /// What was added.
    pub(super) fn made(self) -> BTreeMap<Slot, Secret> {
        self.made.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, slot: &Slot) -> Result<Option<Secret>, Trouble> {
        let made = self
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(slot)
            .cloned();
        match (made, self.lent) {
            (Some(secret), _) => Ok(Some(secret)),
            (None, Some(read)) => Ok(read(slot)?),
            (None, None) => Ok(None),
        }
    }

    /// Adds a value to a slot that was found empty.
    pub(super) fn put(&self, slot: Slot, secret: Secret) {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(slot, secret);
    }

    pub(super) fn key(&self, slot: &Slot) -> Result<Option<PrivateKey>, Trouble> {
        let load = |pem| {
            PrivateKey::load(pem).map_err(|reason| {
                Refusal::NotAKey {
                    slot: slot.clone(),
                    reason,
                }
                .into()
            })
        };
        self.find(slot)?.map(load).transpose()
    }

    pub(super) fn key_or_new(&self, slot: Slot, algorithm: KeyAlgorithm) -> Result<PrivateKey, Trouble> {
        if let Some(key) = self.key(&slot)? {
            return Ok(key);
        }
        let key = PrivateKey::generate(algorithm)?;
        self.put(slot, key.pem().clone());
        Ok(key)
    }
}
