"""ApplicationSets: Argo CD's own code expands them, its AppProjects permit what comes out, and `meshlab apps` agrees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from . import kubernetes, tools
from .lab import Document, Lab, Object
from .verdict import Judge, Verdict

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
    """`meshlab apps` claims what the ApplicationSets will generate: it must be right, field by field."""
    written = {lab.load(file)["metadata"]["name"] for file in lab.files("argocd/*.yaml")}
    ours = {app["metadata"]["name"]: app for app in meshlab_apps(lab)}
    theirs = {app["metadata"]["name"]: app for app in lab.expansion["applications"]}
    for name in written - ours.keys():
        theirs.pop(name, None)  # an Application that lies in the tree as it is
    for name in sorted(ours.keys() | theirs.keys()):
        verdict.examined += 1
        if name not in ours or name not in theirs:
            verdict.refuse(name, "only Argo CD has it" if name in theirs else "only meshlab has it")
            continue
        for part in ("metadata", "spec"):
            mine, real = meaning(ours[name][part]), meaning(theirs[name][part])
            if mine != real:
                verdict.refuse(name, f"{part}: {json.dumps(mine)} in meshlab, {json.dumps(real)} in Argo CD")


def meaning(value: Any) -> Any:
    """A value without what Argo CD takes for absent: null, false, zero, empty."""
    if isinstance(value, dict):
        return {key: inner for key, each in value.items() if (inner := meaning(each))}
    return [meaning(each) for each in value] if isinstance(value, list) else value


def meshlab_apps(lab: Lab) -> list[dict[str, Any]]:
    result = tools.run(tools.meshlab(), "apps", lab.name, "--format", "json", cwd=tools.REPOSITORY)
    if result.returncode != 0:
        raise RuntimeError(f"meshlab apps: {tools.said(result)}")
    return json.loads(result.stdout)


JUDGES = [
    Judge("applicationsets", "ApplicationSets", "Argo CD v3.4.4: ApplicationSet code, git files generator, AppProject", expanded),
    Judge("permissions", "ApplicationSets", "Argo CD v3.4.4: AppProject", permitted),
    Judge("argocd-settings", "Helm values", "Argo CD v3.4.4: its manual's ConfigMaps, its RBAC policy check", settings),
    Judge("meshlab-apps", "ApplicationSets", "Argo CD v3.4.4 against `meshlab apps`", same_as_meshlab),
]
