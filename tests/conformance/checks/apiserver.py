"""A real API server takes every object: server-side apply, strict field validation, CEL rules. No controller runs."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import charts, kubernetes, tools
from .lab import Lab, Object
from .verdict import Judge, Verdict

PATIENCE = 120.0  # seconds until the server must be ready
Said = tuple[str, Object]  # the file to name, and an object


def judge(lab: Lab, verdict: Verdict) -> None:
    """Dry runs: nothing is stored, so the objects of different clusters do not meet, and no webhook is in the way."""
    with server() as api:
        define(api)
        for cluster in lab.clusters:
            for file, object_ in objects_of(lab, cluster):
                verdict.examined += 1
                if refusal := api.apply(object_, dry_run=True):
                    verdict.refuse(file, f"{cluster}: {object_['kind']} {object_['metadata']['name']}: {refusal}")


def objects_of(lab: Lab, cluster: str) -> Iterator[Said]:
    """What this cluster gets: our manifests, the charts' objects, and on the manager all of Argo's."""
    manager = {lab.load(file)["stringData"]["name"] for file in lab.files("argocd/clusters/*.yaml")}
    for document in lab.documents:
        if document.cluster == cluster or (document.cluster is None and cluster in manager):
            yield document.file, document.object
    for chart in lab.charts:
        if chart.cluster == cluster and charts.has(chart.name):
            for object_ in charts.rendered(lab, chart)[0]:
                if object_["kind"] != "CustomResourceDefinition":
                    yield " ".join(chart.values), placed(object_, chart.namespace)


def placed(object_: Object, namespace: str) -> Object:
    if not kubernetes.is_namespaced(object_):
        return object_
    return {**object_, "metadata": {"namespace": namespace, **object_["metadata"]}}


def define(api: Api) -> None:
    """Every CRD that upstream publishes, and then a wait until the server serves them."""
    kinds = [(group, spec) for (group, _), spec in kubernetes.custom_kinds().items()]
    for group, spec in kinds:
        name = f"{spec['names']['plural']}.{group}"
        annotations = {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"} if group.endswith(".k8s.io") else {}
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": name, "annotations": annotations}, "spec": spec,
        }  # fmt: skip
        if refusal := api.apply(definition):
            raise RuntimeError(f"CRD {name}: {refusal}")
    for group, spec in kinds:
        version = next(v["name"] for v in spec["versions"] if v["served"])
        api.wait(f"/apis/{group}/{version}/{spec['names']['plural']}")


class Api:
    """A client of one API server, with a token that may do everything."""

    def __init__(self, port: int, token: str) -> None:
        self.url = f"https://127.0.0.1:{port}"
        self.token = token
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE  # its certificate is minutes old and its own
        self.plurals: dict[str, dict[str, str]] = {}
        self.namespaces: set[str] = set()

    def apply(self, object_: Object, dry_run: bool = False) -> str | None:
        """Apply an object; why the server refuses it, if it does."""
        version, metadata = str(object_["apiVersion"]), object_["metadata"]
        plural = self.plural(version, object_["kind"])
        if plural is None:
            return f"the server does not know {version} {object_['kind']}"
        namespace = ""
        if kubernetes.is_namespaced(object_):
            self.make_namespace(metadata.get("namespace", "default"))
            namespace = f"namespaces/{metadata.get('namespace', 'default')}/"
        options = "fieldManager=conformance&fieldValidation=Strict&force=true" + ("&dryRun=All" if dry_run else "")
        status, answer = self.ask("PATCH", f"{root(version)}/{namespace}{plural}/{metadata['name']}?{options}", object_)
        return None if status < 300 else str(answer.get("message", answer))

    def make_namespace(self, name: str) -> None:
        if name not in self.namespaces:
            self.namespaces.add(name)
            self.ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def plural(self, version: str, kind: str) -> str | None:
        if version not in self.plurals or kind not in self.plurals[version]:
            _, found = self.ask("GET", root(version))
            resources = found.get("resources") or []
            self.plurals[version] = {r["kind"]: r["name"] for r in resources if "/" not in r["name"]}
        return self.plurals[version].get(kind)

    def wait(self, path: str) -> None:
        end = time.monotonic() + PATIENCE
        while self.ask("GET", path)[0] != 200:
            if time.monotonic() > end:
                raise RuntimeError(f"the API server did not answer at {path} in {PATIENCE:.0f} s")
            time.sleep(0.2)

    def ask(self, method: str, path: str, body: Object | None = None) -> tuple[int, Any]:
        content = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=30) as response:
                return response.status, decoded(response.read())
        except urllib.error.HTTPError as error:
            return error.code, decoded(error.read())
        except OSError:
            return 0, {}


def decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace")}


def root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


@contextmanager
def server() -> Iterator[Api]:
    """etcd and a kube-apiserver on the loopback, for as long as they are needed."""
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as text:
        folder, token = Path(text), secrets.token_hex(16)
        (folder / "tokens").write_text(f'{token},conformance,conformance,"system:masters"\n')
        tools.answer("openssl", "genrsa", "-out", folder / "key", "2048")
        client, peer, port = free_port(), free_port(), free_port()
        etcd = [
            tools.find("etcd"), "--data-dir", f"{folder}/etcd", "--unsafe-no-fsync",
            "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls", f"http://127.0.0.1:{client}",
            "--listen-peer-urls", f"http://127.0.0.1:{peer}",
        ]  # fmt: skip
        apiserver = [
            tools.find("kube-apiserver"), "--etcd-servers", f"http://127.0.0.1:{client}", "--cert-dir", f"{folder}/certs",
            "--bind-address", "127.0.0.1", "--secure-port", str(port), "--service-cluster-ip-range", "10.0.0.0/16",
            "--token-auth-file", f"{folder}/tokens", "--authorization-mode", "RBAC",
            "--service-account-issuer", "https://conformance.invalid", "--service-account-key-file", f"{folder}/key",
            "--service-account-signing-key-file", f"{folder}/key", "--disable-admission-plugins", "ServiceAccount",
            "--allow-privileged",
        ]  # fmt: skip
        with process(etcd, folder / "etcd.log"), process(apiserver, folder / "apiserver.log"):
            api = Api(port, token)
            api.wait("/readyz")
            yield api


@contextmanager
def process(command: list[str], log: Path) -> Iterator[None]:
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as running:
        try:
            yield
        finally:
            running.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


JUDGES = [
    Judge("api-server", "all Kubernetes objects", "kube-apiserver v1.33.4 with etcd 3.4: server-side apply, strict, CEL rules", judge, tier="full"),
]
