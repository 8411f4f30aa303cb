//! What `sync` asks Argo CD's command line, and what its answers mean.

use std::collections::{BTreeMap, BTreeSet};

use super::selection::Selection;
use crate::core::shell;
use crate::core::value::Value;

/// Arguments of `argocd`. Core mode: it talks to Kubernetes with the rights of the kubeconfig, so nobody need log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call(pub Vec<String>);

impl Call {
    fn new<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self(["app"].into_iter().chain(arguments).map(str::to_owned).collect())
    }

    /// As a shell reads it, with the kubeconfig that tells where Argo CD is.
    pub fn line(&self, kubeconfig: &str) -> String {
        let words: Vec<String> = self.0.iter().map(|word| shell::word(word)).collect();
        format!("KUBECONFIG={} argocd {}", shell::word(kubeconfig), words.join(" "))
    }
}

/// The Applications that Argo CD has under a selector, as JSON.
pub fn list(selection: &Selection) -> Call {
    Call::new(["list", "--core", "--selector", &selection.selector, "--output=json"])
}

/// Starts the syncs. It stops at the first that cannot be started.
pub fn start(selection: &Selection) -> Call {
    Call::new(["sync", "--core", "--selector", &selection.selector, "--async"])
}

/// Starts one sync.
pub fn start_one(application: &str) -> Call {
    Call::new(["sync", application, "--core", "--async"])
}

/// Waits for the end of operations, whatever that is.
pub fn ends(selection: &Selection, seconds: u64) -> Call {
    let timeout = seconds.to_string();
    Call::new([
        "wait",
        "--core",
        "--selector",
        &selection.selector,
        "--operation",
        "--timeout",
        &timeout,
    ])
}

/// Waits for health. It gives up at the first resource that is Degraded, which a new one may be for a moment.
pub fn health(selection: &Selection, seconds: u64) -> Call {
    let timeout = seconds.to_string();
    Call::new([
        "wait",
        "--core",
        "--selector",
        &selection.selector,
        "--health",
        "--timeout",
        &timeout,
    ])
}

/// Whether a refusal only says that somebody else was faster.
pub fn runs_already(said: &str) -> bool {
    said.contains("another operation is already in progress")
}

/// What a list says of the Applications that are meant.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Meant, but not there.
    pub missing: Vec<String>,
    /// There, but not meant: the selector syncs them too.
    pub strangers: Vec<String>,
    /// Whose last operation did not succeed, with what it said.
    pub failed: BTreeMap<String, String>,
    /// Whose operation still runs.
    pub running: Vec<String>,
    /// That are not healthy, with what they are.
    pub unhealthy: BTreeMap<String, String>,
}

/// Reads the answer to [`list`].
pub fn read(selection: &Selection, list: &Value) -> Seen {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found: BTreeMap<String, &Value> = list
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (text(&one["metadata"]["name"]), one))
        .collect();
    let meant: BTreeSet<&String> = selection.applications.iter().collect();
    let mut seen = Seen {
        missing: meant
            .iter()
            .filter(|name| !found.contains_key(**name))
            .map(|name| (*name).clone())
            .collect(),
        strangers: found.keys().filter(|name| !meant.contains(name)).cloned().collect(),
        ..Seen::default()
    };
    for (name, application) in found.into_iter().filter(|(name, _)| meant.contains(name)) {
        let (operation, health) = (
            &application["status"]["operationState"],
            &application["status"]["health"]["status"],
        );
        match operation["phase"].as_str() {
            Some("Succeeded") => {}
            Some("Running" | "Terminating") => seen.running.push(name.clone()),
            Some(phase) => {
                let said = text(&operation["message"]);
                seen.failed.insert(
                    name.clone(),
                    format!("{phase}: {}", said.lines().next().unwrap_or_default()),
                );
            }
            None => drop(seen.failed.insert(name.clone(), "it was never synced".to_owned())),
        }
        if health != "Healthy" {
            let health = if health.is_string() {
                text(health)
            } else {
                "Unknown".to_owned()
            };
            seen.unhealthy.insert(name, health);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selection() -> Selection {
        Selection {
            selector: "name in (x,y)".to_owned(),
            applications: ["a-x", "a-y", "b-x"].map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn a_shell_can_read_what_is_called() {
        let line = start(&selection()).line(".meshlab/lab.run/argocd.kubeconfig");
        assert_eq!(
            line,
            "KUBECONFIG=.meshlab/lab.run/argocd.kubeconfig argocd app sync --core --selector 'name in (x,y)' --async"
        );
    }

    #[test]
    fn a_partial_match_does_not_pass() {
        let application = |name: &str, phase: &str, health: &str| {
            json!({"metadata": {"name": name}, "status": {
                "operationState": {"phase": phase, "message": "one\ntwo"}, "health": {"status": health}}})
        };
        let list = json!([
            application("a-x", "Succeeded", "Healthy"),
            application("b-x", "Failed", "Degraded"),
            application("c-x", "Failed", "Missing")
        ]);
        let seen = read(&selection(), &list);
        assert_eq!(seen.missing, ["a-y"]);
        assert_eq!(seen.strangers, ["c-x"]);
        assert_eq!(seen.failed["b-x"], "Failed: one");
        assert_eq!(seen.unhealthy["b-x"], "Degraded");
        assert_eq!((seen.failed.len(), seen.unhealthy.len()), (1, 1));
    }
}
