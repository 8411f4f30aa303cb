"""Configuration of kind's clusters and of the registry cache beside them.

kind itself reads the configuration and makes the cluster; a stand-in for Docker keeps what kind asks for and what it would write into the node.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from . import tools
from .lab import LOADER, Lab
from .verdict import Judge, Verdict

CERTS = "/etc/containerd/certs.d"


def clusters(lab: Lab, verdict: Verdict) -> None:
    for file in lab.files("clusters/*/kind.yaml"):
        verdict.examined += 1
        cluster = file.split("/")[1]
        with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as text:
            folder = Path(text)
            result = create(lab, cluster, file, folder)
            if not (folder / "init").exists():
                verdict.refuse(file, tools.said(result, 4))
                continue
            for refusal in node_refusals(lab, lab.load(file), folder):
                verdict.refuse(file, refusal)
    verdict.leave("the node itself: it ends where kubeadm would start")


def create(lab: Lab, cluster: str, file: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """kind makes a cluster, as far as it can without Docker."""
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "docker").symlink_to(tools.HERE / "judges" / "kind" / "docker")
    image = str(lab.load(file)["nodes"][0].get("image"))
    version = re.search(r":(v[0-9.]+)", image)
    environment = {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "HOME": str(folder),
        "STAND_IN": str(folder),
        "KUBERNETES": version.group(1) if version else "v1.33.4",
        "CONTAINERD": str(tools.HERE / "data" / "kind-containerd.toml"),
    }
    command = [tools.find("kind"), "create", "cluster", "--name", cluster, "--config", file, "--kubeconfig", str(folder / "kubeconfig")]
    return subprocess.run(command, cwd=lab.directory, env=environment, text=True, capture_output=True, timeout=120, check=False)


def node_refusals(lab: Lab, asked: Any, folder: Path) -> Iterator[str]:
    """What is asked for has arrived in what kind writes."""
    documents = {d["kind"]: d for d in yaml.load_all((folder / "kubeadm.conf").read_text(), Loader=LOADER)}
    for patch in asked.get("kubeadmConfigPatches") or []:
        wanted = yaml.load(patch, Loader=LOADER)
        for path in missing(wanted, documents.get(wanted["kind"]) or {}):
            yield f"kubeadm's {wanted['kind']} does not get {path}"
    sans = documents["ClusterConfiguration"]["apiServer"]["certSANs"]
    for name in {"localhost", "127.0.0.1"} - set(sans):
        yield f"kind's own name {name} is missing from the certificate of the API server: {sans}"
    endpoint = documents["ClusterConfiguration"]["controlPlaneEndpoint"]
    if f"https://{endpoint} " not in lab.read("README.md"):
        yield f"the API server is {endpoint}, which the lab's README does not say"
    if mounts := [volume for volume in (folder / "run").read_text().splitlines() if f":{CERTS}" in volume]:
        yield from registry_refusals(lab, folder, mounts[0])


def missing(wanted: Any, got: Any, path: str = "") -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            yield from missing(value, got.get(key), f"{path}.{key}".lstrip("."))
    elif wanted != got:
        yield path


def registry_refusals(lab: Lab, folder: Path, volume: str) -> Iterator[str]:
    """The folder that the node's containerd is told to read is the one that is mounted there, and holds what it can read."""
    containerd = tomllib.loads((folder / "config.toml").read_text())
    told = containerd["plugins"]["io.containerd.grpc.v1.cri"].get("registry", {}).get("config_path")
    if told != CERTS:
        yield f"containerd reads {told}, not {CERTS}"
    host = Path(volume.partition("=")[2].partition(":")[0])
    if host != lab.directory / "registries" / "certs.d" or not host.is_dir():
        yield f"what is mounted there is no folder of the tree: {host}"


def cache(lab: Lab, verdict: Verdict) -> None:
    """zot's keys; and every name that a node asks the cache for leads to the registry that it asks instead of."""
    file = "registries/zot.yaml"
    if not lab.path(file).exists():
        return
    verdict.leave("zot itself: the module registry does not serve it; data/zot-keys.txt has the keys of v2.1.20 that we use")
    verdict.examined += 1
    config = lab.load(file)
    known = set((tools.HERE / "data" / "zot-keys.txt").read_text().split())
    for key in sorted(set(keys(config)) - known):
        verdict.refuse(file, f"{key}: no key of zot that is known here")
    destinations = {}
    for registry in config.get("extensions", {}).get("sync", {}).get("registries", []):
        for content in registry.get("content", []):
            destinations[str(content.get("destination", "")).strip("/")] = (registry, content)
    for hosts in lab.files("registries/certs.d/*/hosts.toml"):
        verdict.examined += 1
        for refusal in hosts_refusals(hosts.split("/")[2], tomllib.loads(lab.read(hosts)), config, destinations):
            verdict.refuse(hosts, refusal)


def keys(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from keys(below, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, path)
    else:
        yield path


def hosts_refusals(name: str, hosts: Any, config: Any, destinations: dict[str, Any]) -> Iterator[str]:
    """containerd appends the repository to the path of the host (`override_path`); zot takes its destination off again."""
    if set(hosts) - {"server", "host"}:
        yield f"containerd knows no key {sorted(set(hosts) - {'server', 'host'})}"
    for url, host in hosts.get("host", {}).items():
        found = re.fullmatch(r"http://[a-z0-9-]+:([0-9]+)/v2/(\S+)", url)
        if not found or host.get("override_path") is not True:
            yield f"{url} is no path below /v2 with override_path"
            continue
        if set(host) - {"capabilities", "override_path"} or set(host.get("capabilities", [])) != {"pull", "resolve"}:
            yield f"{url}: more or less than pull and resolve: {host}"
        if found.group(1) != config["http"]["port"]:
            yield f"{url}: zot listens on {config['http']['port']}"
        registry, content = destinations.get(found.group(2), (None, None))
        if registry is None:
            yield f"{url}: zot has nothing at {found.group(2)}"
        elif content.get("prefix") != "**" or registry["urls"] != [hosts["server"]] or registry.get("onDemand") is not True:
            yield f"{url}: zot has something else at {found.group(2)} than {name} at {hosts['server']}: {registry}"


def kubeadm(lab: Lab, verdict: Verdict) -> None:
    """What kind would give kubeadm, by kubeadm's own strict reading."""
    for file in lab.files("clusters/*/kind.yaml"):
        verdict.examined += 1
        with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as text:
            folder = Path(text)
            create(lab, file.split("/")[1], file, folder)
            if not (folder / "kubeadm.conf").exists():
                verdict.refuse(file, "kind writes no configuration for kubeadm")
                continue
            shutil.copy(folder / "kubeadm.conf", folder / "kubeadm.yaml")
            result = tools.run("kubeadm", "config", "validate", "--config", folder / "kubeadm.yaml")
            said = [line for line in (result.stdout + result.stderr).splitlines() if "Ignored configuration document" not in line]
            if result.returncode != 0 or any("unknown field" in line for line in said):
                verdict.refuse(file, "\n".join(said[-4:]))


JUDGES = [
    Judge("kind-clusters", "kind configuration", "kind v0.30.0, on a stand-in for Docker", clusters),
    Judge("kubeadm", "kind configuration", "kubeadm v1.33.4: config validate", kubeadm, tier="full"),
    Judge("registry-cache", "zot and containerd files", "zot's documented keys and path rules, written anew", cache),
]
