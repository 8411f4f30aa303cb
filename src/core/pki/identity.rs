//! What something was made from, as a hash.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::manifest::Digest;

/// SHA-256, in hex, of the canonical JSON of what a locked thing was made from.
///
/// Only public descriptors go in: what was wanted, and fingerprints of certificates. Never a secret value, since the hash of
/// a value that can be guessed gives it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(String);

impl Identity {
    /// The identity of `descriptor`, whose maps must be in a fixed order.
    pub(crate) fn of(descriptor: &serde_json::Value) -> Self {
        Self(sha256_hex(descriptor.to_string().as_bytes()))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of `bytes` in lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}
