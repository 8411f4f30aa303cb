//! A private key, ready to sign.

use std::fmt;

use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{KeyPair, PublicKeyData, RsaKeySize};
use zeroize::{Zeroize, Zeroizing};

use crate::core::pki::{Certificate, KeyAlgorithm};
use crate::edge::secret::Secret;

pub(super) struct PrivateKey {
    pair: KeyPair,
    pem: Secret,
}

impl PrivateKey {
    pub(super) fn generate(algorithm: KeyAlgorithm) -> Result<Self, rcgen::Error> {
        let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
        let pair = match algorithm {
            KeyAlgorithm::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyAlgorithm::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyAlgorithm::Rsa2048 => rsa(RsaKeySize::_2048),
            KeyAlgorithm::Rsa3072 => rsa(RsaKeySize::_3072),
            KeyAlgorithm::Rsa4096 => rsa(RsaKeySize::_4096),
        }?;
        let pem = encode("PRIVATE KEY", pair.serialized_der());
        Ok(Self { pair, pem })
    }

    /// Reads PKCS#8 in PEM. The text is kept as it is: a key in another form, written again, would get a wrong label.
    pub(super) fn load(pem: Secret) -> Result<Self, String> {
        let der = decode(&pem, "PRIVATE KEY")?;
        // What the library says of a key may quote it: not passed on.
        let pair =
            KeyPair::try_from(der.as_slice()).map_err(|_| "its algorithm or content is not known here".to_owned())?;
        Ok(Self { pair, pem })
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// PKCS#8 in PEM.
    pub(super) fn pem(&self) -> &Secret {
        &self.pem
    }

    /// Whether it is the key of `certificate`.
    pub(super) fn belongs_to(&self, certificate: &Certificate) -> bool {
        self.pair.subject_public_key_info() == certificate.public_key()
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.pair.zeroize();
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// PEM of a private value.
pub(super) fn encode(tag: &str, der: &[u8]) -> Secret {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let block = Pem::new(tag, der);
    let text = pem::encode_config(&block, config);
    block.into_contents().zeroize();
    Secret::from(text)
}

/// DER of a private value, which must be one block with this tag.
pub(super) fn decode(text: &Secret, tag: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let block = pem::parse(text.reveal()).map_err(|_| "it is not PEM".to_owned())?;
    let found = block.tag().to_owned();
    let der = Zeroizing::new(block.into_contents());
    if found == tag {
        Ok(der)
    } else {
        Err(format!("it must be a {tag} block in PEM (PKCS#8)"))
    }
}
