//! `sync`, `status` and `doctor`: what people ask a lab every day.

use std::fs;

use serde_json::{Value, json};

use super::labs::Lab;

/// A lab that is up, and whose Applications are as the list says.
fn up() -> Lab {
    let lab = Lab::existing();
    lab.run("up").succeeds();
    lab
}

/// Every Application of the lab, as Argo CD tells of it.
fn applications(lab: &Lab) -> Vec<Value> {
    let apps = lab.run("apps --format json").succeeds();
    let apps: Vec<Value> = serde_json::from_str(&apps.stdout).unwrap();
    let status = json!({"sync": {"status": "Synced"}, "health": {"status": "Healthy"}, "operationState": {"phase": "Succeeded"}});
    let with = |mut app: Value| {
        app["status"] = status.clone();
        app
    };
    apps.into_iter().map(with).collect()
}

/// What `argocd app list` answers, and what `kubectl get applications` does.
fn tell(lab: &Lab, applications: &[Value]) {
    fs::write(lab.world().join("applications.json"), json!(applications).to_string()).unwrap();
    let list = json!({"items": applications});
    fs::write(lab.world().join("kubernetes-applications.json"), list.to_string()).unwrap();
}

fn of<'a>(applications: &'a [Value], pattern: &str) -> Vec<&'a Value> {
    let matches = |app: &&Value| app["metadata"]["labels"]["name"].as_str().unwrap().starts_with(pattern);
    applications.iter().filter(matches).collect()
}

fn calls(lab: &Lab) -> Vec<String> {
    let calls = lab.noted("calls").into_iter();
    calls.filter(|call| call.starts_with("argocd app")).collect()
}

#[test]
fn a_pattern_becomes_a_selector() {
    let lab = up();
    let all = applications(&lab);
    let chosen: Vec<Value> = of(&all, "istio-").into_iter().cloned().collect();
    assert!(chosen.len() > 3);
    tell(&lab, &chosen);
    lab.run("sync istio-*")
        .succeeds()
        .says(&format!("{} Applications: sync started", chosen.len()));
    let [list, sync] = &calls(&lab)[..] else {
        panic!("{:#?}", calls(&lab));
    };
    assert!(
        list.starts_with("argocd app list --core --selector name in (istio-base,istio-cacerts,"),
        "{list}"
    );
    assert!(
        sync.starts_with("argocd app sync --core --selector name in (istio-base,"),
        "{sync}"
    );
    assert!(sync.ends_with(") --async"), "{sync}");
    lab.run("sync istio-* --cell cell --cluster one --wait")
        .succeeds()
        .says("synced and healthy");
    let calls = calls(&lab);
    assert!(calls[3].contains(",cell=cell,cluster=one --async"), "{calls:#?}");
    assert!(
        calls[4].contains("--operation --timeout ") && calls[5].ends_with("--health --timeout 60"),
        "{calls:#?}"
    );
    lab.understood();
}

#[test]
fn a_partial_match_does_not_pass() {
    let lab = up();
    let all = applications(&lab);
    let mut chosen: Vec<Value> = of(&all, "istio-").into_iter().cloned().collect();
    let missing = chosen.pop().unwrap();
    tell(&lab, &chosen);
    let run = lab.run("sync istio-*").exits(1);
    run.says(missing["metadata"]["name"].as_str().unwrap())
        .says("nothing was synced");
    assert_eq!(calls(&lab).len(), 1, "it only looked");
}

#[test]
fn no_match_is_an_error_before_anybody_is_asked() {
    let lab = up();
    lab.run("sync istio-istoid")
        .exits(2)
        .says("did you mean `istio-istiod`?");
    lab.run("sync istio-* --cell soup")
        .exits(2)
        .says("no cell of the lab matches `soup`");
    lab.run("sync argo-cd --cluster one")
        .exits(2)
        .says("nothing that `argo-cd` matches is in the chosen cells and clusters");
    assert_eq!(calls(&lab), [] as [String; 0]);
}

#[test]
fn one_that_cannot_be_started_does_not_stop_the_others() {
    let lab = up();
    let all = applications(&lab);
    let chosen: Vec<Value> = of(&all, "istio-").into_iter().cloned().collect();
    tell(&lab, &chosen);
    // Somebody else syncs it already: that is as good.
    fs::write(lab.world().join("busy"), "one-istio-base\n").unwrap();
    lab.run("sync istio-*").succeeds();
    let started = lab
        .noted("effects")
        .iter()
        .filter(|effect| effect.starts_with("argocd sync one-"))
        .count();
    assert_eq!(started, chosen.len() - 1);
}

#[test]
fn a_sync_that_fails_is_told() {
    let lab = up();
    let mut all = applications(&lab);
    for app in &mut all {
        match app["metadata"]["name"].as_str().unwrap() {
            "one-istio-base" => {
                app["status"]["operationState"] = json!({"phase": "Failed", "message": "no such chart\nmore"});
            }
            "one-istio-cni" => app["status"]["health"] = json!({"status": "Progressing"}),
            _ => {}
        }
    }
    let chosen: Vec<Value> = of(&all, "istio-").into_iter().cloned().collect();
    tell(&lab, &chosen);
    let run = lab.run("sync istio-* --wait --timeout 1").exits(1);
    run.says("one-istio-base: the sync did not succeed: Failed: no such chart")
        .says("one-istio-cni: not healthy: Progressing");
}

#[test]
fn a_lab_that_is_not_up_says_so() {
    let lab = Lab::existing();
    lab.run("sync istio-*").exits(3).says("`meshlab up lab` makes it");
    let dry = lab.run("sync istio-* --dry-run").succeeds();
    dry.prints("KUBECONFIG=.meshlab/lab.run/argocd.kubeconfig argocd app sync --core --selector 'name in (");
    lab.run("status").exits(1).prints("`meshlab up` makes it");
}

#[test]
fn status_is_well_when_all_is() {
    let lab = up();
    let all = applications(&lab);
    tell(&lab, &all);
    let run = lab.run("status").succeeds();
    let row = run.stdout.lines().find(|line| line.starts_with("one ")).unwrap();
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words[..4], ["one", "cell", "-", "v1.33.4"], "{row}");
    let (synced, expected) = words[4].split_once('/').unwrap();
    assert_eq!(synced, expected);
    assert!(
        run.stdout.starts_with("lab lab: well; its root has 36"),
        "{}",
        run.stdout
    );
    lab.understood();
}

#[test]
fn status_names_what_is_not_well() {
    let lab = up();
    let mut all = applications(&lab);
    all.pop();
    all[0]["status"]["sync"]["status"] = "OutOfSync".into();
    tell(&lab, &all);
    let run = lab.run("status --format json").exits(1);
    let reports: Value = serde_json::from_str(&run.stdout).unwrap();
    let problems: Vec<&str> = reports[0]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(
        problems.iter().any(|problem| problem.ends_with(": OutOfSync, Healthy")),
        "{problems:#?}"
    );
    assert!(
        problems
            .iter()
            .any(|problem| problem.ends_with(": there is no such Application yet")),
        "{problems:#?}"
    );
    assert_eq!(reports[0]["well"], false);
}

#[test]
fn status_knows_machines() {
    let lab = Lab::multipass();
    lab.run("up").succeeds();
    tell(&lab, &applications(&lab));
    lab.run("status").succeeds().prints("Running");
    lab.run("suspend --only two").succeeds();
    let run = lab.run("status").exits(1).prints("two: its machine is Suspended");
    run.prints("two: its API server does not answer:");
}

#[test]
fn doctor_looks_for_what_the_lab_needs() {
    let lab = Lab::existing();
    let run = lab.run("doctor --format json");
    let findings: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let of = |tool: &str| findings.iter().find(|finding| finding["tool"] == tool).cloned();
    let kubectl = of("kubectl").unwrap();
    assert_eq!(
        (&kubectl["version"], &kubectl["problem"]),
        (&json!("1.33.4"), &Value::Null)
    );
    assert_eq!(of("argocd").unwrap()["version"], "3.4.4");
    assert_eq!(of("helm").unwrap()["version"], "3.19.4");
    assert_eq!(of("istioctl").unwrap()["needed"], false);
    assert!(of("multipass").is_none(), "nothing runs on Multipass");
    run.succeeds().says("everything that `up` needs is here");
}

#[test]
fn doctor_says_how_to_come_by_what_is_missing() {
    let lab = Lab::multipass();
    let mut doctor = lab.command("doctor");
    doctor.env("PATH", lab.scratch.path("world"));
    let run = lab.scratch.told("doctor", &mut doctor).exits(3);
    let run = run.says("`up` needs: kubectl, argocd, git, docker, multipass");
    run.prints("multipass: see https://canonical.com/multipass/install")
        .prints("not found");
}
