//! Credentials of a private repository, which reach Argo CD at run time and never through Git.

use super::{ARGO_CD, Context, Step, apply_content};
use crate::core::runner::step::Content;
use crate::core::shell;

/// The step after which Argo CD can read the repository.
pub(super) const ID: &str = "seed/repository";

/// What the command layer is asked for: `key` is the whole file, a number a line of it; in base64.
pub const MATERIAL: &str = "repository/";

/// How Argo CD proves who it is to the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The file.
    pub file: String,
    /// Whether it is a private key for SSH; else its first line is a user and its second a password or token.
    pub is_key: bool,
}

impl Credentials {
    /// Those of a repository: keys for SSH, a user and a password for everything else.
    pub fn of(repo_url: &str, file: &str) -> Self {
        Self {
            file: file.to_owned(),
            is_key: repo_url.starts_with("ssh://") || !repo_url.contains("://"),
        }
    }

    /// What the command layer is asked for, with the command that prints the same.
    fn materials(&self) -> Vec<(&'static str, String, String)> {
        let file = shell::word(&self.file);
        let line = |number: u8| format!("sed -n {number}p {file} | tr -d '\\n' | base64 | tr -d '\\n'");
        if self.is_key {
            let key = format!("base64 {file} | tr -d '\\n'");
            return vec![("sshPrivateKey", format!("{MATERIAL}key"), key)];
        }
        vec![
            ("username", format!("{MATERIAL}1"), line(1)),
            ("password", format!("{MATERIAL}2"), line(2)),
        ]
    }
}

/// The Secret that Argo CD reads; it is written whenever credentials are given, which may be new ones.
pub(super) fn steps(context: Context<'_>) -> Option<Step> {
    let credentials = context.options.repository.as_ref()?;
    let manager = context.lab.manager();
    let mut secret = Content::new().text(format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: repository-{}\n  namespace: {ARGO_CD}\n  labels: {{argocd.argoproj.io/secret-type: repository}}\nstringData:\n  type: git\n  url: {}\ndata:\n",
        context.lab.name, context.lab.git.repo_url
    ));
    for (key, name, shell) in credentials.materials() {
        secret = secret.text(format!("  {key}: ")).material(name, shell).text("\n");
    }
    Some(
        Step::new(ID, "give Argo CD the repository's credentials")
            .of(&manager.name)
            .needs(super::argo_cd::READY)
            .run(apply_content(context.paths, &manager.name, secret)),
    )
}
