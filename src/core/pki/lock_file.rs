//! The lock as text: `root-cert.pem` and one `<cluster>.json` per cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::certificate::{Certificate, bundle};
use super::identity::Identity;
use super::lock::{ClusterLock, Lock, Minted, Sealed};
use super::names::{DataKey, SecretId};
use super::subject::Subject;
use crate::core::name::ClusterName;
use crate::core::problem::{Problem, Problems};
use crate::core::source::{Place, Source};

const ROOTS: &str = "root-cert.pem";

/// `<cluster>.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterFile {
    /// The cluster's own name, so that a copied or renamed file is noticed.
    cluster: String,
    certificates: BTreeMap<String, CertificateEntry>,
    secrets: BTreeMap<String, SecretEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateEntry {
    identity: Identity,
    certificate: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretEntry {
    identity: Identity,
    data: BTreeMap<String, String>,
}

impl Lock {
    /// Whether the lock's directory has this file for certificates and ciphertext: `root-cert.pem` and `<cluster>.json`.
    pub fn owns(file_name: &str) -> bool {
        file_name == ROOTS || cluster_of(file_name).is_some()
    }

    /// Reads the files of a lock, each with its name in the lock's directory. Files that a lock does not own are passed over.
    ///
    /// # Errors
    /// Every file that cannot be read, with its place.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, Arc<Source>)>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut lock = Self::default();
        for (file_name, source) in files {
            if file_name == ROOTS {
                let roots = read_roots(&source.text).map_err(|reason| unreadable(&source, &reason).into());
                lock.roots = problems.take(roots).unwrap_or_default();
            } else if let Some(cluster) = cluster_of(file_name) {
                let parsed = parse_cluster(&cluster, &source);
                lock.clusters
                    .extend(problems.take(parsed).map(|entry| (cluster, entry)));
            }
        }
        problems.or(lock)
    }

    /// The files of the lock: name to text. Sorted, indented, with a final newline, so that diffs are small.
    pub fn files(&self) -> BTreeMap<String, String> {
        let roots = (!self.roots.is_empty()).then(|| (ROOTS.to_owned(), bundle(&self.roots)));
        let clusters = self
            .clusters
            .iter()
            .map(|(name, lock)| (format!("{name}.json"), cluster_text(name, lock)));
        roots.into_iter().chain(clusters).collect()
    }
}

fn cluster_of(file_name: &str) -> Option<ClusterName> {
    ClusterName::new(file_name.strip_suffix(".json")?).ok()
}

fn read_roots(text: &str) -> Result<Vec<Certificate>, String> {
    let roots = Certificate::parse_all(text)?;
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(roots)
}

fn parse_cluster(name: &ClusterName, source: &Arc<Source>) -> Result<ClusterLock, Problems> {
    let file: ClusterFile = serde_json::from_str(&source.text).map_err(|error| not_json(source, &error))?;
    if file.cluster != name.as_str() {
        let reason = format!(
            "the file is that of cluster `{}`, but its name says `{name}`",
            file.cluster
        );
        return Err(unreadable(source, &reason).into());
    }
    read_cluster(file).map_err(|reason| unreadable(source, &reason).into())
}

fn read_cluster(file: ClusterFile) -> Result<ClusterLock, String> {
    let certificates = file
        .certificates
        .into_iter()
        .map(read_certificate)
        .collect::<Result<_, _>>()?;
    let secrets = file.secrets.into_iter().map(read_secret).collect::<Result<_, _>>()?;
    Ok(ClusterLock { certificates, secrets })
}

fn read_certificate((key, entry): (String, CertificateEntry)) -> Result<(Subject, Minted), String> {
    let subject = Subject::parse(&key).ok_or_else(|| format!("`{key}` is not a certificate that a lock knows"))?;
    let certificate = Certificate::parse(&entry.certificate).map_err(|reason| format!("`{key}`: {reason}"))?;
    Ok((
        subject,
        Minted {
            identity: entry.identity,
            certificate,
        },
    ))
}

fn read_secret((key, entry): (String, SecretEntry)) -> Result<(SecretId, Sealed), String> {
    let id =
        SecretId::parse(&key).ok_or_else(|| format!("`{key}` is not an instance and a Secret, joined with `/`"))?;
    let read = |(key, value): (String, String)| Ok::<_, String>((DataKey::new(&key)?, value));
    let data = entry.data.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok((
        id,
        Sealed {
            identity: entry.identity,
            data,
        },
    ))
}

fn cluster_text(name: &ClusterName, lock: &ClusterLock) -> String {
    let certificates = lock.certificates.iter().map(|(subject, minted)| {
        let certificate = minted.certificate.pem().to_owned();
        (
            subject.key(),
            CertificateEntry {
                identity: minted.identity.clone(),
                certificate,
            },
        )
    });
    let secrets = lock.secrets.iter().map(|(id, sealed)| {
        let data = sealed
            .data
            .iter()
            .map(|(key, value)| (key.to_string(), value.clone()))
            .collect();
        (
            id.to_string(),
            SecretEntry {
                identity: sealed.identity.clone(),
                data,
            },
        )
    });
    let file = ClusterFile {
        cluster: name.to_string(),
        certificates: certificates.collect(),
        secrets: secrets.collect(),
    };
    // Strings and string-keyed maps only: serialization has nothing to fail on.
    serde_json::to_string_pretty(&file)
        .map(|text| text + "\n")
        .unwrap_or_default()
}

fn unreadable(source: &Arc<Source>, reason: &str) -> Problem {
    Problem::at(Place::file(source), format!("the lock cannot be read: {reason}")).help(RESTORE)
}

fn not_json(source: &Arc<Source>, error: &serde_json::Error) -> Problem {
    let lines = source
        .text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len);
    let at = (lines.sum::<usize>() + error.column().saturating_sub(1)).min(source.text.len());
    let at = (0..=at).rev().find(|at| source.text.is_char_boundary(*at)).unwrap_or(0);
    Problem::at(
        Place::bytes(source, at..at),
        format!("the lock cannot be read: {error}"),
    )
    .help(RESTORE)
}

const RESTORE: &str = "people do not edit this file: restore it from Git; or delete it, and `meshlab render` mints its certificates \
    anew from the keys in the keystore";

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(file_name: &str, text: &str) -> String {
        let problems = Lock::parse([(file_name, Source::new(file_name, text))]).unwrap_err();
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn damaged_files_are_refused() {
        for (file_name, text, says) in [
            ("pasta-1.json", "<<<<<<< HEAD\n", "expected value at line 1"),
            ("pasta-1.json", "", "EOF"),
            (
                "pasta-1.json",
                r#"{"cluster": "pasta-2", "certificates": {}, "secrets": {}}"#,
                "its name says `pasta-1`",
            ),
            (
                "pasta-1.json",
                r#"{"cluster": "pasta-1", "certificates": {}, "secrets": {}, "x": 1}"#,
                "unknown field `x`",
            ),
            (
                "pasta-1.json",
                r#"{"cluster": "pasta-1", "certificates": {"root": {"identity": "", "certificate": ""}}, "secrets": {}}"#,
                "`root` is not a certificate",
            ),
            (
                "pasta-1.json",
                r#"{"cluster": "pasta-1", "certificates": {"mesh": {"identity": "", "certificate": ""}}, "secrets": {}}"#,
                "exactly one certificate, not 0",
            ),
            (
                "root-cert.pem",
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "a PRIVATE KEY",
            ),
            (
                "root-cert.pem",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "not an X.509 certificate",
            ),
        ] {
            let refusal = refusal(file_name, text);
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
    }

    #[test]
    fn only_its_own_names_are_read() {
        for (name, owned) in [
            ("root-cert.pem", true),
            ("pasta-1.json", true),
            ("allocations.yaml", false),
            ("A.json", false),
        ] {
            assert_eq!(Lock::owns(name), owned, "{name}");
        }
    }
}
