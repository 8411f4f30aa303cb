"""Helm values: the chart's schema, and every key path that we set must exist in the chart's defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import validators

from . import kubernetes, tools
from .lab import Chart, Lab
from .verdict import Judge, Verdict

# Charts whose folder in upstream's reference data has another name.
FOLDERS = {"base": "istio-base", "cni": "istio-cni", "gateway": "istio-gateway"}
# Values that a chart copies into an object of its own: chart folder to the path and the object's API version and kind.
EMBEDDED = {"kiali-operator": ("cr", "kiali.io/v1alpha1", "Kiali")}
WRAPPER = "_internal_defaults_do_not_set"


def judge(lab: Lab, verdict: Verdict) -> None:
    for chart in lab.charts:
        folder = tools.upstream("charts") / folder_of(chart.name)
        if not folder.exists():
            verdict.leave(f"values of chart {chart.name} {chart.version}: no reference data")
            continue
        for file in chart.values:
            verdict.examined += 1
            for objection in objections(folder, lab.load(file) or {}):
                verdict.refuse(file, f"chart {chart.name} {chart.version}: {objection}")
    for file in lab.files("clusters/*/values/*.yaml"):
        if not any(file in chart.values for chart in lab.charts):
            verdict.refuse(file, "no Application reads it")


def objections(folder: Path, values: dict[str, Any]) -> Iterator[str]:
    defaults = defaults_of(folder)
    yield from unknown_paths(values, unwrapped(defaults), free_form().get(folder.name, {}))
    schema = folder / "values.schema.json"
    if schema.exists():
        merged = merge(defaults, values)
        for error in validator(schema).iter_errors(merged):
            yield f"{error.json_path.removeprefix('$.')}: {error.message[:300]}"
    yield from embedded_objections(folder.name, values)


def embedded_objections(chart: str, values: dict[str, Any]) -> list[str]:
    if chart not in EMBEDDED:
        return []
    path, api_version, kind = EMBEDDED[chart]
    spec = (values.get(path) or {}).get("spec") or {}
    return kubernetes.objections({"apiVersion": api_version, "kind": kind, "metadata": {"name": "embedded"}, "spec": spec})


def unknown_paths(values: dict[str, Any], defaults: dict[str, Any], free: dict[str, str], prefix: str = "") -> Iterator[str]:
    """The paths that the chart does not know, or that change a map into something else."""
    for key, value in values.items():
        path = f"{prefix}{key}"
        if path in free:
            continue
        if key not in defaults:
            yield f"{path}: not among the chart's default values, nor listed as free-form"
            continue
        default = defaults[key]
        if isinstance(default, dict) and value is not None and not isinstance(value, dict):
            yield f"{path}: a map in the chart's default values"
        elif isinstance(value, dict) and value:
            if default:
                yield from unknown_paths(value, default if isinstance(default, dict) else {}, free, f"{path}.")
            else:
                yield f"{path}: empty by default and not listed as free-form"


def merge(defaults: Any, values: Any) -> Any:
    """Helm's own rule: maps merge, everything else replaces, null deletes."""
    if not isinstance(defaults, dict) or not isinstance(values, dict):
        return values
    merged = {key: merge(defaults.get(key), value) for key, value in values.items()}
    return {key: value for key, value in {**defaults, **merged}.items() if value is not None or key not in values}


def unwrapped(defaults: dict[str, Any]) -> dict[str, Any]:
    """Istio's charts wrap their defaults; users set them at the top level."""
    inner = defaults.get(WRAPPER)
    return {**defaults, **inner} if isinstance(inner, dict) else defaults


def folder_of(chart: str) -> str:
    return FOLDERS.get(chart, chart)


@cache
def free_form() -> dict[str, dict[str, str]]:
    """Chart folder to the paths below which upstream takes any keys, each with the reason."""
    return yaml.safe_load((tools.HERE / "data" / "free-form.yaml").read_text())


@cache
def defaults_of(folder: Path) -> dict[str, Any]:
    return yaml.load((folder / "values.yaml").read_text(), Loader=yaml.CSafeLoader) or {}


@cache
def validator(schema: Path) -> Any:
    content = json.loads(schema.read_text())
    return validators.validator_for(content)(content)


JUDGES = [
    Judge("helm-values", "Helm values", "the chart's values.schema.json and default values, pinned version", judge),
]
