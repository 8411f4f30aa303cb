//! Machines outside of Kubernetes.

use super::labs::{Lab, repeated};

#[test]
fn a_machine_gets_its_files_a_token_and_its_place() {
    let lab = Lab::with_machine();
    lab.run("up").succeeds();
    let effects = lab.noted("effects");
    let at = |effect: &str| {
        let found = effects.iter().position(|found| found == effect);
        found.unwrap_or_else(|| panic!("no `{effect}` in {effects:#?}"))
    };
    let onboarded = at("multipass onboard vm");
    for file in [
        "0644 /var/lib/istio/envoy/cluster.env",
        "0644 /etc/istio/config/mesh",
        "0644 /etc/certs/root-cert.pem",
    ] {
        assert!(at(&format!("multipass deliver vm {file}")) < onboarded, "{file}");
    }
    assert!(at("multipass deliver vm 0600 /var/run/secrets/tokens/istio-token") < onboarded);
    assert_eq!(
        lab.scratch.read("world/multipass/vm/files/etc/istio/config/mesh"),
        lab.scratch.read("out/lab/vms/vm/mesh.yaml")
    );
    assert!(
        lab.scratch
            .read("world/multipass/one/hosts")
            .contains(" vm.demo.lab # meshlab")
    );
    let calls = lab.noted("calls").join("\n");
    assert!(!calls.contains("hidden-token"), "a token on a command line");
    assert!(
        !lab.scratch.exists(".meshlab/lab.run/kubeconfigs/vm.token"),
        "it has done its work"
    );
    assert_eq!(repeated(&effects).len(), 0);
    lab.run("up").succeeds().says("nothing to do");
    lab.run("down --yes").succeeds().says("hub, one, vm");
    lab.understood();
}
