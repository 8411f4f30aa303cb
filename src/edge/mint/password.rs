//! Passwords.

use zeroize::Zeroizing;

use super::error::Trouble;
use crate::core::pki::RandomLength;
use crate::edge::secret::Secret;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Letters and digits, each as likely as any other: safe in shells, URLs and YAML.
pub(super) fn password(length: RandomLength) -> Result<Secret, Trouble> {
    let length = usize::from(length.get());
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = Zeroizing::new([0; 64]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice())?;
        // The largest multiple of 62 in a byte: without the rest, no letter is more likely.
        let fair = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        text.extend(fair.take(length - text.len()));
    }
    Ok(Secret::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_its_length_and_is_new_each_time() {
        let length = RandomLength::new(200).unwrap();
        let (one, other) = (password(length).unwrap(), password(length).unwrap());
        assert_eq!(one.reveal().len(), 200);
        assert!(one.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one.reveal(), other.reveal());
    }
}
