"""Every YAML document means the same to Go's YAML and to PyYAML, and reads well."""

from __future__ import annotations

import json
from typing import Any

import yaml

from . import tools
from .lab import LOADER, Lab
from .verdict import Judge, Verdict


def same(lab: Lab, verdict: Verdict) -> None:
    """YAML 1.1 (PyYAML) against Go's mixture of 1.1 and 1.2, the one that Kubernetes and Argo use."""
    files = lab.files("**/*.yaml")
    paths = {str(lab.path(file)): file for file in files}
    readings = json.loads(tools.answer("judge-argocd", "yaml", *paths))
    for path, file in paths.items():
        verdict.examined += 1
        go = readings[path]
        try:
            python = list(yaml.load_all(lab.read(file), Loader=LOADER))
        except yaml.YAMLError as error:
            verdict.refuse(file, f"PyYAML: {error}")
            continue
        if go.get("error"):
            verdict.refuse(file, f"Go's YAML: {go['error']}")
        elif difference := first_difference(go["documents"], python):
            verdict.refuse(file, difference)


def first_difference(go: Any, python: Any, path: str = "") -> str | None:
    """Where two readings of a document part."""
    if isinstance(go, dict) and isinstance(python, dict):
        keys = {str(key): key for key in python}
        if set(keys) != set(go) or any(not isinstance(key, str) for key in python):
            return f"{path or 'top level'}: keys {sorted(go)} in Go, {list(python)} in PyYAML"
        pairs = [(f"{path}.{name}", go[name], python[keys[name]]) for name in go]
    elif isinstance(go, list) and isinstance(python, list) and len(go) == len(python):
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(go, python, strict=True))]
    else:
        same = type(go) is type(python) and go == python
        return None if same else f"{path}: {go!r} in Go, {python!r} in PyYAML"
    return next((found for name, a, b in pairs if (found := first_difference(a, b, name))), None)


def lint(lab: Lab, verdict: Verdict) -> None:
    files = lab.files("**/*.yaml")
    verdict.examined = len(files)
    config = tools.HERE / "data" / "yamllint.yaml"
    result = tools.run("yamllint", "--config-file", config, "--format", "parsable", *files, cwd=lab.directory)
    for line in result.stdout.splitlines():
        file, _, said = line.partition(":")
        verdict.refuse(file, said)
    if result.returncode != 0 and not result.stdout:
        raise RuntimeError(tools.said(result))


JUDGES = [
    Judge("yaml-readers", "YAML", "Go's YAML (sigs.k8s.io/yaml, as in Argo CD v3.4.4) against PyYAML 6.0.3", same),
    Judge("yamllint", "YAML", "yamllint 1.38.0", lint),
]
