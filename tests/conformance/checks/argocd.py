"""ApplicationSets: Argo CD's own code expands them, its AppProjects permit what comes out, and `meshlab apps` agrees."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from . import kubernetes, tools
from .lab import Document, Lab, Object
from .verdict import Judge, Missing, Verdict

SETTINGS = {"cm": "argocd-cm.yaml", "params": "argocd-cmd-params-cm.yaml", "rbac": "argocd-rbac-cm.yaml"}
ACCOUNT = re.compile(r"accounts\.[a-z0-9-]+(\.enabled)?")


def expanded(lab: Lab, verdict: Verdict) -> None:
    verdict.examined = len(lab.expansion["applications"])
    for problem in lab.expansion["problems"]:
        verdict.refuse(problem["file"], problem["said"])


def permitted(lab: Lab, verdict: Verdict) -> None:
    """Every manifest belongs to an Application whose project may apply it."""
    asked = []
    by_path = dict(paths(lab))
    for document in lab.documents:
        if document.file.startswith("argocd/"):
            continue  # the root Application's: project default permits everything
        verdict.examined += 1
        application = by_path.get(folder_of(document))
        if application is None:
            verdict.refuse(document.file, "no Application applies it")
        else:
            asked.append(question(document, application))
    for problem in lab.permitted(asked):
        verdict.refuse(problem["file"], problem["said"])


def folder_of(document: Document) -> str:
    """The folder that an Application names: one per instance, or `workflows`."""
    depth = 4 if document.file.startswith("clusters/") else 1
    return "/".join(document.file.split("/")[:depth])


def paths(lab: Lab) -> Iterator[tuple[str, Object]]:
    prefix = f"out/{lab.name}/"
    for application in lab.expansion["applications"]:
        spec = application["spec"]
        for source in spec.get("sources") or [spec.get("source") or {}]:
            if str(source.get("path", "")).startswith(prefix):
                yield source["path"].removeprefix(prefix).rstrip("/"), application


def question(document: Document, application: Object) -> Object:
    metadata = document.object.get("metadata") or {}
    destination = application["spec"]["destination"]
    return {
        "project": application["spec"]["project"],
        "cluster": destination.get("name", ""),
        "server": destination.get("server", ""),
        "group": document.group,
        "kind": document.kind,
        "name": document.name,
        "namespaced": kubernetes.is_namespaced(document.object),
        "namespace": metadata.get("namespace") or destination.get("namespace") or "",
        "file": document.file,
    }


def settings(lab: Lab, verdict: Verdict) -> None:
    """Argo CD's ConfigMaps take any key, so a typo there would go unnoticed."""
    for chart in lab.charts:
        if chart.name != "argo-cd":
            continue
        for file in chart.values:
            configs = (lab.load(file) or {}).get("configs") or {}
            for section, manual in SETTINGS.items():
                given = configs.get(section) or {}
                verdict.examined += len(given)
                for key in sorted(given.keys() - documented(manual)):
                    if not ACCOUNT.fullmatch(key):
                        verdict.refuse(file, f"configs.{section}: {manual} documents no {key}")
            policy = tools.run("judge-argocd", "policy", stdin=(configs.get("rbac") or {}).get("policy.csv", ""))
            if policy.returncode != 0:
                verdict.refuse(file, f"configs.rbac.policy.csv: {tools.said(policy)}")


def documented(manual: str) -> set[str]:
    """The keys of a ConfigMap in Argo CD's manual of the pinned version; the chart adds `create` and `annotations`."""
    text = tools.judges_installed(f"src/argo-cd/docs/operator-manual/{manual}").read_text()
    return set(yaml.safe_load(text)["data"]) | {"create", "annotations"}


def same_as_meshlab(lab: Lab, verdict: Verdict) -> None:
    """`meshlab apps` claims what Argo CD will do: it must be right."""
    ours = {app["name"]: app for app in meshlab_apps(lab)}
    theirs = {app["metadata"]["name"]: summary(app) for app in lab.expansion["applications"]}
    for name in sorted(ours.keys() | theirs.keys()):
        verdict.examined += 1
        mine, real = ours.get(name), theirs.get(name)
        if mine is None or real is None:
            verdict.refuse(name, "only Argo CD has it" if mine is None else "only meshlab has it")
            continue
        for field in sorted(mine.keys() & real.keys()):
            if mine[field] != real[field]:
                verdict.refuse(name, f"{field}: {mine[field]!r} in meshlab, {real[field]!r} in Argo CD")


def summary(application: Object) -> Object:
    """An Application in the words of `meshlab apps`."""
    spec = application["spec"]
    labels = application["metadata"].get("labels") or {}
    return {
        "name": application["metadata"]["name"],
        "instance": labels.get("name"),
        "cell": labels.get("cell"),
        "cluster": labels.get("cluster"),
        "project": spec["project"],
        "namespace": spec["destination"].get("namespace"),
        "sources": spec.get("sources") or [spec["source"]],
    }


def meshlab_apps(lab: Lab) -> list[dict[str, Any]]:
    binaries = [Path(os.environ["MESHLAB"])] if "MESHLAB" in os.environ else [tools.ROOT / "target" / p / "meshlab" for p in ("release", "debug")]
    binary = next((b for b in binaries if b.exists()), None)
    if binary is None:
        raise Missing("meshlab is not built")
    result = tools.run(str(binary), "apps", lab.name, "--format", "json", cwd=tools.ROOT)
    if result.returncode != 0:
        raise Missing(f"meshlab apps: {tools.said(result, 1)}")
    return json.loads(result.stdout)


JUDGES = [
    Judge("applicationsets", "ApplicationSets", "Argo CD v3.4.4: ApplicationSet code, git files generator, AppProject", expanded),
    Judge("permissions", "ApplicationSets", "Argo CD v3.4.4: AppProject", permitted),
    Judge("argocd-settings", "Helm values", "Argo CD v3.4.4: its manual's ConfigMaps, its RBAC policy check", settings),
    Judge("meshlab-apps", "ApplicationSets", "Argo CD v3.4.4 against `meshlab apps`", same_as_meshlab),
]
