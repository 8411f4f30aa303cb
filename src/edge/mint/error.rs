//! Why a lock could not be completed.

use std::fmt;

use time::OffsetDateTime;

use crate::core::pki::{Fingerprint, Lack, Slot, Unmet};
use crate::core::problem::{Problem, Problems};

/// Why a lock could not be completed. Nothing was changed.
#[derive(Debug)]
pub enum CompleteError {
    /// The lock lacks this, and without the keystore it cannot be made (exit code 1).
    NoKeystore(Vec<Lack>),
    /// The wants, the lock and the keystore contradict each other (exit code 2).
    Refused(Vec<Refusal>),
    /// Reading the keystore or the cryptography failed (exit code 3).
    Failed(anyhow::Error),
}

/// A contradiction that only a person can solve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A want that nothing can satisfy.
    Unmet(Unmet),
    /// The keystore's root is none of the lock's.
    OtherRoot {
        /// The roots of the lock.
        lock: Vec<Fingerprint>,
        /// The root of the keystore, if the keystore has its certificate.
        keystore: Option<Fingerprint>,
    },
    /// The keystore has no key for the root of the lab.
    NoRoot,
    /// The key of the keystore is not that of the lock's certificate.
    WrongKey {
        /// Where the key is.
        slot: Slot,
        /// The certificate in the lock.
        certificate: Fingerprint,
    },
    /// The lock was made with a value that the keystore does not have.
    Lost(Slot),
    /// The file does not hold a private key.
    NotAKey {
        /// Where it is.
        slot: Slot,
        /// What is wrong with it.
        reason: String,
    },
    /// The kept password is not as long as the component now wants it.
    Length {
        /// Where it is.
        slot: Slot,
        /// Characters it has.
        kept: usize,
        /// Characters it should have.
        wanted: u16,
    },
    /// The authority that should issue something has expired.
    Expired {
        /// Where its key is.
        slot: Slot,
        /// The last second of its life.
        not_after: OffsetDateTime,
    },
}

/// One trouble of one thread.
#[derive(Debug)]
pub(super) enum Trouble {
    Refused(Refusal),
    Failed(anyhow::Error),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<rcgen::Error> for Trouble {
    fn from(error: rcgen::Error) -> Self {
        Self::Failed(anyhow::Error::new(error).context("a certificate could not be made"))
    }
}

impl From<aws_lc_rs::error::Unspecified> for Trouble {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Failed(anyhow::anyhow!("the cryptographic library failed"))
    }
}

/// All refusals, each once; if there is none, the first failure.
pub(super) fn sort(troubles: impl IntoIterator<Item = Trouble>) -> CompleteError {
    let mut refusals = Vec::new();
    let mut failure = None;
    for trouble in troubles {
        match trouble {
            Trouble::Refused(refusal) if refusals.contains(&refusal) => {}
            Trouble::Refused(refusal) => refusals.push(refusal),
            Trouble::Failed(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(error) if refusals.is_empty() => CompleteError::Failed(error),
        _ => CompleteError::Refused(refusals),
    }
}

impl CompleteError {
    /// What was made is not what was wanted: a defect of this program, caught before anything is written.
    pub(super) fn unfinished(lacks: &[Lack]) -> Self {
        let lacks: Vec<String> = lacks.iter().map(Lack::to_string).collect();
        Self::Failed(anyhow::anyhow!(
            "the lock is still incomplete after minting ({}): please report this",
            lacks.join("; ")
        ))
    }

    /// The problems for people. `keystore` and `lock` are the two directories as people know them.
    pub fn problems(&self, keystore: &str, lock: &str) -> Problems {
        match self {
            Self::NoKeystore(lacks) => no_keystore(lacks, keystore, lock).into(),
            Self::Refused(refusals) => refusals.iter().map(|refusal| refusal.problem(keystore, lock)).collect(),
            Self::Failed(error) => Problem::new(format!("{error:#}")).into(),
        }
    }
}

/// Names the first few lacks: a new cell of a fleet lacks thousands.
fn no_keystore(lacks: &[Lack], keystore: &str, lock: &str) -> Problem {
    const SHOWN: usize = 8;
    let mut named: Vec<String> = lacks.iter().take(SHOWN).map(Lack::to_string).collect();
    if lacks.len() > SHOWN {
        named.push(format!("and {} more", lacks.len() - SHOWN));
    }
    Problem::new(format!("{lock} is incomplete: {}", named.join("; "))).help(format!(
        "making this needs the lab's private keys, and there is no keystore at {keystore}: run `meshlab render --keystore DIR` \
         where the keystore is, and commit {lock}"
    ))
}

impl fmt::Display for CompleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems("the default place", "the lock").report(false))
    }
}

impl std::error::Error for CompleteError {}

impl Refusal {
    fn problem(&self, keystore: &str, lock: &str) -> Problem {
        let mint_anew = format!("delete its entry from {lock}, and meshlab makes a new one");
        match self {
            Self::Unmet(unmet) => Problem::new(unmet.to_string()),
            Self::OtherRoot {
                lock: roots,
                keystore: other,
            } => other_root(roots, other.as_ref(), keystore, lock),
            Self::NoRoot => {
                Problem::new(format!("the keystore {keystore} has no root key ({})", Slot::Root)).help(format!(
                    "name the keystore that belongs to {lock} with --keystore, or restore the file from its backup"
                ))
            }
            Self::WrongKey { slot, certificate } => Problem::new(format!(
                "{keystore}/{slot} is not the key of the certificate {certificate} in {lock}"
            ))
            .help(format!(
                "name the keystore that belongs to this lock with --keystore; or, if that key is lost, {mint_anew}"
            )),
            Self::Lost(slot) => Problem::new(format!("{lock} was made with {slot}, which {keystore} does not have"))
                .help(format!(
                    "restore the file from its backup; or, if it is lost, {mint_anew}"
                )),
            Self::NotAKey { slot, reason } => Problem::new(format!("{keystore}/{slot} is not a private key: {reason}"))
                .help("restore the file from its backup"),
            Self::Length { slot, kept, wanted } => Problem::new(format!(
                "{keystore}/{slot} has {kept} characters; the component now wants {wanted}"
            ))
            .help("set the length back to keep the value; or delete the file, and a new value is made and sealed"),
            Self::Expired { slot, not_after } => {
                let date = not_after.date();
                Problem::new(format!(
                    "the authority of {keystore}/{slot} expired on {date} and can issue nothing any more"
                ))
                .help("replace the authority before anything new is minted")
            }
        }
    }
}

fn other_root(roots: &[Fingerprint], other: Option<&Fingerprint>, keystore: &str, lock: &str) -> Problem {
    let roots: Vec<String> = roots.iter().map(Fingerprint::to_string).collect();
    let other = other.map_or_else(|| format!("the key {}", Slot::Root), Fingerprint::to_string);
    Problem::new(format!(
        "the lock and the keystore have different roots: {lock} has {}, {keystore} has {other}",
        roots.join(" and ")
    ))
    .help(format!(
        "choose one: (1) name the keystore that belongs to this lock with --keystore DIR; (2) if its keys are lost or the lab \
         shall start anew on the keystore's root, delete root-cert.pem and the <cluster>.json files from {lock} (keep \
         allocations.yaml) and render: every cluster gets new certificates; (3) to only read this lab, render with the lock as \
         it is, without changing what it needs"
    ))
}
