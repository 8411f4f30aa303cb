//! `meshlab up`: from a rendered tree to a running lab.

use std::path::{Path, PathBuf};

use super::materials::Materials;
use super::session::{Common, Session, Work};
use super::{Code, Failure, Printer};
use crate::core::runner::seed::Credentials;
use crate::core::runner::{Options, up};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Enter the clusters into your own kubeconfig too (the first file of KUBECONFIG, or ~/.kube/config)
    #[arg(long, conflicts_with = "only")]
    merge_kubeconfig: bool,
    /// Private keys of the lab; `.meshlab/<lab>` if absent
    #[arg(long, value_name = "DIR", env = "MESHLAB_KEYSTORE")]
    keystore: Option<PathBuf>,
    /// How Argo CD reads a private repository: a file with a private key (ssh://, git@…), or with a user in the first line and a password
    /// or token in the second (https://)
    #[arg(long, value_name = "FILE", env = "MESHLAB_GIT_CREDENTIALS")]
    git_credentials: Option<PathBuf>,
    /// Act although the private keys are public: for a demonstration that nobody else can reach
    #[arg(long)]
    demo_keys: bool,
}

pub(super) fn run(directory: Option<&Path>, arguments: &Arguments, printer: &Printer) -> Result<Code, Failure> {
    let common = &arguments.common;
    let session = Session::open(directory, common.lab(), arguments.keystore.as_deref())?;
    let options = Options {
        merge_kubeconfig: if arguments.merge_kubeconfig {
            Some(users_kubeconfig()?)
        } else {
            None
        },
        repository: credentials(&session, arguments)?,
        ..Options::default()
    };
    let graph = session.choose(up(session.context(&options))?, common)?;
    if common.is_dry_run() {
        return session.run(&Work::without_keys("up", graph), common, printer);
    }
    session.check_tree()?;
    let materials = Materials {
        keystore: session.keystore(arguments.demo_keys)?,
        repository: arguments.git_credentials.clone(),
    };
    let work = Work {
        command: "up",
        graph,
        materials: &|name| materials.tell(name),
    };
    session.run(&work, common, printer)
}

/// The credentials that the user named; a served repository needs none.
fn credentials(session: &Session, arguments: &Arguments) -> Result<Option<Credentials>, Failure> {
    let Some(file) = &arguments.git_credentials else {
        return Ok(None);
    };
    let git = &session.lab.git;
    if git.serve {
        let why = "this lab's repository is served by `up` itself, without credentials\n  = help: leave out --git-credentials";
        return Err(Failure::Refused(why.to_owned()));
    }
    let file = std::path::absolute(file).map_err(anyhow::Error::new)?;
    Ok(Some(Credentials::of(&git.repo_url, &file.display().to_string())))
}

/// The file into which `kubectl config` writes.
fn users_kubeconfig() -> Result<String, Failure> {
    let listed = std::env::var("KUBECONFIG").unwrap_or_default();
    if let Some(first) = listed.split(':').find(|file| !file.is_empty()) {
        return Ok(first.to_owned());
    }
    match std::env::var("HOME") {
        Ok(home) if !home.is_empty() => Ok(format!("{home}/.kube/config")),
        _ => Err(Failure::Refused(
            "there is no KUBECONFIG and no HOME, so nobody knows your own kubeconfig\n  = help: set KUBECONFIG"
                .to_owned(),
        )),
    }
}
