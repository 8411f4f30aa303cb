//! Completing the lock of one cluster.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

use super::certify::{Authority, Office};
use super::error::{Refusal, Trouble};
use super::key::PrivateKey;
use super::password::password;
use super::root;
use super::seal::seal;
use super::shelf::Shelf;
use crate::core::name::{CellName, ClusterName};
use crate::core::pki::{
    Anchors, Certificate, ClusterLock, ClusterWants, DataKey, Demand, Ingredient, KeyAlgorithm, Minted, RandomLength,
    Recipe, Sealed, Slot, Standing, Subject, Wants,
};
use crate::edge::secret::Secret;

/// One run of minting.
pub(super) struct Mint<'a> {
    wants: &'a Wants,
    shelf: &'a Shelf<'a>,
    roots: &'a [Certificate],
    office: Office<'a>,
    /// The root's key, read when the first signature is due.
    root: Mutex<Option<Arc<Authority>>>,
}

/// A cluster whose lock is being completed.
#[derive(Clone, Copy)]
pub(super) struct Cluster<'a> {
    pub(super) name: &'a ClusterName,
    pub(super) want: &'a ClusterWants,
    /// The CA of its cell, if one is wanted.
    pub(super) cell: Option<&'a Certificate>,
}

impl<'a> Mint<'a> {
    pub(super) fn new(wants: &'a Wants, shelf: &'a Shelf<'a>, roots: &'a [Certificate], now: OffsetDateTime) -> Self {
        Self {
            wants,
            shelf,
            roots,
            office: Office { spec: &wants.pki, now },
            root: Mutex::default(),
        }
    }

    /// The CA of a cell: that of the lock, else that of the keystore, else a new certificate.
    pub(super) fn cell_ca(&self, cell: &CellName, locked: Option<&Certificate>) -> Result<Certificate, Trouble> {
        if let Some(certificate) = locked {
            return Ok(certificate.clone());
        }
        let slot = Slot::CellCertificate(cell.clone());
        if let Some(certificate) = root::certificate(self.shelf, &slot)? {
            return Ok(certificate);
        }
        let key = self.shelf.key_or_new(Slot::Cell(cell.clone()), self.wants.pki.key)?;
        let certificate = self.office.cell(cell)?.self_signed(&key)?;
        self.shelf.put(slot, Secret::from(certificate.pem().to_owned()));
        Ok(certificate)
    }

    /// `have`, and what it lacks. Certificates first: Secrets are made of them.
    pub(super) fn complete(&self, cluster: Cluster<'_>, mut have: ClusterLock) -> Result<ClusterLock, Trouble> {
        for demand in cluster.want.demands() {
            if self.standing(cluster, &have).certificate(&demand).is_some() {
                let certificate = self.certificate(cluster, &have, &demand)?;
                let identity = demand.identity(cluster.name);
                have.certificates
                    .insert(demand.subject(), Minted { identity, certificate });
            }
        }
        for (id, secret) in &cluster.want.secrets {
            let standing = self.standing(cluster, &have);
            if standing.secret(id, secret).is_some() {
                let recipe =
                    Recipe::of(&standing, id, secret).ok_or_else(|| anyhow::anyhow!("{id} lacks a certificate"))?;
                let sealed = self.sealed(&recipe, have.secrets.get(id))?;
                have.secrets.insert(id.clone(), sealed);
            }
        }
        Ok(have)
    }

    fn standing<'b>(&'b self, cluster: Cluster<'b>, have: &'b ClusterLock) -> Standing<'b> {
        let anchors = Anchors {
            roots: self.roots,
            cell: cluster.cell,
        };
        Standing {
            name: cluster.name,
            want: cluster.want,
            have,
            anchors,
        }
    }

    fn certificate(
        &self,
        cluster: Cluster<'_>,
        have: &ClusterLock,
        demand: &Demand<'_>,
    ) -> Result<Certificate, Trouble> {
        let key = |algorithm| self.key_for(cluster, have, &demand.subject(), algorithm);
        let (office, now, algorithm) = (self.office, self.office.now, self.wants.pki.key);
        match demand {
            Demand::Mesh(ca) => office
                .mesh(cluster.name, ca)?
                .issued_by(&*self.root()?, &key(algorithm)?, now),
            Demand::Ingress(ca) => office
                .ingress(cluster.name, ca)?
                .issued_by(&*self.root()?, &key(algorithm)?, now),
            Demand::Server(names) => {
                office
                    .server(names)?
                    .issued_by(&self.ingress(cluster, have)?, &key(algorithm)?, now)
            }
            Demand::Sealing => office
                .sealing(cluster.name)?
                .self_signed(&key(self.wants.sealing_key.into())?),
            Demand::Cell(cell) => cluster
                .cell
                .cloned()
                .ok_or_else(|| anyhow::anyhow!("{cell} has no CA").into()),
        }
    }

    /// The key for a certificate: that of the certificate which it replaces, else the keystore's, else a new one.
    fn key_for(
        &self,
        cluster: Cluster<'_>,
        have: &ClusterLock,
        subject: &Subject,
        algorithm: KeyAlgorithm,
    ) -> Result<PrivateKey, Trouble> {
        let slot = Slot::of(cluster.name, &cluster.want.cell, subject);
        match have.certificate(subject) {
            Some(certificate) => self.key_of(certificate, slot),
            None => self.shelf.key_or_new(slot, algorithm),
        }
    }

    /// The key of a certificate that exists; the keystore must have it.
    fn key_of(&self, certificate: &Certificate, slot: Slot) -> Result<PrivateKey, Trouble> {
        match self.shelf.key(&slot)? {
            None => Err(Refusal::Lost(slot).into()),
            Some(key) if key.belongs_to(certificate) => Ok(key),
            Some(_) => Err(Refusal::WrongKey {
                slot,
                certificate: certificate.fingerprint().clone(),
            }
            .into()),
        }
    }

    fn root(&self) -> Result<Arc<Authority>, Trouble> {
        let mut root = self.root.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = &*root {
            return Ok(Arc::clone(root));
        }
        let authority = Arc::new(root::authority(self.roots, self.shelf)?);
        Ok(Arc::clone(root.insert(authority)))
    }

    fn ingress(&self, cluster: Cluster<'_>, have: &ClusterLock) -> Result<Authority, Trouble> {
        let slot = Slot::of(cluster.name, &cluster.want.cell, &Subject::Ingress);
        let certificate = have
            .certificate(&Subject::Ingress)
            .ok_or_else(|| Refusal::Lost(slot.clone()))?
            .clone();
        let key = self.key_of(&certificate, slot.clone())?;
        Ok(Authority { slot, certificate, key })
    }

    fn sealed(&self, recipe: &Recipe<'_>, before: Option<&Sealed>) -> Result<Sealed, Trouble> {
        let mut data = BTreeMap::new();
        for (key, ingredient) in &recipe.data {
            let was_sealed = before.is_some_and(|sealed| sealed.data.contains_key(*key));
            let value = self.value(ingredient, was_sealed)?;
            let sealed = seal(recipe.sealing, &recipe.label(), value.reveal().as_bytes())?;
            data.insert(DataKey::clone(key), sealed);
        }
        Ok(Sealed {
            identity: recipe.identity(),
            data,
        })
    }

    fn value(&self, ingredient: &Ingredient<'_>, was_sealed: bool) -> Result<Secret, Trouble> {
        Ok(match ingredient {
            Ingredient::Certificates(list) => Secret::from(list.iter().map(|one| one.pem()).collect::<String>()),
            Ingredient::Key { slot, of } => self.key_of(of, slot.clone())?.pem().clone(),
            Ingredient::Random { slot, length } => self.password(slot, *length, was_sealed)?,
            Ingredient::Text(text) => Secret::from((*text).to_owned()),
        })
    }

    /// A password is made once: a lock that has it sealed and a keystore that lacks it do not belong together.
    fn password(&self, slot: &Slot, length: RandomLength, was_sealed: bool) -> Result<Secret, Trouble> {
        match self.shelf.find(slot)? {
            Some(kept) if kept.reveal().chars().count() == usize::from(length.get()) => Ok(kept),
            Some(kept) => {
                let kept = kept.reveal().chars().count();
                Err(Refusal::Length {
                    slot: slot.clone(),
                    kept,
                    wanted: length.get(),
                }
                .into())
            }
            None if was_sealed => Err(Refusal::Lost(slot.clone()).into()),
            None => {
                let fresh = password(length)?;
                self.shelf.put(slot.clone(), fresh.clone());
                Ok(fresh)
            }
        }
    }
}
