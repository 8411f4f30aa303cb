"""A real istiod as a process, started the way that its rendered Deployment starts it."""

from __future__ import annotations

import json
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import kube, tools
from .lab import Object

PATIENCE = 60.0  # seconds for istiod to become ready, or to see what it should


@dataclass(frozen=True)
class Istiod:
    """Where a running istiod is."""

    http: int
    signing: int

    def debug(self, page: str) -> Any:
        """A page of its debug interface; nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/debug/{page}", timeout=10) as response:
                return json.loads(response.read())
        except (OSError, ValueError):
            return None

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/ready", timeout=10) as response:
                return bool(response.status == 200)
        except OSError:
            return False


class Ended(Exception):
    """istiod ended before it was ready; the last it said."""


@contextmanager
def istiod(deployment: Object, kubeconfig: Object, mounted: dict[str, dict[str, bytes]]) -> Iterator[Istiod]:
    """Run what the pod would run: its arguments and its environment; `mounted` holds the files of each volume by mount path.

    Only where it listens is changed, and paths of volumes lie below a folder of their own.
    """
    container = container_of(deployment)
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as folder:
        environment = environment_of(deployment, container, Path(folder))
        environment["KUBECONFIG"] = f"{folder}/kubeconfig"
        Path(environment["KUBECONFIG"]).write_text(json.dumps(kubeconfig))
        for path, files in mounted.items():
            place(Path(folder + path), files)
        running = Istiod(kube.free_port(), kube.free_port())
        command = [tools.find("pilot-discovery"), *arguments_of(container), *listening(running)]
        log = Path(folder) / "log"
        with kube.process(command, log, environment, Path(folder)) as process:
            kube.until(lambda: running.ready() or ended(process, log), "istiod", PATIENCE)
            yield running


def container_of(deployment: Object) -> Object:
    return deployment["spec"]["template"]["spec"]["containers"][0]


def environment_of(deployment: Object, container: Object, folder: Path) -> dict[str, str]:
    spec = deployment["spec"]["template"]["spec"]
    fields = {
        "metadata.name": f"{deployment['metadata']['name']}-0",
        "metadata.namespace": deployment["metadata"]["namespace"],
        "spec.serviceAccountName": spec["serviceAccountName"],
    }
    found = {}
    for variable in container["env"]:
        field = (variable.get("valueFrom") or {}).get("fieldRef", {}).get("fieldPath")
        value = fields.get(field, variable.get("value"))
        if value is not None:
            found[variable["name"]] = value
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    return {name: str(folder) + value if value in mounts else value for name, value in found.items()}


def arguments_of(container: Object) -> list[str]:
    return [argument for argument in container["args"] if not argument.startswith("--monitoringAddr")]


def listening(running: Istiod) -> list[str]:
    names = ("httpsAddr", "grpcAddr", "monitoringAddr")
    elsewhere = [f"--{name}=127.0.0.1:{kube.free_port()}" for name in names]
    own = [f"--httpAddr=127.0.0.1:{running.http}", f"--secureGRPCAddr=127.0.0.1:{running.signing}"]
    return [*own, *elsewhere, f"--ctrlz_port={kube.free_port()}"]


def place(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise Ended("\n".join(log.read_text().strip().splitlines()[-5:]))
    return False
