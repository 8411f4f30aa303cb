"""`meshlab up` for real: it seeds real API servers with real kubectl. Machines and controllers are stood in for, visibly (`hands.py`).

The lab is the one judged, with clusters that exist already in place of its machines: the manager, and the first cells up to two clusters.
"""

from __future__ import annotations

import base64
import fnmatch
import json
import os
import re
import secrets
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from . import apiserver, kube, sealed, tools
from .hands import Hands
from .lab import LOADER, Lab, Object
from .verdict import Judge, Verdict

CONTROLLERS = ("serviceaccount-token-controller",)
REGISTRATION = "argocd.argoproj.io/secret-type"
PATIENCE = 240  # seconds for one run


def judge(lab: Lab, verdict: Verdict) -> None:
    blueprint = with_existing_clusters(lab)
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="meshlab-conformance-")))
        names = [cluster["name"] for cluster in clusters_of(blueprint)]
        apis = {name: running.enter_context(kube.server(controllers=CONTROLLERS)) for name in names}
        apiserver.define(apis[names[0]], ("argoproj.io",))
        reach(blueprint, apis)
        trial = Trial(lab, verdict, folder, apis)
        if trial.prepare(blueprint):
            with trial.hands.at_work():
                trial.run()
            for file, refusal in trial.hands.refused:
                verdict.refuse(file, refusal)


def with_existing_clusters(lab: Lab) -> Any:
    """The lab's blueprint, cut down to the manager and the first cells, on clusters that exist already."""
    blueprint = yaml.load((tools.ROOT / "blueprints" / f"{lab.name}.yaml").read_text(), Loader=LOADER)
    spec = blueprint["spec"]
    for part in ("registries", "registryCache"):
        spec.pop(part, None)
    spec["cells"] = few(spec.get("cells", []))
    spec.setdefault("secrets", {})["key"] = "rsa-2048"
    spec["settings"]["provider"] = {"existing": {}}
    network = spec["settings"].get("network") or {}
    if network.get("loadBalancer") == "cloud-provider-kind":  # which serves kind's clusters alone
        network["loadBalancer"] = "provider"
    targets = [one["name"] for cell in spec["cells"] for one in (cell, *cell["clusters"])]
    matching = [one for one in spec.get("overrides", []) if any(fnmatch.fnmatch(target, glob) for target in targets for glob in one["for"])]
    spec["overrides"] = [{key: value for key, value in one.items() if key != "provider"} for one in matching]
    return blueprint


def few(cells: list[Any]) -> list[Any]:
    """Cells from the first on, with their clusters by name, until there are two clusters."""
    chosen: list[Any] = []
    for entry in cells:
        if sum(len(cell["clusters"]) for cell in chosen) >= 2:
            break
        cell = {key: value for key, value in entry.items() if key in ("name", "clusters")}
        cell.setdefault("clusters", [{"name": f"{cell['name']}-{number}"} for number in range(1, int(entry.get("count", 1)) + 1)])
        chosen.append(cell)
    return chosen


def clusters_of(blueprint: Any) -> list[Any]:
    """The manager first."""
    spec = blueprint["spec"]
    return [spec["manager"], *(cluster for cell in spec["cells"] for cluster in cell["clusters"])]


def reach(blueprint: Any, apis: dict[str, kube.Api]) -> None:
    for number, cluster in enumerate(clusters_of(blueprint), 1):
        cluster.update(address=f"127.0.0.{number}", apiServer=apis[cluster["name"]].url)


@dataclass
class Trial:
    """A lab repository of its own, in which `meshlab up` runs again and again."""

    lab: Lab
    verdict: Verdict
    folder: Path
    apis: dict[str, kube.Api]
    said: str = ""
    runs: list[subprocess.CompletedProcess[str]] = field(default_factory=list)

    @property
    def manager(self) -> str:
        return next(iter(self.apis))

    def prepare(self, blueprint: Any) -> bool:
        """Renders with keys of its own, and puts stand-ins for what needs controllers on the path."""
        (self.folder / "blueprints").mkdir()
        (self.folder / "blueprints" / f"{self.lab.name}.yaml").write_text(yaml.safe_dump(blueprint, sort_keys=False))
        tools.answer("git", "-C", self.folder, "init", "--quiet")
        rendered = self.meshlab("render", self.lab.name)
        if rendered.returncode != 0:
            self.verdict.leave(f"its blueprint on clusters that exist already: {tools.said(rendered, 3)}")
            return False
        self.tree = Lab(self.folder / "out" / self.lab.name)
        # What the judged tree says of the lab as a whole is what Argo CD would read.
        self.hands = Hands(self.apis[self.manager], self.judged(), self.applications(), self.folder / "helm.called")
        self.token = f"minted.{secrets.token_hex(16)}"
        kubeconfig = {"apiVersion": "v1", "kind": "Config", "contexts": [], "clusters": [], "users": []}
        for name, api in self.apis.items():
            own = json.loads(json.dumps(api.kubeconfig(api.token)).replace('"it"', json.dumps(name)))
            for part in ("contexts", "clusters", "users"):
                kubeconfig[part] += own[part]
        (self.folder / "users-kubeconfig").write_text(json.dumps(kubeconfig))
        (self.folder / "bin").mkdir()
        for name, script in self.stand_ins().items():
            path = self.folder / "bin" / name
            path.write_text(f"#!/bin/bash\nset -euo pipefail\necho {name} \"$*\" >>{self.folder}/calls\n{script}\n")
            path.chmod(0o755)
        return True

    def judged(self) -> Lab:
        """The tree as rendered here, with the workflows of the tree that is judged."""
        return JudgedTree(self.tree, self.lab)

    def applications(self) -> list[Object]:
        return json.loads(self.meshlab("apps", self.lab.name, "--format", "json").stdout)

    def stand_ins(self) -> dict[str, str]:
        """helm and argocd would need a cluster that runs pods; kubectl is itself."""
        kubectl = tools.find("kubectl")
        namespace = f"{kubectl} config view --minify --output 'jsonpath={{.contexts[0].context.namespace}}'"
        return {
            "helm": f"case \"$*\" in\n*upgrade*) touch {self.folder}/helm.called ;;\n*) exit 1 ;;\nesac",
            "argocd": f"[[ $({namespace}) == argocd && $* == 'account generate-token --core --account meshlab' ]]\necho {self.token}",
            "kubectl": f'exec {kubectl} "$@"',
        }

    def meshlab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tools.meshlab(), *arguments], cwd=self.folder, env=self.environment(), text=True, capture_output=True, timeout=PATIENCE, check=False
        )

    def environment(self) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "KUBECONFIG": str(self.folder / "users-kubeconfig")}

    def run(self) -> None:
        """Killed in the middle; then a workflow that fails; then one that does not; then nothing is left to do."""
        # A lone cluster has nobody to register.
        registration = f"/api/v1/namespaces/argocd/secrets?labelSelector={REGISTRATION}%3Dcluster"
        self.killed_after(registration if len(self.apis) > 1 else "/api/v1/namespaces/argocd/secrets")
        self.up(3, "it failed", "istio-istiod")
        self.up(0, "bootstrap/done: done")
        before = self.state()
        calls = self.calls()
        self.up(0, "nothing to do")
        self.expect(self.state() == before, "-", "a second run changed what the first had done")
        self.expect(self.calls() == calls, "-", "a second run called helm or argocd again")
        for name in self.apis:
            self.sealing_key(name)
        for name in list(self.apis)[1:]:
            self.registration(name)
        self.token_and_root()
        self.secrecy()
        status = self.meshlab("status", self.lab.name)
        self.expect(status.returncode == 0, "-", f"meshlab status: {tools.said(status)}")

    def expect(self, holds: bool, file: str, said: str) -> None:
        self.verdict.examined += 1
        if not holds:
            self.verdict.refuse(file, said)

    def killed_after(self, path: str) -> None:
        command = [tools.meshlab(), "up", self.lab.name]
        with subprocess.Popen(command, cwd=self.folder, env=self.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as up:
            try:
                kube.until(lambda: up.poll() is not None or self.apis[self.manager].items(path), f"something at {path}", PATIENCE)
            finally:
                up.send_signal(signal.SIGKILL)
            self.said += up.communicate()[0]

    def up(self, code: int, *words: str) -> None:
        done = self.meshlab("up", self.lab.name, "--verbose")
        said = done.stdout + done.stderr
        self.said += said
        missing = [word for word in words if word not in said]
        self.expect(done.returncode == code and not missing, "-", f"meshlab up: exit code {done.returncode}, not {code}, or no word of {missing}: {tools.said(done, 20)}")

    def state(self) -> dict[str, str]:
        """Versions of everything that seeding writes: they change with every write."""
        paths = ("namespaces/kube-system/secrets", "namespaces/kube-system/serviceaccounts", "namespaces/argocd/secrets", "namespaces/argo/secrets", "namespaces")
        argo = ("namespaces/argocd/applications", "namespaces/argo/workflows")
        found = {}
        for name, api in self.apis.items():
            lists = [f"/api/v1/{path}" for path in paths] + [f"/apis/argoproj.io/v1alpha1/{path}" for path in argo if name == self.manager]
            for path in lists:
                for item in api.items(path):
                    found[f"{name}{path}/{item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
        return found

    def calls(self) -> list[str]:
        """Calls that change something outside Kubernetes."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith("argocd ") or "upgrade" in line and line.startswith("helm ")]

    def secret(self, cluster: str, namespace: str, name: str) -> tuple[Object, dict[str, str]]:
        _, found = self.apis[cluster].ask("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        data = {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}
        return found, data

    def sealing_key(self, name: str) -> None:
        """The key that the controller will find opens what is sealed in the tree for this cluster."""
        _, found = self.apis[name].ask("GET", "/api/v1/namespaces/kube-system/secrets?labelSelector=sealedsecrets.bitnami.com/sealed-secrets-key%3Dactive")
        keys = found.get("items") or []
        self.expect(len(keys) == 1 and keys[0]["type"] == "kubernetes.io/tls", "-", f"{name}: {len(keys)} sealing keys")
        key = self.folder / f"{name}.key"
        key.write_bytes(base64.b64decode(keys[0]["data"]["tls.key"]) if keys else b"")
        for document in [document for document in sealed.sealed(self.tree) if document.cluster == name]:
            result = tools.run("kubeseal", "--recovery-unseal", "--recovery-private-key", key, stdin=json.dumps(document.object))
            self.expect(result.returncode == 0, document.file, f"{name}: its own key does not open it: {tools.said(result)}")

    def registration(self, name: str) -> None:
        """In Argo CD's form, with the labels that ApplicationSets look for; and the token opens the cluster."""
        found, data = self.secret(self.manager, "argocd", f"cluster-{name}")
        labels = (found.get("metadata") or {}).get("labels") or {}
        cell = self.tree.load(self.tree.files(f"clusters/{name}/apps/*.yaml")[0])["cell"]
        wanted = {REGISTRATION: "cluster", "name": name, "cell": cell}
        self.expect(wanted.items() <= labels.items(), "-", f"registration of {name}: labels {labels}, not {wanted}")
        config = json.loads(data.get("config", "{}"))
        api = self.apis[name]
        own = kube.Api(int(api.url.rpartition(":")[2]), config.get("bearerToken", ""), api.authority)
        status, answer = own.ask("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin")
        self.expect(data.get("server") == api.url and status == 200, "-", f"registration of {name}: {data.get('server')} answers {status} {answer.get('message')}")
        authority = base64.b64decode(config.get("tlsClientConfig", {}).get("caData", "")).decode()
        self.expect(authority.strip() == api.authority.read_text().strip(), "-", f"registration of {name}: another authority than its API server's")

    def token_and_root(self) -> None:
        _, data = self.secret(self.manager, "argo", "argocd-credentials")
        self.expect(data.get("token") == self.token, "-", "argocd-credentials does not hold the minted token")
        _, root = self.apis[self.manager].ask("GET", "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/root")
        wanted = self.lab.load("argocd/root.yaml")
        self.expect(root.get("spec") == wanted["spec"], "argocd/root.yaml", "the root Application is not what the tree says")
        managers = [entry["manager"] for entry in (root.get("metadata") or {}).get("managedFields") or [] if entry["operation"] == "Apply"]
        self.expect("meshlab" in managers, "argocd/root.yaml", f"not applied server-side by meshlab, but by {managers}")
        workflows = self.apis[self.manager].items("/apis/argoproj.io/v1alpha1/namespaces/argo/workflows")
        named = [workflow["spec"].get("workflowTemplateRef") for workflow in workflows]
        self.expect(named == [{"name": "bootstrap"}], "workflows/bootstrap.yaml", f"submitted: {named}")

    def secrecy(self) -> None:
        """No secret in what was said, on a command line, or in a file that others can read."""
        calls = (self.folder / "calls").read_text()
        for what, text in (("what was said", self.said), ("command lines", calls)):
            shown = [name for name, secret in self.secrets() if secret in text]
            self.expect(not shown, "-", f"{what} show: {', '.join(shown)}")
        kept = [path for path in (self.folder / ".meshlab").rglob("*") if path.is_file()]
        open_ = [str(path.relative_to(self.folder)) for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077]
        self.expect(not open_ and bool(kept), "-", f"others can read {', '.join(open_)}")

    def secrets(self) -> Iterator[tuple[str, str]]:
        yield "Argo CD's token", self.token
        for name in self.apis:
            key = (self.folder / f"{name}.key").read_text()
            if not key:
                continue
            body = re.sub(r"-----.*?-----|\s", "", key)
            yield f"the sealing key of {name}", body[40:80]
            yield f"the sealing key of {name} in base64", base64.b64encode(key.encode()).decode()[60:120]
            yield f"the user's token for {name}", self.apis[name].token
        for name in list(self.apis)[1:]:
            _, data = self.secret(self.manager, "argocd", f"cluster-{name}")
            yield f"the token for {name}", json.loads(data["config"])["bearerToken"]


class JudgedTree(Lab):
    """A tree whose workflows are another's: those that are judged."""

    def __init__(self, tree: Lab, judged: Lab) -> None:
        super().__init__(tree.directory)
        others = [document for document in tree.documents if not document.file.startswith("workflows/")]
        self.__dict__["documents"] = others + [document for document in judged.documents if document.file.startswith("workflows/")]


JUDGES = [
    Judge("seeding", "what `meshlab up` writes", "kube-apiserver, token controller and kubectl v1.33.4, kubeseal v0.36.6", judge, tier="full", cap=900),
]
