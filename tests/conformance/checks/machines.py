"""Machines outside of Kubernetes: what `istioctl x workload entry configure` writes for the same WorkloadGroup, key by key."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from . import charts, tools
from .lab import LOADER, Document, Lab, Object
from .verdict import Judge, Verdict

ROOTS = "pki/root-cert.pem"
GATEWAY = "istio-eastwestgateway"
# Where MetalLB is told which address a Service gets.
ADDRESS = "metallb.io/loadBalancerIPs"


def judge(lab: Lab, verdict: Verdict) -> None:
    for folder in sorted({file.rsplit("/", 1)[0] for file in lab.files("vms/*/*")}):
        group = group_of(lab, folder.removeprefix("vms/"))
        if group is None:
            verdict.refuse(folder, "no cluster has a WorkloadGroup of that name")
            continue
        upstream = written_by_upstream(lab, folder, group)
        for name, read in READERS.items():
            verdict.examined += 1
            ours = lab.read(f"{folder}/{name}") if lab.path(f"{folder}/{name}").exists() else ""
            for objection in differences(read(ours), read(upstream[name])):
                verdict.refuse(f"{folder}/{name}", objection)
        verdict.examined += 1
        for objection in unfound(lab, group):
            verdict.refuse(group.file, objection)


def group_of(lab: Lab, name: str) -> Document | None:
    groups = (document for document in lab.documents if document.kind == "WorkloadGroup" and document.name == name)
    return next(groups, None)


def written_by_upstream(lab: Lab, folder: str, group: Document) -> dict[str, str]:
    ours = variables(lab.read(f"{folder}/cluster.env"))
    revision = ours.get("CA_ADDR", "").partition(".")[0].removeprefix("istiod-")
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as temporary:
        cluster, output = Path(temporary) / "cluster.json", Path(temporary) / "output"
        cluster.write_text(json.dumps(found_in_cluster(lab, group)))
        # An address of its own is an argument of the command, and nowhere in the WorkloadGroup.
        address = ours.get("ISTIO_SVC_IP", "")
        tools.answer("judge-istio", "machine", lab.path(group.file), cluster, revision, address, output)
        return {name: (output / name).read_text() for name in READERS}


def found_in_cluster(lab: Lab, group: Document) -> Object:
    """What the command looks up: ConfigMaps as the istiod chart makes them, the roots as istiod publishes them, the gateway's address."""
    spec, namespace = group.object["spec"], group.object["metadata"]["namespace"]
    roots = {"metadata": {"name": "istio-ca-root-cert", "namespace": namespace}, "data": {"root-cert.pem": lab.read(ROOTS)}}
    objects = list(of_charts(lab, group.cluster))
    return {
        "configMaps": [roots, *(one for one in objects if one["kind"] == "ConfigMap")],
        "services": [addressed(one) for one in objects if one["kind"] == "Service" and one["metadata"]["name"] == GATEWAY],
        "namespace": namespace,
        "serviceAccount": spec["template"]["serviceAccount"],
    }


def of_charts(lab: Lab, cluster: str | None) -> Iterator[Object]:
    for chart in lab.charts:
        if chart.cluster == cluster and chart.name in ("istiod", "gateway"):
            for object_ in charts.rendered(lab, chart)[0]:
                object_["metadata"].setdefault("namespace", chart.namespace)
                yield object_


def addressed(service: Object) -> Object:
    """The Service as it is when MetalLB has done what it is told; without that, its address is nobody's to know."""
    address = (service["metadata"].get("annotations") or {}).get(ADDRESS)
    return {**service, "status": {"loadBalancer": {"ingress": [{"ip": address}]}}} if address else service


def variables(text: str) -> dict[str, str]:
    """A file that a shell sources."""
    lines = (shlex.split(line, comments=True) for line in text.splitlines())
    return dict(word.split("=", 1) for words in lines for word in words)


def environment(text: str) -> dict[str, Any]:
    found: dict[str, Any] = dict(variables(text))
    # Upstream walks a map here, in whatever order.
    found["ISTIO_INBOUND_PORTS"] = sorted(found.get("ISTIO_INBOUND_PORTS", "").split(","))
    return found


def mesh(text: str) -> dict[str, Any]:
    return dict(flat(yaml.load(text, Loader=LOADER) or {}))


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else key)
    else:
        yield path, value


def lines(text: str) -> dict[str, Any]:
    return dict(enumerate(text.splitlines(), 1))


READERS = {"cluster.env": environment, "mesh.yaml": mesh, "hosts": lines, "root-cert.pem": lines}


def differences(ours: dict[Any, Any], theirs: dict[Any, Any]) -> Iterator[str]:
    for key in sorted(ours.keys() | theirs.keys(), key=str):
        if key not in theirs:
            yield f"{key}: upstream writes no such thing"
        elif key not in ours:
            yield f"{key} is missing: upstream writes {theirs[key]!r}"
        elif ours[key] != theirs[key]:
            yield f"{key} is {ours[key]!r}: upstream writes {theirs[key]!r}"


def unfound(lab: Lab, group: Document) -> Iterator[str]:
    """A machine with ports is found by a Service: by its labels, in its namespace, each port by its name (serviceInstanceFromWorkloadInstance)."""
    spec, namespace = group.object["spec"], group.object["metadata"]["namespace"]
    ports = spec["template"].get("ports") or {}
    labels = (spec.get("metadata") or {}).get("labels") or {}
    services = [
        document.object["spec"]
        for document in lab.documents
        if document.kind == "Service" and document.cluster == group.cluster and document.object["metadata"]["namespace"] == namespace
    ]
    selecting = [service for service in services if service.get("selector") and service["selector"].items() <= labels.items()]
    if ports and not selecting:
        yield f"no Service in {namespace} selects it"
    for service in selecting:
        for port in service["ports"]:
            target = port.get("targetPort")
            name = target if isinstance(target, str) else port.get("name")
            if name not in ports:
                yield f"a Service looks for its port {name}"


JUDGES = [
    Judge("vm-files", "VM files", "Istio (1.31 line, 2026-08-27): istioctl x workload entry configure", judge),
]
