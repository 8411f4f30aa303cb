"""What controllers would do where none runs: the status of Argo CD's Deployments, what Argo CD brings from Git, the progress of a workflow.

Nothing else is pretended: API servers, kubectl and the controller that fills in tokens are real.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .kube import Api
from .lab import Lab, Object

DEPLOYMENTS = ("argocd-server", "argocd-repo-server", "argocd-applicationset-controller")
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/argo/workflows"


class Hands:
    """They look again and again, and do what is to be done once."""

    def __init__(self, manager: Api, lab: Lab, applications: list[Object], helm_was_called: Path) -> None:
        self.manager, self.lab, self.applications, self.helm_was_called = manager, lab, applications, helm_was_called
        self.workflow_fails = True  # the first time
        self.refused: list[tuple[str, str]] = []
        self.done: set[str] = set()

    def once(self, name: str, ready: bool, act: Callable[[], None]) -> None:
        if ready and name not in self.done:
            self.done.add(name)
            act()

    def look(self) -> None:
        self.once("argo-cd", self.helm_was_called.exists(), self.start_argo_cd)
        names = {item["metadata"]["name"] for item in self.manager.items(APPLICATIONS)}
        self.once("git", "root" in names, self.bring_what_git_says)
        for workflow in self.manager.items(WORKFLOWS):
            identity = workflow["metadata"]["uid"]
            self.once(identity, True, lambda workflow=workflow: self.run(workflow))

    def start_argo_cd(self) -> None:
        """The chart's Deployments are available, and the server has made the key with which it signs tokens."""
        key = base64.b64encode(b"signing key").decode()
        self.apply("helm", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "namespace": "argocd"}, "data": {"server.secretkey": key}})
        for name in DEPLOYMENTS:
            labels = {"app.kubernetes.io/name": name}
            pods = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "one", "image": "example.invalid/argocd"}]}}
            metadata = {"name": name, "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}}
            deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
            self.apply("helm", {**deployment, "spec": {"selector": {"matchLabels": labels}, "template": pods}})
            available = {"type": "Available", "status": "True"}
            self.apply("helm", {**deployment, "status": {"conditions": [available]}}, part="/status")

    def bring_what_git_says(self) -> None:
        """Argo CD's own objects, the Applications that its ApplicationSets would yield, and the workflows."""
        for document in self.lab.documents:
            if document.file.startswith(("argocd/projects", "argocd/applicationsets", "workflows/")):
                self.apply(document.file, document.object)
        for application in self.applications:
            status = {"sync": {"status": "Synced", "comparedTo": compared(application)}, "health": {"status": "Healthy"}}
            self.apply(application["metadata"]["name"], {**application, "status": status})

    def run(self, workflow: Object) -> None:
        """A workflow makes progress, and ends; the first one badly."""
        ending = "Failed" if self.workflow_fails else "Succeeded"
        self.workflow_fails = False
        for phase, progress in (("Running", "1/3"), ("Running", "2/3"), (ending, "3/3")):
            self.progress(workflow, phase, progress)
            time.sleep(1)

    def progress(self, workflow: Object, phase: str, progress: str) -> None:
        node = {"id": "a", "name": "a", "displayName": "istio-istiod", "type": "Pod", "phase": phase, "message": "istiod of a-1 did not become healthy"}
        labels = {"workflows.argoproj.io/phase": phase}
        name = {key: workflow["metadata"][key] for key in ("name", "namespace")}
        status = {"phase": phase, "progress": progress, "nodes": {"a": node}}
        kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
        self.apply("workflow", {**kind, "metadata": {**name, "labels": labels}, "spec": workflow["spec"], "status": status})

    def apply(self, file: str, object_: Object, part: str = "") -> None:
        if refusal := self.manager.apply(object_, part=part):
            self.refused.append((file, f"{object_['kind']} {object_['metadata']['name']}: {refusal}"))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        end = threading.Event()

        def work() -> None:
            while not end.wait(0.5):
                self.look()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join(timeout=30)


def compared(application: Object) -> Object:
    """What Argo CD says that it has compared with: the destination and the sources, as they are."""
    spec = application["spec"]
    return {key: spec[key] for key in ("destination", "source", "sources") if key in spec}
