"""Istio's own validation of its objects, of the mesh configuration, and its analysis of a whole cluster."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml

from . import charts, tools
from .lab import Lab, Object
from .verdict import Judge, Verdict

BY = "Istio (1.31 line, 2026-08-27)"
# Analysis without an API server sees files only: these messages are about what only a cluster has.
UNKNOWABLE = {
    "IST0118": "port names of Services",
}


def objects(lab: Lab, verdict: Verdict) -> None:
    """`istioctl validate`, file by file."""
    files = sorted({document.file for document in lab.documents if document.group.endswith("istio.io")})
    for file in files:
        verdict.examined += 1
        result = tools.run("istioctl", "validate", "--filename", lab.path(file))
        if result.returncode != 0 or "Warning" in result.stdout + result.stderr:
            verdict.refuse(file, tools.said(result))


def mesh(lab: Lab, verdict: Verdict) -> None:
    """The mesh configuration as the istiod chart makes it of our values, unknown fields refused."""
    for chart in lab.charts:
        if chart.name != "istiod":
            continue
        for text in mesh_configurations(charts.rendered(lab, chart)[0]):
            verdict.examined += 1
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                result = tools.run("judge-istio", "mesh", file.name)
            if result.returncode != 0:
                verdict.refuse(" ".join(chart.values), f"mesh configuration: {tools.said(result)}")


def mesh_configurations(rendered: list[Object]) -> list[str]:
    maps = (object_ for object_ in rendered if object_["kind"] == "ConfigMap")
    return [map_["data"]["mesh"] for map_ in maps if "mesh" in (map_.get("data") or {})]


def analysis(lab: Lab, verdict: Verdict) -> None:
    """`istioctl analyze` over all that one cluster gets: our manifests and what Istio's charts make of our values."""
    for cluster in lab.clusters:
        documents = [d.object for d in lab.documents if d.cluster == cluster]
        for chart in lab.charts:
            if chart.cluster == cluster and charts.has(chart.name):
                documents += [in_namespace(object_, chart.namespace) for object_ in charts.rendered(lab, chart)[0]]
        verdict.examined += len(documents)
        for message in analyze(documents):
            if message["level"] != "Info":
                verdict.refuse(f"clusters/{cluster}", f"{message['code']} {message.get('origin', '')}: {message['message']}")


def in_namespace(object_: Object, namespace: str) -> Object:
    metadata = {"namespace": namespace, **object_["metadata"]}
    return {**object_, "metadata": metadata}


def analyze(documents: list[Object]) -> list[Object]:
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as folder:
        file = Path(folder) / "cluster.yaml"
        file.write_text(yaml.safe_dump_all(documents))
        result = tools.run("istioctl", "analyze", "--use-kube=false", "--all-namespaces", "--output", "json", file)
    start = result.stdout.find("[")
    if start < 0:
        raise RuntimeError(f"istioctl analyze: {tools.said(result)}")
    return [m for m in json.loads(result.stdout[start:]) if m["code"] not in UNKNOWABLE]


JUDGES = [
    Judge("istio-objects", "Istio objects and values", f"{BY}: istioctl validate", objects),
    Judge("istio-mesh", "Istio objects and values", f"{BY}: mesh configuration, strictly", mesh),
    Judge("istio-analysis", "Istio objects and values", f"{BY}: istioctl analyze", analysis),
]
