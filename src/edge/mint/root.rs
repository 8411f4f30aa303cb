//! The root of the lab.

use super::certify::{Authority, Office};
use super::error::{Refusal, Trouble};
use super::key::PrivateKey;
use super::shelf::Shelf;
use crate::core::pki::{Certificate, Lock, Slot, Wants};
use crate::edge::secret::Secret;
use time::OffsetDateTime;

/// The roots of the lock, if the lab is to have one; without any, the keystore's root, for which a lost certificate is made anew, or a new root.
pub(super) fn roots(
    wants: &Wants,
    lock: &Lock,
    shelf: &Shelf<'_>,
    now: OffsetDateTime,
) -> Result<Vec<Certificate>, Trouble> {
    if !wants.root {
        return Ok(Vec::new());
    }
    if !lock.roots.is_empty() {
        same_root(&lock.roots, shelf)?;
        return Ok(lock.roots.clone());
    }
    if let Some(certificate) = kept(shelf)? {
        return Ok(vec![certificate]);
    }
    let key = match shelf.key(&Slot::Root)? {
        Some(key) => key,
        // Certificates without their root are a damaged lock, not a new lab.
        None if !lock.is_new() => return Err(Refusal::NoRoot.into()),
        None => shelf.key_or_new(Slot::Root, wants.pki.key)?,
    };
    let certificate = Office { spec: &wants.pki, now }.root(&wants.lab)?.self_signed(&key)?;
    shelf.put(Slot::RootCertificate, Secret::from(certificate.pem().to_owned()));
    Ok(vec![certificate])
}

/// The root as an authority: the key, and the one of `roots` that is its certificate.
pub(super) fn authority(roots: &[Certificate], shelf: &Shelf<'_>) -> Result<Authority, Trouble> {
    let key = shelf.key(&Slot::Root)?.ok_or(Refusal::NoRoot)?;
    match roots.iter().find(|root| key.belongs_to(root)) {
        Some(root) => Ok(Authority {
            slot: Slot::Root,
            certificate: root.clone(),
            key,
        }),
        None => Err(other(roots, None)),
    }
}

/// Refuses a keystore whose root is none of the lock's, even if this run needs no signature of the root.
fn same_root(roots: &[Certificate], shelf: &Shelf<'_>) -> Result<(), Trouble> {
    if let Some(kept) = kept(shelf)? {
        let same = roots.iter().any(|root| root.public_key() == kept.public_key());
        return if same { Ok(()) } else { Err(other(roots, Some(&kept))) };
    }
    let belongs = |key: PrivateKey| roots.iter().any(|root| key.belongs_to(root));
    if shelf.key(&Slot::Root)?.is_none_or(belongs) {
        Ok(())
    } else {
        Err(other(roots, None))
    }
}

fn kept(shelf: &Shelf<'_>) -> Result<Option<Certificate>, Trouble> {
    certificate(shelf, &Slot::RootCertificate)
}

/// A certificate that the keystore keeps.
pub(super) fn certificate(shelf: &Shelf<'_>, slot: &Slot) -> Result<Option<Certificate>, Trouble> {
    let parse = |text: Secret| {
        Certificate::parse(text.reveal()).map_err(|reason| anyhow::anyhow!("{slot} of the keystore: {reason}").into())
    };
    shelf.find(slot)?.map(parse).transpose()
}

fn other(roots: &[Certificate], keystore: Option<&Certificate>) -> Trouble {
    let lock = roots.iter().map(|root| root.fingerprint().clone()).collect();
    Refusal::OtherRoot {
        lock,
        keystore: keystore.map(|root| root.fingerprint().clone()),
    }
    .into()
}
