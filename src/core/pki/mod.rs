//! What a lab must trust and hide ([`Wants`]), and the committed public half of it ([`Lock`]).
//!
//! Private keys live in the keystore and never come here: this room only says which certificates and sealed values there
//! must be, which of them the lock already has, and what each was made from.

mod certificate;
mod complete;
mod demand;
mod identity;
mod lacking;
mod lock;
mod lock_file;
mod names;
mod part;
mod recipe;
mod subject;
mod unmet;
mod wants;

#[cfg(test)]
pub(crate) mod fixture;

pub use certificate::{Certificate, Fingerprint};
pub use complete::{CaFiles, ClusterPki, CompleteLock};
pub(crate) use demand::Demand;
pub use identity::Identity;
pub(crate) use lacking::{Anchors, Standing};
pub use lacking::{Lack, Why, lacking};
pub use lock::{ClusterLock, Lock, Minted, Sealed, Stale, stale};
pub use names::{DataKey, DnsName, Organization, SecretId, SecretName, ServerNames};
pub use part::{Authority, AuthorityPart, Part, RandomLength};
pub use recipe::{Ingredient, Recipe};
pub use subject::{Slot, Subject};
pub use unmet::{Unmet, unmet};
pub use wants::{ClusterWants, IngressCa, KeyAlgorithm, MeshCa, PkiSpec, SealingKey, SecretWant, Wants};
