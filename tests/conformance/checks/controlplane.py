"""The control plane itself: an istiod per cluster of a cell, each against an API server of its own, joined as rendered.

README.md lists what is done by hand, because nothing runs the pods.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import apiserver, charts, kube, machines, pki, sealed, tools
from .istiod import PATIENCE, Ended, Istiod, container_of, istiod
from .lab import Chart, Lab, Object
from .verdict import Judge, Verdict

NETWORK = "topology.istio.io/network"
CONTROLLERS = ("serviceaccount-token-controller", "deployment-controller", "replicaset-controller", "endpointslice-controller")
# What a mesh consists of. Webhooks are left out: the API server would have to reach istiod by its Service.
KINDS = frozenset("Namespace ServiceAccount Secret ConfigMap Service Deployment ClusterRole ClusterRoleBinding Role RoleBinding".split())
# Kubernetes takes the Secret of a token away again if its ServiceAccount is not there yet.
FIRST = {"Namespace": 0, "ServiceAccount": 1}
GROUPS = ("istio.io", "gateway.networking.k8s.io")
JOINING = "istio-remote-secrets"


@dataclass(frozen=True)
class Member:
    """A cluster of the cell: its API server, its istiod, and the address given to what is in it."""

    name: str
    file: str  # istiod's values
    api: kube.Api
    istiod: Istiod
    deployment: Object
    objects: list[Object]
    network: str
    address: str

    def of_kind(self, kind: str) -> list[Object]:
        return [object_ for object_ in self.objects if object_["kind"] == kind]


def judge(lab: Lab, verdict: Verdict) -> None:
    if not all([fails_closed(lab, chart, verdict) for chart in control_planes(lab)]):
        return
    cell = cell_to_run(lab)
    if not cell:
        verdict.leave("a running control plane: no cell has several clusters with cacerts in SealedSecrets")
        return
    verdict.leave(f"proxies, injection and traffic; other cells than that of {', '.join(cell)}")
    with ExitStack() as running:
        members = [running.enter_context(member(lab, name, number)) for number, name in enumerate(cell, 1)]
        manager = running.enter_context(kube.server())
        serve(members)
        join(lab, members, manager, verdict)
        for one in members:
            for other in members:
                if other is not one:
                    sees(one, other, verdict)
            signs(lab, one, verdict)
            onboards(lab, one, verdict)
        verdict.observe(without_authority(members[0]))


def control_planes(lab: Lab) -> list[Chart]:
    return [chart for chart in lab.charts if chart.name == "istiod"]


def cell_to_run(lab: Lab) -> list[str]:
    """The first cell with an istiod in several clusters, each with a CA that the published keystore opens."""
    able = {chart.cluster for chart in control_planes(lab)} & {d.cluster for d in sealed.sealed(lab) if d.name == "cacerts"}
    cells = (sorted(able & set(clusters)) for _, clusters in sorted(pki.cells(lab).items()))
    return next((clusters for clusters in cells if len(clusters) > 1), [])


def fails_closed(lab: Lab, chart: Chart, verdict: Verdict) -> bool:
    """Where istiod looks for its CA, a Secret is mounted without which Kubernetes does not start the pod."""
    verdict.examined += 1
    deployment = deployment_of(lab, chart)
    folder = authority_folder(deployment)
    mounts = container_of(deployment)["volumeMounts"]
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    secrets = [volumes[mount["name"]].get("secret") for mount in mounts if mount["mountPath"] == folder]
    if any(secret and secret["secretName"] == "cacerts" and not secret.get("optional") for secret in secrets):
        return True
    verdict.refuse(" ".join(chart.values), f"{chart.cluster}: istiod can start without cacerts: ROOT_CA_DIR is {folder or 'not set'}, mounted there: {secrets}")
    return False


def deployment_of(lab: Lab, chart: Chart) -> Object:
    return next(object_ for object_ in charts.rendered(lab, chart)[0] if object_["kind"] == "Deployment")


def authority_folder(deployment: Object) -> str:
    return next((str(v["value"]) for v in container_of(deployment)["env"] if v["name"] == "ROOT_CA_DIR"), "")


@contextmanager
def member(lab: Lab, name: str, number: int) -> Iterator[Member]:
    """A cluster with what the tree gives it, and its istiod with the CA out of the SealedSecret."""
    chart = next(chart for chart in control_planes(lab) if chart.cluster == name)
    objects = [object_ for _, object_ in apiserver.objects_of(lab, name) if belongs(object_)]
    deployment = deployment_of(lab, chart)
    with kube.server(controllers=CONTROLLERS) as api:
        apiserver.define(api, GROUPS)
        for object_ in sorted(objects, key=lambda object_: FIRST.get(object_["kind"], len(FIRST))):
            if refusal := api.apply(object_):
                raise RuntimeError(f"{name}: {object_['kind']} {object_['metadata']['name']}: {refusal}")
        token = api.account_token(chart.namespace, deployment["spec"]["template"]["spec"]["serviceAccountName"])
        with istiod(deployment, api.kubeconfig(token), {authority_folder(deployment): cacerts(lab, name)}) as running:
            yield Member(name, " ".join(chart.values), api, running, deployment, objects, network(objects, chart.namespace), f"192.0.2.{number}")


def belongs(object_: Object) -> bool:
    group = str(object_["apiVersion"]).rpartition("/")[0]
    return object_["kind"] in KINDS or group.endswith(GROUPS)


def network(objects: list[Object], namespace: str) -> str:
    """The network of a cluster, as its mesh namespace says it."""
    namespaces = (object_ for object_ in objects if object_["kind"] == "Namespace" and object_["metadata"]["name"] == namespace)
    return next(((object_["metadata"].get("labels") or {}).get(NETWORK, "") for object_ in namespaces), "")


def cacerts(lab: Lab, cluster: str) -> dict[str, bytes]:
    for document in sealed.sealed(lab):
        if document.cluster == cluster and document.name == "cacerts":
            return sealed.opened(lab, document)
    return {}


def serve(members: list[Member]) -> None:
    """By hand, for want of machines and load balancers: pods run on a node, and gateways of a network have an address."""
    shared = common_service(members)
    for one in members:
        one.api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": one.name}})
        for service in (shared, *gateways(one)):
            run_pods(one, service)
        for service in gateways(one):
            status = {"loadBalancer": {"ingress": [{"ip": one.address}]}}
            patch(one.api, service, status)


def gateways(one: Member) -> list[Object]:
    return [service for service in one.of_kind("Service") if NETWORK in (service["metadata"].get("labels") or {})]


def common_service(members: list[Member]) -> Object:
    """A Service that all members have and a Deployment stands behind."""
    names = set.intersection(*({key(service) for service in one.of_kind("Service")} & {key(d) for d in one.of_kind("Deployment")} for one in members))
    first = min(names)
    return next(service for service in members[0].of_kind("Service") if key(service) == first)


def key(object_: Object) -> tuple[str, str]:
    return object_["metadata"]["namespace"], object_["metadata"]["name"]


def run_pods(one: Member, service: Object) -> None:
    labels = ",".join(f"{name}%3D{value}" for name, value in service["spec"]["selector"].items())
    path = f"/api/v1/namespaces/{service['metadata']['namespace']}/pods?labelSelector={labels}"
    pods = kube.until(lambda: one.api.items(path), f"{one.name}: pods of Service {service['metadata']['name']}", PATIENCE)
    for pod in pods:
        bind(one, pod)
        ready = {"type": "Ready", "status": "True"}
        status = {"phase": "Running", "podIP": one.address, "podIPs": [{"ip": one.address}], "conditions": [ready]}
        patch(one.api, {"apiVersion": "v1", "kind": "Pod", **pod}, status)


def bind(one: Member, pod: Object) -> None:
    named = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
    target = {"apiVersion": "v1", "kind": "Node", "name": one.name}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": named, "target": target}
    one.api.ask("POST", f"/api/v1/namespaces/{named['namespace']}/pods/{named['name']}/binding", binding)


def patch(api: kube.Api, object_: Object, status: Object) -> None:
    named = {"name": object_["metadata"]["name"], "namespace": object_["metadata"]["namespace"]}
    body = {"apiVersion": object_["apiVersion"], "kind": object_["kind"], "metadata": named, "status": status}
    if refusal := api.apply(body, part="/status"):
        raise RuntimeError(f"status of {object_['kind']} {named['name']}: {refusal}")


def join(lab: Lab, members: list[Member], manager: kube.Api, verdict: Verdict) -> None:
    """The rendered workflow's own script makes the remote secrets. The manager knows the clusters, as the runner registers them."""
    file = f"workflows/{JOINING}.yaml"
    verdict.examined += 1
    task = joining_task(lab, members)
    if task is None:
        verdict.refuse(file, f"no task joins {', '.join(one.name for one in members)}")
        return
    for one in members:
        register(manager, one)
    result = run_script(lab, task, members, manager)
    if result.returncode != 0:
        verdict.refuse(file, f"its script failed: {tools.said(result)}")


def joining_task(lab: Lab, members: list[Member]) -> Object | None:
    names = {one.name for one in members}
    for template in workflow(lab, JOINING)["spec"]["templates"]:
        for task in (template.get("dag") or {}).get("tasks") or []:
            if names <= set(parameters(task).get("readers", "").split()):
                return task
    return None


def workflow(lab: Lab, name: str) -> Any:
    return next(d.object for d in lab.documents if d.kind == "WorkflowTemplate" and d.name == name)


def parameters(task: Object) -> dict[str, str]:
    return {parameter["name"]: str(parameter["value"]) for parameter in task["arguments"]["parameters"]}


def register(manager: kube.Api, one: Member) -> None:
    """What makes a cluster known to Argo CD."""
    access = one.api.kubeconfig(one.api.token)
    tls = {"caData": access["clusters"][0]["cluster"]["certificate-authority-data"]}
    config = json.dumps({"bearerToken": one.api.token, "tlsClientConfig": tls})
    metadata = {"name": f"cluster-{one.name}", "namespace": "argocd"}
    data = {"name": one.name, "server": one.api.url, "config": config}
    manager.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})


def run_script(lab: Lab, task: Object, members: list[Member], manager: kube.Api) -> subprocess.CompletedProcess[str]:
    """The script of the template that a task names, on this machine: other paths, and the addresses of our API servers."""
    reference = task["templateRef"]
    template = next(t for t in workflow(lab, reference["name"])["spec"]["templates"] if t["name"] == reference["template"])
    given = {**parameters(task), "clusters": "".join(f"{one.name} {one.api.url}\n" for one in members)}
    environment = {v["name"]: given[re.sub(r"\W*inputs\.parameters\.(\w+)\W*", r"\1", v["value"])] for v in template["script"]["env"]}
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as folder:
        for volume in template.get("volumes") or []:
            place_scripts(lab, volume, Path(folder))
        (Path(folder) / "manager").write_text(json.dumps(manager.kubeconfig(manager.token)))
        (Path(folder) / "work").mkdir()
        path = f"{tools.JUDGES / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", template["script"]["source"].replace("/scripts/", f"{folder}/")], cwd=f"{folder}/work", check=False,
            env={**environment, "PATH": path, "HOME": folder, "KUBECONFIG": f"{folder}/manager"}, text=True, capture_output=True, timeout=180,
        )  # fmt: skip


def place_scripts(lab: Lab, volume: Object, folder: Path) -> None:
    wanted = (volume.get("configMap") or {}).get("name")
    for document in lab.documents:
        if document.kind == "ConfigMap" and document.name == wanted and document.file.startswith("workflows/"):
            for name, text in document.object["data"].items():
                (folder / name).write_text(text)


def sees(one: Member, other: Member, verdict: Verdict) -> None:
    """istiod's debug interface: the other cluster is synced, its endpoints and its network's gateway are known."""
    service = common_service([one, other])
    expectations = {
        f"clusterz: {other.name} synced": lambda: synced(one, other),
        f"endpointShardz: {service['metadata']['name']} in {other.name}, network {other.network}": lambda: endpoints(one, other, service),
    }
    if gateways(other):
        expectations[f"networkz: gateway {other.address}:15443 of network {other.network}"] = lambda: gateway_known(one, other)
    for title, holds in expectations.items():
        verdict.examined += 1
        try:
            kube.until(holds, title, PATIENCE)
        except TimeoutError as late:
            verdict.refuse(one.file, f"istiod of {one.name}: {late}; clusterz: {one.istiod.debug('clusterz')}; networkz: {one.istiod.debug('networkz')}")
            return


def synced(one: Member, other: Member) -> bool:
    return any(c["id"] == other.name and c["syncStatus"] == "synced" for c in one.istiod.debug("clusterz") or [])


def endpoints(one: Member, other: Member, service: Object) -> bool:
    namespace, name = key(service)
    for host, by_namespace in (one.istiod.debug("endpointShardz") or {}).items():
        if host.startswith(f"{name}.{namespace}.svc."):
            shards = by_namespace[namespace]["Shards"].get(f"Kubernetes/{other.name}") or []
            return any(other.address in shard["Addresses"] and shard["Network"] == other.network for shard in shards)
    return False


def gateway_known(one: Member, other: Member) -> bool:
    wanted = (other.network, other.name, other.address, 15443)
    return wanted in [(g["Network"], g["Cluster"], g["Addr"], g["Port"]) for g in one.istiod.debug("networkz") or []]


def signs(lab: Lab, one: Member, verdict: Verdict) -> None:
    """A proxy's request, by the code of Istio's agent: istiod's own certificate and the one it signs reach the shared root."""
    namespace, name = key(common_service([one]))
    account = next(d for d in one.of_kind("Deployment") if key(d) == (namespace, name))["spec"]["template"]["spec"]["serviceAccountName"]
    system = one.deployment["metadata"]
    root = lab.path("pki/root-cert.pem")
    verdict.examined += 2
    asking = Asking(one.file, f"{system['name']}.{system['namespace']}.svc", root, namespace, account)
    if not asking.of(lab, one, verdict):
        return
    published = one.api.ask("GET", f"/api/v1/namespaces/{namespace}/configmaps/istio-ca-root-cert")[1].get("data") or {}
    if published.get("root-cert.pem", "").strip() != root.read_text().strip():
        verdict.refuse(one.file, f"ConfigMap istio-ca-root-cert in {one.name}: not the root that the tree holds")


@dataclass(frozen=True)
class Asking:
    """A workload that asks for its certificate: the file that decides, istiod's name, the roots that it trusts, its account."""

    file: str
    server: str
    roots: Path
    namespace: str
    account: str

    def of(self, lab: Lab, one: Member, verdict: Verdict) -> bool:
        with pki.files(token=one.api.account_token(self.namespace, self.account, "istio-ca")) as folder:
            result = tools.run("judge-istio", "request", f"127.0.0.1:{one.istiod.signing}", self.server, self.roots, folder / "token", one.name)
            if result.returncode != 0:
                verdict.refuse(self.file, f"istiod of {one.name}, called {self.server}, signs nothing: {tools.said(result)}")
                return False
            (folder / "chain").write_text(result.stdout)
            for refusal in pki.refusals(self.roots, folder / "chain"):
                verdict.refuse(self.file, f"certificate of a workload in {one.name}: {refusal}")
        identity = f"URI:spiffe://{pki.trust_domain(lab, one.name)}/ns/{self.namespace}/sa/{self.account}"
        if identity not in pki.described(result.stdout):
            verdict.refuse(self.file, f"certificate of a workload in {one.name}: not {identity}")
        return True


def onboards(lab: Lab, one: Member, verdict: Verdict) -> None:
    """A machine outside of Kubernetes, with its own files: istiod's certificate has both names by which it is called."""
    for group in (d for d in lab.documents if d.kind == "WorkloadGroup" and d.cluster == one.name):
        folder = f"vms/{group.name}"
        config = lab.load(f"{folder}/mesh.yaml")["defaultConfig"]
        environment = machines.variables(lab.read(f"{folder}/cluster.env"))
        for address in (config["discoveryAddress"], environment["CA_ADDR"]):
            verdict.examined += 1
            server = address.rpartition(":")[0]
            account = environment["SERVICE_ACCOUNT"]
            Asking(folder, server, lab.path(f"{folder}/root-cert.pem"), environment["POD_NAMESPACE"], account).of(lab, one, verdict)


def without_authority(one: Member) -> str:
    """What istiod does where nothing is mounted: why the volume must be required."""
    access = one.api.kubeconfig(one.api.token)
    namespace = one.deployment["metadata"]["namespace"]
    try:
        with istiod(one.deployment, access, {authority_folder(one.deployment): {}}):
            status, _ = one.api.ask("GET", f"/api/v1/namespaces/{namespace}/secrets/istio-ca-secret")
    except Ended as end:
        return f"with an empty ROOT_CA_DIR istiod ends: {end}"
    made = "with a CA of its own making in Secret istio-ca-secret" if status == 200 else "without a CA of its own"
    return f"with an empty ROOT_CA_DIR istiod starts all the same, {made}: only the volume that Kubernetes requires keeps it from that"


JUDGES = [
    Judge(
        "control-plane", "the control plane itself", "istiod and Istio's agent (1.31 line, 2026-08-27) against kube-apiserver and Kubernetes' controllers v1.33.4",
        judge, tier="full",
    ),
]  # fmt: skip
