//! Private keys in the forms that others expect.

use x509_parser::der_parser::asn1_rs::{Any, FromDer, Integer};

use super::key::{decode, encode};
use crate::edge::secret::Secret;

/// An RSA key of the keystore (PKCS#8) as PKCS#1 in PEM: `tls.key` of the sealed-secrets controller, as it writes it itself.
///
/// # Errors
/// A sentence, if the key is not RSA or not PKCS#8.
pub fn pkcs1_pem(key: &Secret) -> Result<Secret, String> {
    let der = decode(key, "PRIVATE KEY")?;
    let inner = rsa_private_key(&der).ok_or("it is not an RSA key in PKCS#8")?;
    Ok(encode("RSA PRIVATE KEY", inner))
}

/// `PrivateKeyInfo` of RFC 5208: version, algorithm, and for RSA a PKCS#1 `RSAPrivateKey` as octet string.
fn rsa_private_key(der: &[u8]) -> Option<&[u8]> {
    const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
    let (_, info) = Any::from_der(der).ok()?;
    let (rest, _version) = Integer::from_der(info.data).ok()?;
    let (rest, algorithm) = Any::from_der(rest).ok()?;
    let (_, oid) = Any::from_der(algorithm.data).ok()?;
    let (_, key) = Any::from_der(rest).ok()?;
    (oid.oid().ok()?.to_id_string() == RSA_ENCRYPTION).then_some(key.data)
}
