//! A certificate: its PEM and what must be known of it.

use std::fmt;
use std::sync::Arc;

use pem::{EncodeConfig, LineEnding, Pem};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::identity::sha256_hex;

/// SHA-256 of a certificate's DER, in hex; what `openssl x509 -fingerprint -sha256` prints with colons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Arc<str>);

impl Fingerprint {
    /// The 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

/// An X.509 certificate that could be read. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(Arc<Facts>);

#[derive(Debug, PartialEq, Eq)]
struct Facts {
    pem: String,
    fingerprint: Fingerprint,
    public_key: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    not_after: i64,
}

impl Certificate {
    /// Reads exactly one certificate.
    ///
    /// # Errors
    /// A sentence, if `text` holds none, several, or something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        match <[Self; 1]>::try_from(Self::parse_all(text)?) {
            Ok([certificate]) => Ok(certificate),
            Err(several) => Err(format!("there must be exactly one certificate, not {}", several.len())),
        }
    }

    /// Reads a bundle: any number of certificates, in order.
    ///
    /// # Errors
    /// A sentence, if a block of `text` is not a certificate.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let blocks = pem::parse_many(text).map_err(|error| format!("not PEM: {error}"))?;
        blocks.iter().map(Self::from_block).collect()
    }

    fn from_block(block: &Pem) -> Result<Self, String> {
        match block.tag() {
            "CERTIFICATE" => Self::from_der(block.contents()),
            tag => Err(format!("a block is a {tag}, where only certificates may stand")),
        }
    }

    /// Reads DER.
    ///
    /// # Errors
    /// A sentence, if `der` is not an X.509 certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, String> {
        let (rest, x509) =
            X509Certificate::from_der(der).map_err(|error| format!("not an X.509 certificate: {error}"))?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow the X.509 certificate", rest.len()));
        }
        let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
        Ok(Self(Arc::new(Facts {
            pem: pem::encode_config(&Pem::new("CERTIFICATE", der), config),
            fingerprint: Fingerprint(sha256_hex(der).into()),
            public_key: x509.public_key().raw.to_vec(),
            subject: x509.subject().as_raw().to_vec(),
            issuer: x509.issuer().as_raw().to_vec(),
            subject_key_id: subject_key_id(&x509),
            authority_key_id: authority_key_id(&x509),
            not_after: x509.validity().not_after.timestamp(),
        })))
    }

    /// The certificate in PEM, with Unix line ends and a final one.
    pub fn pem(&self) -> &str {
        &self.0.pem
    }

    /// Its fingerprint.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.0.fingerprint
    }

    /// The public key: DER of its `SubjectPublicKeyInfo`.
    pub fn public_key(&self) -> &[u8] {
        &self.0.public_key
    }

    /// The last second of its life, in seconds since 1970.
    pub fn not_after(&self) -> i64 {
        self.0.not_after
    }

    /// Whether names and key identifiers say that `issuer` issued it. The signature itself is not verified here.
    pub fn names_issuer(&self, issuer: &Self) -> bool {
        let same_key = match (&self.0.authority_key_id, &issuer.0.subject_key_id) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        };
        same_key && self.0.issuer == issuer.0.subject
    }
}

fn subject_key_id(x509: &X509Certificate<'_>) -> Option<Vec<u8>> {
    x509.iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        })
}

fn authority_key_id(x509: &X509Certificate<'_>) -> Option<Vec<u8>> {
    x509.iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            x509_parser::extensions::ParsedExtension::AuthorityKeyIdentifier(id) => {
                id.key_identifier.as_ref().map(|id| id.0.to_vec())
            }
            _ => None,
        })
}

/// The certificates one after the other, in PEM.
pub(crate) fn bundle<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> String {
    certificates.into_iter().map(Certificate::pem).collect()
}
