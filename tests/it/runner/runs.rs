//! Runs as a person sees them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::labs::{Lab, kill, lives, repeated};

#[test]
fn a_second_up_does_nothing() {
    for lab in [Lab::multipass(), Lab::minikube(), Lab::kind(), Lab::existing()] {
        lab.run("up").succeeds().says("done");
        let effects = lab.effects();
        let calls = lab.noted("calls").len();
        lab.run("up").succeeds().says("nothing to do");
        assert_eq!(lab.effects(), effects);
        assert_eq!(repeated(&effects).len(), 0, "{effects:#?}");
        assert!(lab.noted("calls").len() > calls, "the second run looked");
        lab.understood();
    }
}

#[test]
fn machines_know_each_other_and_their_cluster_answers() {
    let lab = Lab::multipass();
    lab.run("up").succeeds();
    let address = |name: &str| {
        lab.scratch
            .read(&format!("world/multipass/{name}/address"))
            .trim()
            .to_owned()
    };
    let hosts = lab.scratch.read("world/multipass/one/hosts");
    for other in ["hub", "two"] {
        assert!(
            hosts.contains(&format!("{} {other}.demo.lab # meshlab", address(other))),
            "{hosts}"
        );
    }
    assert!(!hosts.contains("one.demo.lab"), "{hosts}");
    assert!(hosts.starts_with("127.0.0.1 localhost\n"), "{hosts}");
    let kubeconfig = lab.scratch.read(".meshlab/lab.run/kubeconfigs/one");
    assert!(
        kubeconfig.contains(&format!("server: https://{}:6443", address("one"))),
        "{kubeconfig}"
    );
    assert!(kubeconfig.contains("tls-server-name: one.demo.lab"), "{kubeconfig}");
    let runtime = lab.scratch.read(".meshlab/lab.run/runtime.json");
    assert!(
        runtime.contains(&format!(r#""one.address": "{}""#, address("one"))),
        "{runtime}"
    );
}

#[test]
fn what_the_runner_keeps_is_its_owners_only() {
    let lab = Lab::multipass();
    lab.run("up").succeeds();
    let mode = |path: &str| lab.scratch.path(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".meshlab/lab.run"), 0o700);
    for file in [
        "kubeconfig",
        "kubeconfigs/one",
        "kubeconfigs/one.raw",
        "kubeconfigs/one.user",
        "runtime.json",
    ] {
        assert_eq!(mode(&format!(".meshlab/lab.run/{file}")), 0o600, "{file}");
    }
    assert_eq!(lab.scratch.read(".meshlab/lab.run/.gitignore"), "*\n");
    // A render does not take it for a keystore, nor the other way round.
    lab.run("render --check").succeeds();
}

#[test]
fn only_a_cluster_and_what_it_needs() {
    let lab = Lab::multipass();
    lab.run("up --only one").succeeds();
    assert_eq!(
        lab.effects(),
        [
            "docker create meshlab-registry-docker.io-5011",
            "docker start meshlab-registry-docker.io-5011",
            "kubectl apply hub Namespace/argo",
            "kubectl apply hub Namespace/argocd",
            "kubectl apply hub Secret/cluster-one",
            "kubectl apply one ClusterRoleBinding/argocd-lab",
            "kubectl apply one Secret/argocd-lab",
            "kubectl apply one Secret/meshlab-sealing-key",
            "kubectl apply one ServiceAccount/argocd-lab",
            "multipass hosts one",
            "multipass launch hub",
            "multipass launch one",
            "multipass ready hub",
            "multipass ready one",
        ],
        "the manager is needed too: its Argo CD must know the cluster"
    );
    // Then the others: what is there learns of them.
    lab.run("up").succeeds();
    assert_eq!(lab.scratch.read("world/multipass/one/hosts").lines().count(), 3);
    let effects = lab.noted("effects");
    let twice: Vec<&str> = repeated(&effects).into_keys().collect();
    assert_eq!(
        twice,
        ["multipass hosts one"],
        "first the manager's address, then the other's"
    );
    lab.run("up --only ones")
        .exits(2)
        .says("lab `lab` has no cluster `ones`")
        .says("did you mean `one`?");
}

#[test]
fn a_lab_rests_and_goes_on_at_other_addresses() {
    let lab = Lab::multipass();
    lab.run("up").succeeds();
    lab.run("suspend").succeeds().says("3 done");
    lab.run("suspend").succeeds().says("nothing to do");
    let mut resume = lab.command("resume");
    resume.env("STAND_IN_MOVED", "1");
    lab.scratch.told("resume", &mut resume).succeeds();
    let hosts = lab.scratch.read("world/multipass/hub/hosts");
    assert_eq!(
        hosts,
        "127.0.0.1 localhost\n10.0.1.3 one.demo.lab # meshlab\n10.0.1.3 two.demo.lab # meshlab\n"
    );
    lab.run("up").succeeds().says("nothing to do");
    let launches = lab.effects().iter().filter(|effect| effect.contains("launch")).count();
    assert_eq!(launches, 3);
    lab.understood();
}

#[test]
fn clusters_that_are_containers_rest_too() {
    for lab in [Lab::kind(), Lab::minikube()] {
        lab.run("up").succeeds();
        let before = lab.effects().len();
        lab.run("suspend").succeeds().says("2 done");
        lab.run("suspend").succeeds().says("nothing to do");
        lab.run("resume").succeeds();
        lab.run("up").succeeds().says("nothing to do");
        assert_eq!(
            lab.effects().len(),
            before + 4,
            "two ended and two started: {:#?}",
            lab.effects()
        );
        lab.run("down --yes").succeeds();
        lab.run("down --yes").succeeds().says("nothing to do");
        lab.understood();
    }
}

/// kind knows nothing of half a cluster: what it began and did not complete is made anew, and nothing else is.
#[test]
fn half_a_cluster_is_made_anew() {
    let lab = Lab::kind();
    let create = "kind create cluster --name one --config clusters/one/kind.yaml";
    let (mut runner, hanging) = lab.start("up", &format!("half {create}"));
    runner.kill().unwrap();
    runner.wait().unwrap();
    kill(&hanging);
    lab.run("up").succeeds();
    let made = |effect: &str| lab.effects().iter().filter(|found| *found == effect).count();
    assert_eq!((made("kind delete one"), made("kind create one")), (1, 1));
    // The runner's files are lost, the clusters are not.
    lab.scratch.remove(".meshlab/lab.run");
    lab.run("up").succeeds();
    assert_eq!((made("kind delete one"), made("kind create one")), (1, 1));
    assert!(
        lab.scratch
            .read(".meshlab/lab.run/kubeconfig")
            .contains("- name: one\n")
    );
    lab.understood();
}

#[test]
fn resume_makes_nothing_that_is_not_there() {
    let lab = Lab::multipass();
    lab.run("resume").exits(3).says("instance \"one\" does not exist");
    assert!(!lab.effects().iter().any(|effect| effect.contains("launch")));
}

#[test]
fn down_asks_and_says_what_stays() {
    let lab = Lab::multipass();
    lab.run("up").succeeds();
    let before = lab.effects();
    let asked = lab
        .run("down")
        .exits(2)
        .says("there is nobody to answer")
        .says("`--yes`");
    asked
        .says("3 machines with all that is on them: hub, one, two")
        .says("docker volumes meshlab-registry-*");
    assert_eq!(lab.effects(), before);
    lab.run("down --yes").succeeds();
    assert!(!lab.scratch.exists(".meshlab/lab.run/kubeconfig") && !lab.scratch.exists(".meshlab/lab.run/runtime.json"));
    assert!(lab.scratch.exists(".meshlab/lab/root.key.pem"), "the keystore stays");
    assert_eq!(
        lab.noted("effects")
            .iter()
            .filter(|effect| effect.contains("delete"))
            .count(),
        3
    );
    lab.run("down --yes").succeeds().says("nothing to do");
    lab.run("up").succeeds();
    lab.understood();
}

#[test]
fn down_leaves_what_is_not_ours() {
    let lab = Lab::existing();
    lab.run("up").succeeds();
    let seeded = lab.effects();
    lab.run("down --yes")
        .succeeds()
        .says("clusters that are not meshlab's, with what runs on them: hub, one");
    assert_eq!(lab.effects(), seeded);
}

#[test]
fn the_users_own_kubeconfig_is_touched_only_on_demand() {
    let lab = Lab::multipass();
    lab.scratch.write("own", "clusters:\n- name: other\n");
    let up = |arguments: &str| {
        let mut command = lab.command(arguments);
        command.env("KUBECONFIG", lab.scratch.path("own"));
        lab.scratch.told(arguments, &mut command)
    };
    up("up").succeeds();
    assert_eq!(lab.scratch.read("own"), "clusters:\n- name: other\n");
    up("up --merge-kubeconfig").succeeds();
    let own = lab.scratch.read("own");
    for name in ["hub", "one", "two", "other"] {
        assert!(own.contains(&format!("- name: {name}\n")), "{own}");
    }
    up("up --merge-kubeconfig").succeeds().says("nothing to do");
}

#[test]
fn public_keys_are_refused_unless_asked_for() {
    let lab = Lab::multipass();
    lab.scratch
        .write(".meshlab/lab/keystore.json", r#"{"lab": "lab", "public": true}"#);
    let refused = lab
        .run("up")
        .exits(2)
        .says("are public: anyone could issue identities of this lab");
    refused
        .says("remove blueprints/lab.lock, run `meshlab render lab`")
        .says("--demo-keys");
    assert_eq!(lab.noted("calls"), [] as [String; 0]);
    lab.run("up --demo-keys").succeeds();
    lab.scratch.remove(".meshlab/lab");
    lab.run("up --demo-keys")
        .exits(2)
        .says("there are no private keys of lab `lab` in .meshlab/lab");
}

#[test]
fn a_tree_that_is_not_what_the_blueprint_says_is_refused() {
    let lab = Lab::multipass();
    lab.scratch.edit(
        "out/lab/clusters/one/cloud-init.yaml",
        "hostname: one",
        "hostname: eins",
    );
    lab.run("up")
        .exits(2)
        .says("out/lab is not what the blueprint says")
        .says("meshlab render lab");
    assert_eq!(lab.noted("calls"), [] as [String; 0]);
}

#[test]
fn two_runs_keep_apart() {
    let lab = Lab::multipass();
    let (mut first, hanging) = lab.start("up", &format!("hang {}", launch("one")));
    lab.run("up")
        .exits(2)
        .says("another run is at work on this lab (process ")
        .says("Ctrl-C");
    first.kill().unwrap();
    first.wait().unwrap();
    kill(&hanging);
    lab.run("up").succeeds();
}

#[test]
fn ctrl_c_ends_what_runs_and_says_how_to_go_on() {
    let lab = Lab::multipass();
    let (first, hanging) = lab.start("up", &format!("hang {}", launch("one")));
    let process = first.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &process])
            .status()
            .unwrap()
            .success()
    );
    let output = first.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("lab: stopped;") && said.contains("go on with `meshlab up lab`"),
        "{said}"
    );
    assert!(said.contains("machine/one: stopped"), "{said}");
    assert!(!lives(&hanging), "the command was ended too");
    lab.run("up").succeeds();
    assert_eq!(repeated(&lab.noted("effects")).len(), 0);
}

#[test]
fn a_failure_tells_the_command_its_exit_code_and_its_last_words() {
    let lab = Lab::multipass();
    let machine = "multipass exec one -- sudo /usr/local/sbin/meshlab-machine";
    let failed = lab.run_with("up", &format!("fail {machine}")).exits(3);
    let failed = failed
        .says("error: cluster/one: cannot make one a cluster")
        .says(machine)
        .says("exit code 1");
    let failed = failed
        .says("    multipass: it was told to fail")
        .says("= help: multipass exec one -- tail");
    failed
        .says("1 failed, 10 left that need them")
        .says("go on with `meshlab up lab`");
    // What does not need it went on.
    assert!(lab.scratch.exists(".meshlab/lab.run/kubeconfigs/two"));
}

#[test]
fn what_is_worth_a_second_attempt_gets_one() {
    let lab = Lab::multipass();
    let run = lab.run_with("up", &format!("fail {}", launch("one"))).succeeds();
    run.says("machine/one: attempt 2 of 3, after: multipass: it was told to fail");
    // Cut off after the machine was there: it is not launched again.
    let lab = Lab::multipass();
    lab.run_with("up", &format!("cut {}", launch("one"))).succeeds();
    assert_eq!(repeated(&lab.noted("effects")).len(), 0);
}

#[test]
fn missing_tools_are_named_at_once() {
    let lab = Lab::multipass();
    let mut up = lab.command("up");
    up.env("PATH", lab.scratch.path("world"));
    let run = lab.scratch.told("up", &mut up).exits(3);
    run.says(
        "these programs are not on PATH, and steps of this lab need them: argocd, docker, git, kubectl, multipass, mv",
    );
    assert_eq!(lab.noted("calls"), [] as [String; 0]);
}

#[test]
fn events_are_for_programs() {
    let lab = Lab::multipass();
    let run = lab.run_with(
        "up --format json",
        "fail multipass exec one -- sudo /usr/local/sbin/meshlab-machine",
    );
    let run = run.exits(3);
    let events: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let failures: Vec<&serde_json::Value> = events.iter().filter(|event| event["event"] == "failed").collect();
    assert_eq!(failures.len(), 1, "{failures:#?}");
    let (first, last) = (&events[0], &events[events.len() - 1]);
    assert_eq!((&first["event"], &first["lab"]), (&"begin".into(), &"lab".into()));
    assert_eq!(first["steps"].as_array().unwrap().len(), 32);
    assert_eq!(
        (&last["event"], &last["failed"], &last["left"]),
        (&"end".into(), &1.into(), &10.into())
    );
    let of = |step: &str| -> Vec<&str> {
        let own = events.iter().filter(|event| event["step"] == step);
        own.map(|event| event["event"].as_str().unwrap()).collect()
    };
    assert_eq!(of("machine/one"), ["started", "done"]);
    assert_eq!(of("cluster/one"), ["started", "failed"]);
    assert_eq!(of("hosts/one"), ["blocked"]);
    let failed = events.iter().find(|event| event["event"] == "failed").unwrap();
    assert!(failed["why"].as_str().unwrap().contains("exit code 1"));
}

/// As the runner launches a machine.
fn launch(name: &str) -> String {
    format!("multipass launch 24.04 --name {name} --cpus 2 --memory 5G --disk 10G --timeout 1800 --cloud-init -")
}
