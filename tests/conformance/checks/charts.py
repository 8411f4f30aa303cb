"""Helm renders the real chart with our values; what comes out is judged like what we write."""

from __future__ import annotations

from functools import cache

import yaml

from . import kubernetes, tools
from .lab import LOADER, Chart, Lab, Object, group_of
from .verdict import Judge, Missing, Verdict


def judge(lab: Lab, verdict: Verdict) -> None:
    asked: list[Object] = []
    for chart in lab.charts:
        if not has(chart.name):
            verdict.leave(f"chart {chart.name} {chart.version} (not here: README.md)")
            continue
        verdict.examined += 1
        objects, refusal = rendered(lab, chart)
        if refusal:
            verdict.refuse(" ".join(chart.values), f"helm template {chart.name}: {refusal}")
        for object_ in objects:
            for objection in kubernetes.objections(object_):
                verdict.refuse(" ".join(chart.values), f"as rendered by chart {chart.name}: {objection}")
            asked.append(question(chart, object_))
    for problem in lab.permitted(asked):
        verdict.refuse(problem["file"], problem["said"])


def has(chart: str) -> bool:
    return (tools.judges_installed("charts") / chart).exists()


@cache
def rendered(lab: Lab, chart: Chart) -> tuple[list[Object], str | None]:
    """The objects of one release, or why Helm refuses."""
    values = [argument for file in chart.values for argument in ("--values", str(lab.path(file)))]
    result = tools.run(
        "helm", "template", chart.release, str(tools.JUDGES / "charts" / chart.name), "--namespace", chart.namespace,
        "--kube-version", f"{kubernetes.KUBERNETES}.0", "--include-crds", *values,
    )  # fmt: skip
    if result.returncode != 0:
        return [], tools.said(result)
    return [object_ for object_ in yaml.load_all(result.stdout, Loader=LOADER) if object_], None


def question(chart: Chart, object_: Object) -> Object:
    """May this project apply this object?"""
    return {
        "project": chart.project,
        "cluster": chart.cluster,
        "group": group_of(object_),
        "kind": object_["kind"],
        "name": object_["metadata"]["name"],
        "namespaced": kubernetes.is_namespaced(object_),
        "namespace": object_["metadata"].get("namespace") or chart.namespace,
        "file": " ".join(chart.values),
    }


def versions() -> str:
    """The charts that are here, each with the version it calls itself."""
    try:
        folder = tools.judges_installed("charts")
    except Missing:
        return "none"
    charts = (yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*/Chart.yaml")))
    return ", ".join(f"{chart['name']} {chart['version']}" for chart in charts)


JUDGES = [
    Judge("helm-charts", "Helm values", "Helm v3.19.4 with the real charts; the schemas; Argo CD's AppProject", judge),
]
