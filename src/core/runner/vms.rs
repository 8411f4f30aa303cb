//! Machines outside of Kubernetes: launched like the others, and taken into the mesh when the bootstrap has made a place for them.

use super::kubeconfig::kubectl;
use super::plan::Context;
use super::provider::multipass::{Guest, LAUNCH, PREPARE, know_others, launch, on};
use super::seed;
use super::step::{Command, Content, Probe, Step, Word};
use crate::core::lab::{Delivery, FILES, Lab, ONBOARD, TOKEN, TOKEN_AUDIENCE, Vm};

/// Where a machine remembers which files it has.
const MARK: &str = "/etc/istio/config/meshlab";

/// The machines that the runner launches. Others are their owner's: the runbook says how to take them in.
pub(super) fn guests(lab: &Lab) -> impl Iterator<Item = (&Vm, Guest<'_>)> {
    lab.vms.iter().filter_map(|vm| Some((vm, Guest::of_vm(lab, vm)?)))
}

/// Steps that launch them, or start them again.
pub(super) fn up(context: Context<'_>) -> Vec<Step> {
    let steps = guests(context.lab).flat_map(|(_, guest)| {
        let prepared = prepare(&guest);
        let id = prepared.id.clone();
        [launch(context, &guest), prepared, know_others(context, &guest, id)]
    });
    steps.collect()
}

/// Steps that take them into the mesh.
pub(super) fn join(context: Context<'_>) -> Vec<Step> {
    let steps = guests(context.lab)
        .flat_map(|(vm, guest)| [account(context, vm), files(context, vm), onboard(context, vm, &guest)]);
    steps.collect()
}

/// Waits until cloud-init is done, and runs again what it ran if the sidecar is not installed then.
fn prepare(guest: &Guest<'_>) -> Step {
    let name = guest.name;
    guest
        .step(format!("prepare/{name}"), format!("install Istio's sidecar on {name}"))
        .needs(guest.machine())
        .check(Probe::new(on(name, ["test", "-x", "/usr/local/bin/pilot-agent"])))
        .check(Probe::new(on(name, ["test", "-x", ONBOARD])))
        .run(on(name, ["cloud-init", "status", "--wait"]).timeout(LAUNCH).lenient())
        .run(on(name, ["sudo", PREPARE]).timeout(LAUNCH))
        .settle(5, 3)
        .hint(format!(
            "multipass exec {name} -- tail -n 50 /var/log/cloud-init-output.log"
        ))
}

/// Argo CD brings what stands for the machine in its cluster. Like the bootstrap these steps are the lab's, not a cluster's.
fn account(context: Context<'_>, vm: &Vm) -> Step {
    let get = |object: String| {
        let command = kubectl(context.paths, vm.home(context.lab).name.as_str());
        Probe::new(command.args([
            "--namespace",
            vm.namespace(context.lab),
            "get",
            object.as_str(),
            "--output=name",
        ]))
    };
    Step::new(
        format!("vm/{}/account", vm.name),
        format!("find the place of {} in the mesh", vm.name),
    )
    .needs(seed::DONE)
    .check(get(format!("serviceaccount/{}", vm.service_account)))
    .check(get(format!("workloadgroup.networking.istio.io/{}", vm.name)))
    .settle(24, 5)
    .hint(format!("`meshlab sync istio-vm --wait --lab {}`", context.lab.name))
}

fn files_id(vm: &Vm) -> String {
    format!("vm/{}/files", vm.name)
}

/// The run-time fact: hashes of the files that belong on the machine.
fn hashes(vm: &Vm) -> String {
    format!("{}.files", vm.name)
}

fn files(context: Context<'_>, vm: &Vm) -> Step {
    let names: Vec<String> = deliveries(context, vm).map(|(from, _)| from).collect();
    let hash = Command::new("git", ["hash-object"]).args(names);
    Step::new(files_id(vm), format!("find out which files {} should have", vm.name))
        .check(Probe::new(hash).learn_output(hashes(vm)))
}

/// Files of the tree with their places on the machine.
fn deliveries(context: Context<'_>, vm: &Vm) -> impl Iterator<Item = (String, &'static str)> {
    let has_hosts = vm.gateway_ip(context.lab).is_some();
    let files = FILES
        .into_iter()
        .filter(move |delivery| has_hosts || delivery.file != "hosts");
    let tree = context.paths.tree(&format!("vms/{}", vm.name));
    files.map(move |Delivery { file, path }| (format!("{tree}/{file}"), path))
}

/// Delivers the files and a token, and starts the sidecar: all by standard input, as root, the token readable to nobody else.
fn onboard(context: Context<'_>, vm: &Vm, guest: &Guest<'_>) -> Step {
    let name = guest.name;
    let put =
        |mode: &str, path: &str| on(name, ["sudo", "install", "-D", "-m", mode, "/dev/stdin", path]).patience(3, 2);
    let ready = [
        "curl",
        "--fail",
        "--silent",
        "--output",
        "/dev/null",
        "http://localhost:15021/healthz/ready",
    ];
    let mut step = Step::new(format!("vm/{name}/mesh"), format!("take {name} into the mesh"))
        .needs(files_id(vm))
        .needs(format!("vm/{name}/account"))
        .needs(format!("hosts/{name}"))
        .check(Probe::new(on(name, ["cat", MARK])).output(Word::fact(hashes(vm))))
        .check(Probe::new(on(name, ready)));
    for (from, path) in deliveries(context, vm) {
        step = step.run(put("0644", path).stdin_file(from));
    }
    let token = context.paths.run(&format!("kubeconfigs/{name}.token"));
    let duration = "--duration=1h";
    let create = kubectl(context.paths, vm.home(context.lab).name.as_str())
        .args([
            "--namespace",
            vm.namespace(context.lab),
            "create",
            "token",
            vm.service_account.as_str(),
            duration,
        ])
        .args(["--audience", TOKEN_AUDIENCE])
        .stdout(&token)
        .patience(3, 2);
    step.run(create)
        .run(put("0600", TOKEN).stdin_file(&token))
        // It has done its work, and would be of no use in an hour.
        .run(Command::new("rm", ["-f", token.as_str()]))
        .run(on(name, ["sudo", ONBOARD]).timeout(120).patience(3, 5))
        .run(put("0644", MARK).stdin(Content::new().fact(hashes(vm))))
        .settle(30, 3)
        .hint(format!(
            "multipass exec {name} -- sudo journalctl --unit istio --no-pager --lines 50"
        ))
}
