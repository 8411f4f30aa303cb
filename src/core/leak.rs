//! The last look at everything that is written: a secret in the clear must not reach Git.
//!
//! Marks that no harmless text bears are searched first, all over the file; what a mark means is then judged where it stands.

mod objects;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;

use super::artefact::TreePath;
use super::problem::Problem;

/// A secret in the clear. It says where, and never what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// In which file.
    pub path: TreePath,
    /// On which line, counted from 1.
    pub line: usize,
    /// What kind of secret.
    pub kind: Kind,
}

/// Kinds of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A PEM block with a private key of any type.
    PrivateKey,
    /// The same, in base64.
    EncodedPrivateKey,
    /// A JSON Web Token, such as those of service accounts.
    Jwt,
    /// A private key of age.
    AgeKey,
    /// A token or client key in a kubeconfig.
    Kubeconfig,
    /// A Kubernetes Secret with values.
    Secret,
}

impl Kind {
    fn describe(self) -> &'static str {
        match self {
            Self::PrivateKey => "a private key (PEM)",
            Self::EncodedPrivateKey => "a private key (PEM in base64)",
            Self::Jwt => "a JSON Web Token",
            Self::AgeKey => "an age private key",
            Self::Kubeconfig => "a credential of a kubeconfig",
            Self::Secret => "a Kubernetes Secret with values",
        }
    }
}

impl From<Leak> for Problem {
    fn from(leak: Leak) -> Self {
        let (path, line, kind) = (&leak.path, leak.line, leak.kind.describe());
        Self::new(format!("`{path}` would hold {kind} in the clear, on line {line}"))
            .help("declare it under `secrets` of its component, so that it is encrypted; or let it be made at run time")
    }
}

/// Looks for the first secret in what is about to be written to `path`.
pub fn scan(path: &TreePath, bytes: &[u8]) -> Option<Leak> {
    let found = MARKS.iter().filter_map(|mark| Some((mark.find(bytes)?, mark.kind)));
    let (at, kind) = found.min_by_key(|(at, _)| *at)?;
    let line = memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1;
    Some(Leak {
        path: path.clone(),
        line,
        kind,
    })
}

/// A text that may be part of a secret.
struct Mark {
    finder: Finder<'static>,
    kind: Kind,
    /// Whether the mark at this offset is.
    is_leak: fn(&[u8], usize) -> bool,
}

impl Mark {
    fn new(text: &str, kind: Kind, is_leak: fn(&[u8], usize) -> bool) -> Self {
        Self {
            finder: Finder::new(text).into_owned(),
            kind,
            is_leak,
        }
    }

    fn find(&self, bytes: &[u8]) -> Option<usize> {
        self.finder.find_iter(bytes).find(|at| (self.is_leak)(bytes, *at))
    }
}

const PEM_LABEL: &str = "PRIVATE KEY";
const AGE_PREFIX: &str = "AGE-SECRET-KEY-1";

static MARKS: LazyLock<Vec<Mark>> = LazyLock::new(|| {
    let encoded = in_base64("PRIVATE KEY-----");
    let mut marks = vec![
        Mark::new(PEM_LABEL, Kind::PrivateKey, is_pem_header),
        Mark::new("eyJ", Kind::Jwt, is_jwt),
        Mark::new(AGE_PREFIX, Kind::AgeKey, is_age_key),
        Mark::new("client-key-data", Kind::Kubeconfig, objects::is_client_key),
        Mark::new("token:", Kind::Kubeconfig, objects::is_user_token),
        Mark::new("token\":", Kind::Kubeconfig, objects::is_user_token),
        Mark::new("Secret", Kind::Secret, objects::is_secret_with_values),
    ];
    marks.extend(
        encoded
            .iter()
            .map(|text| Mark::new(text, Kind::EncodedPrivateKey, |_, _| true)),
    );
    marks
});

/// The three ways in which base64 spells a text, depending on where it stands in what is encoded.
fn in_base64(text: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let encoded = STANDARD_NO_PAD.encode([&b"\0\0"[..before], text.as_bytes()].concat());
        // Six bits to a character: those that the text shares with its neighbours are cut off.
        let (start, end) = ((before * 8).div_ceil(6), (before + text.len()) * 8 / 6);
        encoded[start..end].to_owned()
    })
}

/// `-----BEGIN … PRIVATE KEY-----`, also `… PRIVATE KEY BLOCK-----`.
fn is_pem_header(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at + PEM_LABEL.len()..];
    let ends = rest.starts_with(b"-----") || rest.starts_with(b" BLOCK-----");
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let before = &bytes[..at];
    let label = before.iter().rev().take_while(|byte| is_label(byte)).count();
    ends && before[..at - label].ends_with(b"-----") && before[at - label..].starts_with(b"BEGIN ")
}

/// `<header>.<payload>.<signature>`, with a header that names an algorithm (RFC 7515).
fn is_jwt(bytes: &[u8], at: usize) -> bool {
    let is_base64url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let segment = |from: usize| bytes[from..].iter().take_while(|byte| is_base64url(byte)).count();
    let header = segment(at);
    let payload = at + header + 1;
    if bytes.get(payload - 1) != Some(&b'.') {
        return false;
    }
    let signature = payload + segment(payload);
    let names_algorithm = |json: Vec<u8>| memchr::memmem::find(&json, b"\"alg\"").is_some();
    signature > payload
        && bytes.get(signature) == Some(&b'.')
        && URL_SAFE_NO_PAD
            .decode(&bytes[at..at + header])
            .is_ok_and(names_algorithm)
}

/// The prefix and at least half of the 58 characters that follow it: documentation may show less.
fn is_age_key(bytes: &[u8], at: usize) -> bool {
    let key = &bytes[at + AGE_PREFIX.len()..];
    key.iter()
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        .count()
        >= 29
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Option<(usize, Kind)> {
        scan(&TreePath::new("a/b").unwrap(), text.as_bytes()).map(|leak| (leak.line, leak.kind))
    }

    /// Put together here, so that this file passes its own scan.
    fn pem(label: &str) -> String {
        format!("-----BEGIN {label}-----\nMHcCAQEEIA==\n-----END {label}-----\n")
    }

    fn jwt() -> String {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        format!(
            "{}.{}.c2ln",
            part(r#"{"typ":"JWT","alg":"RS256"}"#),
            part(r#"{"sub":"system:serviceaccount:a:b"}"#)
        )
    }

    #[test]
    fn private_keys_of_any_type_are_found() {
        for label in [
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "EC PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        ] {
            assert_eq!(
                found(&format!("a: 1\nkey: |\n  {}", pem(label))),
                Some((3, Kind::PrivateKey)),
                "{label}"
            );
        }
        assert_eq!(
            found(&pem("EC PRIVATE KEY").replace('\n', "\\n")),
            Some((1, Kind::PrivateKey))
        );
    }

    #[test]
    fn public_material_is_not() {
        let public = [
            pem("CERTIFICATE"),
            pem("PUBLIC KEY"),
            STANDARD.encode(pem("CERTIFICATE")),
        ];
        let prose = [
            "a PRIVATE KEY is needed",
            "grep -q 'BEGIN PRIVATE KEY'",
            "AGE-SECRET-KEY-1…",
            "AGE-SECRET-KEY-1QQQ",
            "eyJhIjoxfQ==",
            "eyJ.a.b",
        ];
        for text in public.iter().map(String::as_str).chain(prose) {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn tokens_and_age_keys_are_found() {
        assert_eq!(found(&format!("a\nb: \"{}\"\n", jwt())), Some((2, Kind::Jwt)));
        assert_eq!(
            found(&format!("# key\n{AGE_PREFIX}{}", "Q7".repeat(29))),
            Some((2, Kind::AgeKey))
        );
    }

    #[test]
    fn the_first_of_several_is_named_and_no_message_shows_a_secret() {
        let leak = scan(
            &TreePath::new("a/b").unwrap(),
            format!("{}\n{}", jwt(), pem("PRIVATE KEY")).as_bytes(),
        )
        .unwrap();
        assert_eq!(leak.kind, Kind::Jwt);
        let shown = format!("{leak:?}");
        let problem = Problem::from(leak);
        assert_eq!(
            problem.message,
            "`a/b` would hold a JSON Web Token in the clear, on line 1"
        );
        assert!(!shown.contains(&jwt()[..20]) && !format!("{problem:?}").contains(&jwt()[..20]));
    }

    proptest! {
        #[test]
        fn a_private_key_is_found_wherever_it_stands_in_base64(before: Vec<u8>, after: Vec<u8>) {
            let text = STANDARD.encode([before.as_slice(), pem("RSA PRIVATE KEY").as_bytes(), &after].concat());
            prop_assert_eq!(found(&text), Some((1, Kind::EncodedPrivateKey)));
        }

        #[test]
        fn any_bytes_can_be_scanned(bytes: Vec<u8>, at in 0usize..64) {
            for mark in ["PRIVATE KEY", "eyJ", AGE_PREFIX, "client-key-data:", "token:", "kind: Secret", "-----BEGIN "] {
                let (before, after) = bytes.split_at(at.min(bytes.len()));
                let _ = scan(&TreePath::new("a").unwrap(), &[before, mark.as_bytes(), after].concat());
            }
        }
    }
}
