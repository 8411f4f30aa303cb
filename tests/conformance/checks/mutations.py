"""Every judge must bite: each refuses at least one spoilt copy of a rendered tree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from . import court, github, sealed, tools
from .lab import Document, Lab
from .verdict import Judge, Missing, Verdict

Spoil = Callable[[Lab], bool]


@dataclass(frozen=True)
class Mutation:
    """One way to spoil a tree. `spoil` says whether the tree had anything to spoil."""

    judge: str
    title: str
    spoil: Spoil


def replaced(pattern: str, old: str, new: str) -> Spoil:
    """Replace the first match of a regular expression in the first file that has one."""

    def spoil(lab: Lab) -> bool:
        for file in lab.files(pattern):
            text, times = re.subn(old, new, lab.read(file), count=1, flags=re.MULTILINE)
            if times:
                lab.path(file).write_text(text)
                return True
        return False

    return spoil


def appended(pattern: str, text: str) -> Spoil:
    def spoil(lab: Lab) -> bool:
        for file in lab.files(pattern)[:1]:
            lab.path(file).write_text(lab.read(file) + text)
            return True
        return False

    return spoil


def added(file: str, text: str) -> Spoil:
    def spoil(lab: Lab) -> bool:
        lab.path(file).parent.mkdir(parents=True, exist_ok=True)
        lab.path(file).write_text(text)
        return True

    return spoil


def beside_manifests(name: str, text: str) -> Spoil:
    """Put a file into the first folder of manifests."""

    def spoil(lab: Lab) -> bool:
        for file in lab.files(MANIFESTS)[:1]:
            lab.path(file).with_name(name).write_text(text)
            return True
        return False

    return spoil


def edited(pattern: str, edit: Callable[[Any], bool]) -> Spoil:
    """Change the first document that `edit` can change."""

    def spoil(lab: Lab) -> bool:
        for file in lab.files(pattern):
            document = lab.load(file)
            if edit(document):
                lab.path(file).write_text(yaml.safe_dump(document))
                return True
        return False

    return spoil


def other_root(lab: Lab) -> bool:
    """A root of the same name and another key."""
    with tempfile.TemporaryDirectory() as folder:
        new_key(Path(folder) / "key")
        subject = tools.answer("openssl", "x509", "-in", lab.path("pki/root-cert.pem"), "-noout", "-subject", "-nameopt", "compat")
        root = tools.answer(
            "openssl", "req", "-x509", "-new", "-key", Path(folder) / "key", "-days", "2",
            "-subj", subject.strip().removeprefix("subject="), "-addext", "keyUsage=critical,keyCertSign",
        )  # fmt: skip
    lab.path("pki/root-cert.pem").write_text(root)
    return True


def new_key(file: Path) -> None:
    tools.answer("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)


def resealed(key: str, change: Callable[[Lab, Document, dict[str, bytes]], bool]) -> Spoil:
    """Open the first SealedSecret with this key, change what is inside, seal it again."""

    def spoil(lab: Lab) -> bool:
        for document in sealed.sealed(lab):
            if key in document.object["spec"]["encryptedData"]:
                data = sealed.opened(lab, document)
                if change(lab, document, data):
                    seal(lab, document, data)
                    return True
        return False

    return spoil


def seal(lab: Lab, document: Document, data: dict[str, bytes]) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": document.object["metadata"], "stringData": {k: v.decode() for k, v in data.items()}}
    with tempfile.NamedTemporaryFile() as certificate:
        key = sealed.sealing_key(lab, str(document.cluster))
        tools.answer("openssl", "req", "-x509", "-new", "-key", key, "-days", "2", "-subj", "/CN=seal", "-out", certificate.name)
        text = tools.answer("kubeseal", "--cert", certificate.name, "--format", "yaml", stdin=json.dumps(secret))
    lab.path(document.file).write_text(text)


def other_ca_key(_: Lab, __: Document, data: dict[str, bytes]) -> bool:
    with tempfile.NamedTemporaryFile() as file:
        new_key(Path(file.name))
        data["ca-key.pem"] = Path(file.name).read_bytes()
    return True


def unbound_authority(name: str, key: str, chain: str) -> Callable[[Lab, Document, dict[str, bytes]], bool]:
    """The same intermediate without name constraints, signed by the lab's own root."""

    def change(lab: Lab, _: Document, data: dict[str, bytes]) -> bool:
        root_key = sealed.keystore(lab) / "root.key.pem"
        if not root_key.exists() or "Name Constraints" not in tools.answer("openssl", "x509", "-noout", "-text", stdin=data[name].decode()):
            return False
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "key").write_bytes(data[key])
            (Path(folder) / "extensions").write_text("basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
            request = tools.answer("openssl", "req", "-new", "-key", f"{folder}/key", "-subj", "/O=unbound/CN=Intermediate CA")
            certificate = tools.answer(
                "openssl", "x509", "-req", "-days", "30", "-CA", lab.path("pki/root-cert.pem"), "-CAkey", root_key, "-set_serial", "7",
                "-extfile", f"{folder}/extensions", stdin=request,
            )  # fmt: skip
        data[name] = certificate.encode()
        data[chain] = data[name] + lab.path("pki/root-cert.pem").read_bytes()
        return True

    return change


def flipped(lab: Lab) -> bool:
    """One character in the middle of a ciphertext."""
    for document in sealed.sealed(lab):
        value = next(iter(document.object["spec"]["encryptedData"].values()))
        middle = len(value) // 2
        other = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
        lab.path(document.file).write_text(lab.read(document.file).replace(value, other))
        return other in lab.read(document.file)
    return False


def first_key_misspelt(values: Any) -> bool:
    for key in list(values or {}):
        values[f"{key}Typo"] = values.pop(key)
        return True
    return False


def without_webhook_kind(project: Any) -> bool:
    kinds = project["spec"].get("clusterResourceWhitelist") or []
    project["spec"]["clusterResourceWhitelist"] = [kind for kind in kinds if kind["kind"] != "MutatingWebhookConfiguration"]
    return len(kinds) != len(project["spec"]["clusterResourceWhitelist"])


def without_repositories(project: Any) -> bool:
    project["spec"]["sourceRepos"] = ["https://elsewhere.invalid/*"]
    return True


def with_many_replicas(values: Any) -> bool:
    values["replicaCount"] = {"many": True}
    return True


def depending_on_nothing(template: Any) -> bool:
    for one in (template.get("spec") or {}).get("templates") or []:
        for task in (one.get("dag") or {}).get("tasks") or []:
            task["depends"] = "no-such-task.Succeeded"
            return True
    return False


def with_optional_authority(values: Any) -> bool:
    for volume in values.get("volumes") or []:
        volume["secret"]["optional"] = True
        return True
    return False


def with_mesh_typo(values: Any) -> bool:
    if not values or "meshConfig" not in values:
        return False
    values["meshConfig"]["accessLogFil"] = "/dev/stdout"
    return True


def in_user_data(change: Callable[[Any], bool]) -> Spoil:
    """Change a cloud-init file and keep its first line."""

    def spoil(lab: Lab) -> bool:
        for file in lab.files("**/*cloud-init*.yaml"):
            data = lab.load(file)
            if isinstance(data, dict) and change(data):
                lab.path(file).write_text("#cloud-config\n" + yaml.safe_dump(data))
                return True
        return False

    return spoil


def with_broken_command(data: Any) -> bool:
    data.setdefault("runcmd", []).append("if true; then echo unfinished")
    return True


def with_k3s_typo(data: Any) -> bool:
    for file in data.get("write_files") or []:
        if str(file.get("path")) == "/etc/rancher/k3s/config.yaml":
            file["content"] += "cluster-cdir: 10.0.0.0/8\n"
            return True
    return False


PEM = "-----BEGIN EC PRIVATE KEY-----"
BASE64_PEM = "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0t"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: clear, namespace: default}\nstringData: {password: hunter2}\n"
ROUTE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: lost, namespace: istio-system}
spec:
  hosts: [lost.example.com]
  gateways: [no-such-gateway]
  http: [{route: [{destination: {host: lost}}]}]
"""
LISTENER = """apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: contradictory, namespace: istio-system}
spec:
  gatewayClassName: istio
  listeners:
  - {name: http, port: 80, protocol: HTTP, tls: {mode: Passthrough}}
"""
APPSETS = "argocd/applicationsets/*.yaml"
MANIFESTS = "clusters/*/manifests/*/*.yaml"
VALUES = "clusters/*/values/*.yaml"

MUTATIONS = [
    Mutation("ownership", "a file edited by hand", appended(VALUES, "# by hand\n")),
    Mutation("ownership", "a manifest line changed", replaced(".meshlab.sum", "^.", "x")),
    Mutation("ownership", "a file that nobody listed", added("stray.txt", "stray\n")),
    Mutation("secrecy", "a private key in values", appended(VALUES, f"key: |\n  {PEM}\n")),
    Mutation("secrecy", "a private key in base64", appended(VALUES, f"key: {BASE64_PEM}\n")),
    Mutation("secrecy", "a Secret in the clear", added("clusters/c/manifests/i/secret.yaml", SECRET)),
    Mutation("yaml-readers", "a number of base 60 to YAML 1.1 alone", appended(VALUES, "time: 12:30:45\n")),
    Mutation("yaml-readers", "a key given twice", appended(VALUES, "twice: 1\ntwice: 2\n")),
    Mutation("yamllint", "a bare yes", appended(VALUES, "answer: yes\n")),
    Mutation("kubernetes-schemas", "an unknown field of an ApplicationSet", replaced(APPSETS, "^(  )(goTemplate:)", r"\1goTemplates: true\n\1\2")),
    Mutation("kubernetes-schemas", "an unknown field of the metadata", replaced(MANIFESTS, "^metadata:$", "metadata:\n  label: {}")),
    Mutation("kubernetes-schemas", "an unknown kind", added("clusters/c/manifests/i/x.yaml", "apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: x}\n")),
    Mutation("api-server", "a CEL rule broken: TLS on a listener for HTTP", beside_manifests("listener.yaml", LISTENER)),
    Mutation("applicationsets", "an unknown field", replaced(APPSETS, "^(  )(goTemplate:)", r"\1goTemplates: true\n\1\2")),
    Mutation("applicationsets", "a parameter that no file has", replaced("clusters/*/apps/*.yaml", "^namespace:", "nameSpace:")),
    Mutation("applicationsets", "a name used twice", replaced("clusters/*/apps/*.yaml", "^name:.*", "name: root")),
    Mutation("applicationsets", "a repository that the project does not permit", edited("argocd/projects/*.yaml", without_repositories)),
    Mutation("permissions", "an object in a namespace that is no destination", replaced(MANIFESTS, "^(  namespace:) .*", r"\1 kube-node-lease")),
    Mutation("permissions", "a manifest that no Application applies", added("clusters/c/manifests/i/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")),
    Mutation("argocd-settings", "a setting misspelt", replaced(VALUES, "new.git.file.globbing:", "new.git.file.globing:")),
    Mutation("argocd-settings", "a policy line that is none", replaced(VALUES, "^( +)p, role:", r"\1q, role:")),
    Mutation("meshlab-apps", "another namespace", replaced("clusters/*/apps/*.yaml", "^namespace:.*", "namespace: elsewhere")),
    Mutation("helm-values", "a key misspelt", edited(VALUES, first_key_misspelt)),
    Mutation("helm-charts", "a webhook that the project does not list", edited("argocd/projects/istio.yaml", without_webhook_kind)),
    Mutation("helm-charts", "a value of the wrong type", edited("clusters/*/values/*gw*.yaml", with_many_replicas)),
    Mutation("argo-lint", "a task that depends on nothing", edited("workflows/*.yaml", depending_on_nothing)),
    Mutation("workflow-references", "a task that depends on nothing", edited("workflows/*.yaml", depending_on_nothing)),
    Mutation("istio-objects", "an unknown TLS mode", replaced(MANIFESTS, "AUTO_PASSTHROUGH", "AUTO_PASSTROUGH")),
    Mutation("istio-mesh", "an unknown field of the mesh configuration", edited(VALUES, with_mesh_typo)),
    Mutation("istio-analysis", "a route through a Gateway that does not exist", beside_manifests("route.yaml", ROUTE)),
    Mutation("vm-files", "a variable changed", replaced("vms/*/cluster.env", "^ISTIO_META_NETWORK=.*", "ISTIO_META_NETWORK='elsewhere'")),
    Mutation("vm-files", "a variable left out", replaced("vms/*/cluster.env", "^ISTIO_META_AUTO_REGISTER_GROUP=.*\\n", "")),
    Mutation("vm-files", "another istiod", replaced("vms/*/mesh.yaml", "^  discoveryAddress: .*", "  discoveryAddress: elsewhere.invalid:15012")),
    Mutation("vm-files", "another address of the gateway", replaced("vms/*/hosts", "^[0-9.]+", "192.0.2.1")),
    Mutation("vm-files", "another root", replaced("vms/*/root-cert.pem", "^M", "N")),
    Mutation("vm-files", "a machine that no Service finds", replaced("clusters/*/manifests/istio-vm/workloadgroup-*.yaml", "^      app: .*", "      app: nobody")),
    Mutation("chains", "another root", other_root),
    Mutation("cacerts", "another key", resealed("ca-key.pem", other_ca_key)),
    Mutation("cacerts", "an intermediate without name constraints", resealed("ca-key.pem", unbound_authority("ca-cert.pem", "ca-key.pem", "cert-chain.pem"))),
    Mutation("ingress-authorities", "an intermediate without name constraints", resealed("tls.key", unbound_authority("tls.crt", "tls.key", "tls.crt"))),
    Mutation("sealed-secrets", "a flipped ciphertext", flipped),
    Mutation("sealed-secrets", "another certificate than the public one", resealed("ca-cert.pem", lambda _, __, data: bool(data.update({"ca-cert.pem": b"x"})) or True)),
    Mutation("cloud-init", "a value of the wrong type", in_user_data(lambda data: bool(data.update(runcmd=5)) or True)),
    Mutation("cloud-init", "no first line", replaced("**/*cloud-init*.yaml", "^#cloud-config", "# cloud-config")),
    Mutation("cloud-init-schema", "an unknown key", in_user_data(lambda data: bool(data.update(runcmds=[])) or True)),
    Mutation("control-plane", "a CA that the pod can do without", edited("clusters/*/values/*istiod*.yaml", with_optional_authority)),
    Mutation("control-plane", "remote secrets that istiod does not look for", replaced("workflows/istio-remote-secrets.yaml", "istio/multiCluster=true", "istio/multicluster=true")),
    Mutation("control-plane", "a gateway of another network", replaced("clusters/*/values/*ewgw*.yaml", "^networkGateway: .*", "networkGateway: elsewhere")),
    Mutation("control-plane", "another trust domain than the CA may sign for", replaced("clusters/*/values/*istiod*.yaml", "^  trustDomain: .*", "  trustDomain: foreign.invalid")),
    Mutation("control-plane", "a name by which machines do not call istiod", replaced("clusters/*/values/*istiod*.yaml", "^  ISTIOD_CUSTOM_HOST: .*", "  ISTIOD_CUSTOM_HOST: elsewhere.invalid")),
    Mutation("coredns", "a directive misspelt", replaced("clusters/*/manifests/coredns-custom/*.yaml", "^( +)errors$", r"\1erors")),
    Mutation("coredns", "a host rewritten to no Service", replaced("clusters/*/manifests/coredns-custom/*.yaml", "istio-nsgw.istio-ingress", "istio-nsgw.elsewhere")),
    Mutation("coredns", "a resolver that the machine does not have", replaced("clusters/*/manifests/coredns-custom/*.yaml", "forward . .*", "forward . 192.0.2.1")),
    Mutation("kind-clusters", "an unknown field", replaced("clusters/*/kind.yaml", "^( +)podSubnet:", r"\1podSubnets: x\n\1podSubnet:")),
    Mutation("kind-clusters", "a network that is none", replaced("clusters/*/kind.yaml", "^( +podSubnet:).*", r"\1 10.51.0.0/33")),
    Mutation("kind-clusters", "a patch of nothing", replaced("clusters/*/kind.yaml", "kind: KubeletConfiguration", "kind: KubeletConfig")),
    Mutation("kind-clusters", "a certificate without kind's own names", replaced("clusters/*/kind.yaml", "certSANs: .localhost, ", "certSANs: [")),
    Mutation("kind-clusters", "a folder that is not there", replaced("clusters/*/kind.yaml", "hostPath: .*", "hostPath: registries/certs")),
    Mutation("kubeadm", "an unknown option of the kubelet", replaced("clusters/*/kind.yaml", "serializeImagePulls", "serialiseImagePulls")),
    Mutation("registry-cache", "a key misspelt", replaced("registries/zot.yaml", "onDemand:", "ondemand:")),
    Mutation("registry-cache", "a registry under another name", replaced("registries/zot.yaml", "destination: /quay.io", "destination: /quay")),
    Mutation("registry-cache", "another port", replaced("registries/certs.d/*/hosts.toml", ":[0-9]+/v2", ":5001/v2")),
    Mutation("coredns-kind", "a directive misspelt", replaced("clusters/*/manifests/coredns/*.yaml", "^( +)loop$", r"\1lop")),
    Mutation("coredns-kind", "a name that leads to no container", replaced("clusters/*/manifests/coredns/*.yaml", "(exact istio-ewgw[^ ]+ kindccm-).", r"\1x")),
    Mutation("coredns-kind", "a name server at another address", replaced("clusters/*/values/k8s-gateway.yaml", "clusterIP: .*", "clusterIP: 10.0.0.54")),
    Mutation("seeding", "a root Application that follows another branch", replaced("argocd/root.yaml", "targetRevision: .*", "targetRevision: elsewhere")),
    Mutation("shellcheck", "a command that ends too early", in_user_data(with_broken_command)),
    Mutation("shellcheck", "a script of a workflow that ends too early", replaced("workflows/*.yaml", "^( +)set -e.*$", r"\1if true; then")),
    Mutation("k3s-manifests", "an unknown field of a HelmChart", replaced("**/*cloud-init*.yaml", "^( +)targetNamespace:", r"\1targetNameSpace: x\n\1targetNamespace:")),
    Mutation("k3s-manifests", "an unknown value of its chart", replaced("**/*cloud-init*.yaml", "^( +)kubeProxyReplacement:", r"\1kubeProxyReplacment:")),
    Mutation("k3s-options", "an unknown option", in_user_data(with_k3s_typo)),
]


def bite(labs: list[Lab], tier: str, named: str | None) -> Iterator[str]:
    """Spoil a copy of the first lab that a mutation fits, and let its judge find it. Says each; yields the outcomes."""
    judges = {judge.name: judge for judge in court.called(court.JUDGES, tier, named)}
    for mutation in [mutation for mutation in MUTATIONS if mutation.judge in judges]:
        outcome, said = tried(judges[mutation.judge], mutation, labs)
        print(f"{outcome:7} {mutation.judge}: {mutation.title}: {said}", flush=True)
        yield outcome
    if named in (None, "actionlint"):
        outcome, said = actionlint_bites()
        print(f"{outcome:7} actionlint: a job without a runner: {said}")
        yield outcome
    for judge in judges.keys() - {mutation.judge for mutation in MUTATIONS}:
        print(f"failed  {judge}: no mutation shows that it bites")
        yield "failed"


def tried(judge: Judge, mutation: Mutation, labs: list[Lab]) -> tuple[str, str]:
    for lab in labs:
        with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as folder:
            copy = Lab(Path(shutil.copytree(lab.directory, Path(folder) / lab.name)))
            try:
                if not mutation.spoil(copy):
                    continue
            except Missing as missing:
                return "skipped", str(missing)
            return judged(court.hear(judge, Lab(copy.directory)), unspoilt(judge, lab), judge)
    return "skipped", "no lab has what it spoils"


@cache
def unspoilt(judge: Judge, lab: Lab) -> frozenset[str]:
    """What a judge refuses in a tree as it is."""
    return frozenset(finding.said for finding in court.hear(judge, lab).findings)


def judged(after: Verdict, before: frozenset[str], judge: Judge) -> tuple[str, str]:
    if after.missing:
        return court.outcome(judge, after), after.missing
    new = [finding for finding in after.findings if finding.said not in before]
    if any("the judge broke down" in finding.said for finding in new):
        return "failed", new[0].said
    return ("passed", new[0].said.splitlines()[0][:160]) if new else ("failed", "it was not refused")


def actionlint_bites() -> tuple[str, str]:
    judge = github.REPOSITORY_JUDGES[0]
    with tempfile.TemporaryDirectory() as folder:
        workflows = Path(folder) / ".github" / "workflows"
        workflows.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", folder], check=True)
        (workflows / "ci.yaml").write_text("on: push\njobs:\n  a:\n    steps: [{run: 'true'}]\n")
        return judged(court.hear(judge, Lab(Path(folder))), frozenset(), judge)
