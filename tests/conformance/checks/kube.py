"""A real Kubernetes API on the loopback: etcd, kube-apiserver and, where asked for, some of Kubernetes' controllers."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from . import kubernetes, tools
from .lab import Object

PATIENCE = 120.0  # seconds until a server must be ready


class Api:
    """A client of one API server, with a token that may do everything."""

    def __init__(self, port: int, token: str, authority: Path) -> None:
        self.url = f"https://127.0.0.1:{port}"
        self.token = token
        self.authority = authority  # what vouches for the server's certificate
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE  # its certificate is minutes old and its own
        self.plurals: dict[str, dict[str, str]] = {}
        self.namespaces: set[str] = set()

    def apply(self, object_: Object, dry_run: bool = False, part: str = "") -> str | None:
        """Apply an object, or its `/status`; why the server refuses it, if it does."""
        metadata = object_["metadata"]
        path = self.path(str(object_["apiVersion"]), object_["kind"], metadata.get("namespace", "default"))
        if path is None:
            return f"the server does not know {object_['apiVersion']} {object_['kind']}"
        if kubernetes.is_namespaced(object_):
            self.make_namespace(metadata.get("namespace", "default"))
        options = "fieldManager=conformance&fieldValidation=Strict&force=true" + ("&dryRun=All" if dry_run else "")
        status, answer = self.ask("PATCH", f"{path}/{metadata['name']}{part}?{options}", object_)
        return None if status in range(200, 300) else str(answer.get("message", answer))

    def path(self, version: str, kind: str, namespace: str) -> str | None:
        """Where the objects of a kind are, if the server knows it."""
        plural = self.plural(version, kind)
        within = f"namespaces/{namespace}/" if kubernetes.is_namespaced({"apiVersion": version, "kind": kind}) else ""
        return f"{root(version)}/{within}{plural}" if plural else None

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
        until(lambda: self.ask("GET", path)[0] == 200, f"an answer of the API server at {path}")

    def items(self, path: str) -> list[Object]:
        """What a list holds now; nothing while there is none."""
        return self.ask("GET", path)[1].get("items") or []

    def account_token(self, namespace: str, account: str, audience: str | None = None) -> str:
        """A token of a ServiceAccount, as the kubelet asks for it."""
        spec = {"expirationSeconds": 3600, **({"audiences": [audience]} if audience else {})}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        status, answer = self.ask("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", request)
        if status != 201:
            raise RuntimeError(f"no token for {namespace}/{account}: {answer.get('message', answer)}")
        return str(answer["status"]["token"])

    def kubeconfig(self, token: str) -> Object:
        authority = base64.b64encode(self.authority.read_bytes()).decode()
        return {
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": self.url, "certificate-authority-data": authority}}],
            "users": [{"name": "it", "user": {"token": token}}],
        }  # fmt: skip

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
def server(services: str = "10.0.0.0/16", controllers: tuple[str, ...] = ()) -> Iterator[Api]:
    """etcd and a kube-apiserver on the loopback, with these controllers, for as long as they are needed."""
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as text, ExitStack() as running:
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
            "--bind-address", "127.0.0.1", "--secure-port", str(port), "--service-cluster-ip-range", services,
            "--token-auth-file", f"{folder}/tokens", "--authorization-mode", "RBAC",
            "--service-account-issuer", "https://conformance.invalid", "--service-account-key-file", f"{folder}/key",
            "--service-account-signing-key-file", f"{folder}/key", "--disable-admission-plugins", "ServiceAccount",
            "--allow-privileged",
        ]  # fmt: skip
        running.enter_context(process(etcd, folder / "etcd.log"))
        running.enter_context(process(apiserver, folder / "apiserver.log"))
        api = Api(port, token, folder / "certs" / "apiserver.crt")
        api.wait("/readyz")
        if controllers:
            running.enter_context(process(manager(folder, api, controllers), folder / "controllers.log"))
        yield api


def manager(folder: Path, api: Api, controllers: tuple[str, ...]) -> list[str]:
    """Kubernetes' controller manager with nothing but these controllers."""
    (folder / "kubeconfig").write_text(json.dumps(api.kubeconfig(api.token)))
    return [
        tools.find("kube-controller-manager"), "--kubeconfig", f"{folder}/kubeconfig", "--controllers", ",".join(controllers),
        "--service-account-private-key-file", f"{folder}/key", "--root-ca-file", str(api.authority),
        "--leader-elect=false", "--bind-address", "127.0.0.1", "--secure-port", "0",
    ]  # fmt: skip


@contextmanager
def process(command: list[str], log: Path, environment: dict[str, str] | None = None, cwd: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the background that does not outlive its use."""
    own = None if environment is None else {"PATH": os.environ["PATH"], **environment}
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, env=own, cwd=cwd) as running:
        try:
            yield running
        finally:
            running.kill()


def until(happened: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait for something to become true, and give it back."""
    end = time.monotonic() + patience
    while not (found := happened()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.2)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
