//! The format of Bitnami's sealed-secrets (pkg/crypto/crypto.go, `HybridEncrypt`).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::Trouble;
use crate::core::pki::Certificate;

/// Encrypts one value for the holder of the key of `certificate`: two bytes with the length of what follows, the session key
/// under RSA-OAEP (SHA-256) with `label`, then the value under AES-256-GCM with that session key; in base64.
///
/// The nonce is zero because a session key encrypts one value only.
pub(super) fn seal(certificate: &Certificate, label: &str, value: &[u8]) -> Result<String, Trouble> {
    let mut session = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(session.as_mut_slice())?;
    let wrapped = wrap(certificate, label, session.as_slice())?;
    let length =
        u16::try_from(wrapped.len()).map_err(|_| anyhow::anyhow!("a sealing key of this size is not known"))?;

    let mut sealed = value.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, session.as_slice())?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut sealed)?;
    Ok(STANDARD.encode([&length.to_be_bytes()[..], &wrapped, &sealed].concat()))
}

fn wrap(certificate: &Certificate, label: &str, session: &[u8]) -> Result<Vec<u8>, Trouble> {
    let public = PublicEncryptingKey::from_der(certificate.public_key()).map_err(|_| {
        anyhow::anyhow!(
            "{} is not the certificate of an RSA key, as sealing needs",
            certificate.fingerprint()
        )
    })?;
    let key = OaepPublicEncryptingKey::new(public)?;
    let mut wrapped = vec![0; key.ciphertext_size()];
    let length = key
        .encrypt(&OAEP_SHA256_MGF1SHA256, session, &mut wrapped, Some(label.as_bytes()))?
        .len();
    wrapped.truncate(length);
    Ok(wrapped)
}
