//! Secrets that steps ask for by name: from the keystore, or from a file that the user named.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::core::name::ClusterName;
use crate::core::pki::{Slot, Subject};
use crate::core::runner::seed;
use crate::edge::keystore::Keystore;
use crate::edge::mint::pkcs1_pem;
use crate::edge::secret::Secret;
use crate::edge::tool;

/// Where secrets come from.
pub(super) struct Materials {
    pub(super) keystore: Keystore,
    /// The user's credentials of a private repository.
    pub(super) repository: Option<PathBuf>,
}

impl Materials {
    /// A secret in base64, by the name that steps call it.
    pub(super) fn tell(&self, name: &str) -> Result<Secret> {
        if let Some(cluster) = name.strip_prefix(seed::SEALING_MATERIAL) {
            return self.sealing_key(cluster);
        }
        match (name.strip_prefix(seed::REPOSITORY_MATERIAL), &self.repository) {
            (Some(part), Some(file)) => repository(part, file),
            _ => bail!("nobody knows the secret `{name}`"),
        }
    }

    fn sealing_key(&self, cluster: &str) -> Result<Secret> {
        let cluster = ClusterName::new(cluster).map_err(anyhow::Error::msg)?;
        let slot = Slot::Cluster(cluster, Subject::Sealing);
        let key = self.keystore.read(&slot)?;
        let Some(key) = key else {
            bail!("{} has no {}", self.keystore.dir().display(), slot.path());
        };
        let key = pkcs1_pem(&key).map_err(|why| anyhow::anyhow!("{}: {why}", slot.path()))?;
        Ok(encoded(&key))
    }
}

/// A line of the file (`1`: the user, `2`: the password), or all of it (`key`).
fn repository(part: &str, file: &Path) -> Result<Secret> {
    let text = tool::read_secret(file).with_context(|| format!("cannot read {}", file.display()))?;
    let Ok(line) = part.parse::<usize>() else {
        return Ok(encoded(&text));
    };
    let wanted = text.reveal().lines().nth(line - 1).filter(|line| !line.is_empty());
    let wanted = wanted.with_context(|| {
        format!(
            "{} has no line {line}: a user is in the first, a password or token in the second",
            file.display()
        )
    })?;
    Ok(encoded(&Secret::from(wanted.to_owned())))
}

fn encoded(secret: &Secret) -> Secret {
    Secret::from(BASE64_STANDARD.encode(secret.reveal()))
}
