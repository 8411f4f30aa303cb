//! What the values of a Secret are made of, once the certificates are known.

use std::collections::BTreeMap;

use serde_json::json;

use super::certificate::Certificate;
use super::identity::Identity;
use super::lacking::Standing;
use super::names::{DataKey, SecretId};
use super::part::{AuthorityPart, Part, RandomLength};
use super::subject::{Slot, Subject};
use super::wants::SecretWant;
use crate::core::name::Namespace;
use crate::core::value::Value;

/// Everything that goes into one sealed Secret, except the private values themselves.
#[derive(Debug)]
pub struct Recipe<'a> {
    /// Name of the Secret.
    pub id: &'a SecretId,
    /// Namespace of the Secret.
    pub namespace: &'a Namespace,
    /// Certificate of the sealing key.
    pub sealing: &'a Certificate,
    /// Data key to what its value is made of.
    pub data: BTreeMap<&'a DataKey, Ingredient<'a>>,
}

/// What one value is made of.
#[derive(Debug)]
pub enum Ingredient<'a> {
    /// Certificates in PEM, one after the other.
    Certificates(Vec<&'a Certificate>),
    /// The private key of a certificate.
    Key {
        /// Where the keystore has it.
        slot: Slot,
        /// The certificate whose key it must be.
        of: &'a Certificate,
    },
    /// A password.
    Random {
        /// Where the keystore has it.
        slot: Slot,
        /// How long it is.
        length: RandomLength,
    },
    /// Plain text.
    Text(&'a str),
}

impl<'a> Recipe<'a> {
    /// The recipe of a Secret of a cluster; none while a certificate that it needs is missing.
    pub(crate) fn of(standing: &Standing<'a>, id: &'a SecretId, secret: &'a SecretWant) -> Option<Self> {
        let ingredient = |(key, part): (&'a DataKey, &'a Part)| Some((key, standing.ingredient(id, key, part)?));
        Some(Self {
            id,
            namespace: &secret.namespace,
            sealing: standing.have.certificate(&Subject::Sealing)?,
            data: secret.data.iter().map(ingredient).collect::<Option<_>>()?,
        })
    }

    /// What the sealed Secret is made from: name, namespace, sealing key and the public description of each value.
    pub fn identity(&self) -> Identity {
        let data: BTreeMap<&str, Value> = self
            .data
            .iter()
            .map(|(key, value)| (key.as_str(), value.describe()))
            .collect();
        Identity::of(&json!({
            "name": self.id.name,
            "namespace": self.namespace,
            "sealing": self.sealing.fingerprint().as_str(),
            "data": data,
        }))
    }

    /// What binds the ciphertext to this one Secret (sealed-secrets: strict scope).
    pub fn label(&self) -> String {
        format!("{}/{}", self.namespace, self.id.name)
    }
}

impl Ingredient<'_> {
    /// The public description that goes into an identity.
    fn describe(&self) -> Value {
        match self {
            Self::Certificates(list) => {
                json!({"certificates": list.iter().map(|one| one.fingerprint().as_str()).collect::<Vec<_>>()})
            }
            Self::Key { of, .. } => json!({"key": of.fingerprint().as_str()}),
            Self::Random { length, .. } => json!({"random": length.get()}),
            Self::Text(text) => json!({"text": text}),
        }
    }
}

impl<'a> Standing<'a> {
    fn ingredient(&self, id: &SecretId, key: &DataKey, part: &'a Part) -> Option<Ingredient<'a>> {
        Some(match part {
            Part::Authority { authority, part } => self.part_of(&Subject::from(*authority), *part)?,
            Part::Server { dns, part } => self.part_of(&Subject::Server(dns.clone()), *part)?,
            Part::Random(length) => Ingredient::Random {
                slot: Slot::Random(self.name.clone(), id.clone(), key.clone()),
                length: *length,
            },
            Part::Text(text) => Ingredient::Text(text),
        })
    }

    fn part_of(&self, subject: &Subject, part: AuthorityPart) -> Option<Ingredient<'a>> {
        let certificate = self.have.certificate(subject)?;
        Some(match part {
            AuthorityPart::Certificate => Ingredient::Certificates(vec![certificate]),
            AuthorityPart::Key => Ingredient::Key {
                slot: Slot::of(self.name, &self.want.cell, subject),
                of: certificate,
            },
            AuthorityPart::Chain => Ingredient::Certificates(self.have.chain(subject)?),
            AuthorityPart::Roots => Ingredient::Certificates(self.roots_of(subject, certificate)),
        })
    }

    fn roots_of(&self, subject: &Subject, certificate: &'a Certificate) -> Vec<&'a Certificate> {
        match subject {
            Subject::Cell | Subject::Sealing => vec![certificate],
            Subject::Mesh | Subject::Ingress | Subject::Server(_) => self.anchors.roots.iter().collect(),
        }
    }
}

impl super::lock::ClusterLock {
    /// The certificate of `subject` and the intermediates above it; the root is left out.
    ///
    /// For Istio's `cert-chain.pem` upstream's Makefile adds the root. Istio's loader verifies `ca-cert.pem` against
    /// `root-cert.pem` with this file as a pool of intermediates only (security/pkg/pki/util/keycertbundle.go, `Verify`), so
    /// the root adds nothing there; but istiod appends the roots to each certificate that it issues, and a root in the chain
    /// makes workloads present it twice in every handshake (istio#39001). Servers leave it out because clients have it.
    pub(crate) fn chain(&self, subject: &Subject) -> Option<Vec<&Certificate>> {
        let mut chain = vec![self.certificate(subject)?];
        if let Subject::Server(_) = subject {
            chain.push(self.certificate(&Subject::Ingress)?);
        }
        Some(chain)
    }
}
