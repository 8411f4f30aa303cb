"""cloud-init user-data: its own schema check, the schema of 26.2, k3s's documented keys, what k3s applies first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

import yaml
from jsonschema import Draft4Validator

from . import kubernetes, tools, values
from .lab import LOADER, Lab, Object
from .verdict import Judge, Verdict


def user_data(lab: Lab) -> list[str]:
    return [file for file in lab.files("**/*.yaml") if re.search(r"cloud-init|user-data", file) and "/manifests/" not in file]


def own_check(lab: Lab, verdict: Verdict) -> None:
    for file in user_data(lab):
        verdict.examined += 1
        if not lab.read(file).startswith("#cloud-config\n"):
            verdict.refuse(file, "the first line is not `#cloud-config`")
        result = tools.run("cloud-init", "schema", "--config-file", lab.path(file))
        if result.returncode != 0 or re.search(r"\b[Ee]rror", result.stdout):
            verdict.refuse(file, tools.said(result))


def schema(lab: Lab, verdict: Verdict) -> None:
    for file in user_data(lab):
        verdict.examined += 1
        for error in validator().iter_errors(lab.load(file)):
            verdict.refuse(file, f"{error.json_path}: {error.message[:300]}")


@cache
def validator() -> Draft4Validator:
    content = json.loads(tools.upstream("schemas/cloud-init/schema-cloud-config-v1.json").read_text())
    return Draft4Validator(content)


def k3s(lab: Lab, verdict: Verdict) -> None:
    """k3s ends at a key that it does not know."""
    known = set((tools.HERE / "data" / "k3s-options.txt").read_text().split())
    for file in user_data(lab):
        for written in lab.load(file).get("write_files") or []:
            if not re.fullmatch(r"/etc/rancher/k3s/config\.yaml(\.d/.*)?", str(written.get("path"))):
                continue
            verdict.examined += 1
            options = yaml.load(written["content"], Loader=LOADER) or {}
            for key in sorted(options.keys() - known):
                verdict.refuse(file, f"{written['path']}: k3s documents no option {key}")


def manifests(lab: Lab, verdict: Verdict) -> None:
    """What k3s applies at its first start: the objects, and the values of the charts that it installs."""
    for file in user_data(lab):
        for written in lab.load(file).get("write_files") or []:
            if not str(written.get("path")).startswith("/var/lib/rancher/k3s/server/manifests/"):
                continue
            for object_ in yaml.load_all(written["content"], Loader=LOADER):
                verdict.examined += 1
                for objection in [*kubernetes.objections(object_), *chart_objections(object_, verdict)]:
                    verdict.refuse(file, f"{written['path']}: {objection}")


def chart_objections(object_: Object, verdict: Verdict) -> Iterator[str]:
    spec = object_.get("spec") or {}
    if object_.get("kind") != "HelmChart" or "valuesContent" not in spec:
        return
    folder = tools.upstream("charts") / values.folder_of(spec["chart"])
    if folder.exists():
        yield from values.objections(folder, yaml.load(spec["valuesContent"], Loader=LOADER) or {})
    else:
        verdict.leave(f"values of chart {spec['chart']}: no reference data")


JUDGES = [
    Judge("cloud-init", "cloud-init", "cloud-init 22.4.2: cloud-init schema", own_check),
    Judge("cloud-init-schema", "cloud-init", "cloud-init 26.2: JSON schema", schema),
    Judge("k3s-options", "cloud-init", "k3s's documented options", k3s),
    Judge("k3s-manifests", "cloud-init", "k3s's CRDs and Kubernetes' schemas, strict; the charts' values", manifests),
]
