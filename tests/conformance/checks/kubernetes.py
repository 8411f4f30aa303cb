"""Every Kubernetes object, strictly: CRDs as upstream publishes them, core kinds as Kubernetes does."""

from __future__ import annotations

import importlib.resources
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from . import tools
from .lab import Lab, Object, group_of
from .verdict import Judge, Verdict

KUBERNETES = "1.33"
CORE_GROUPS = ("", "apps", "batch", "policy", "autoscaling")
CLUSTER_SCOPED = frozenset(
    """APIService CSIDriver ClusterRole ClusterRoleBinding CustomResourceDefinition IngressClass
    MutatingWebhookConfiguration Namespace Node PersistentVolume PriorityClass RuntimeClass StorageClass
    ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration""".split()
)
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def judge(lab: Lab, verdict: Verdict) -> None:
    for document in lab.documents:
        verdict.examined += 1
        for objection in objections(document.object):
            verdict.refuse(document.file, objection)


def objections(object_: Object) -> list[str]:
    """What an API server would object to, without looking at the state of a cluster."""
    validator = validator_of(str(object_.get("apiVersion")), str(object_.get("kind")))
    title = f"{object_.get('kind')} {(object_.get('metadata') or {}).get('name')}"
    if validator is None:
        return [f"{title}: no schema for {object_.get('apiVersion')} {object_.get('kind')}"]
    errors = [*validator.iter_errors(object_), *metadata_validator().iter_errors(object_.get("metadata") or {})]
    found = [f"{title}: {error.json_path.removeprefix('$.')}: {error.message[:400]}" for error in errors]
    if not (object_.get("metadata") or {}).get("name"):
        found.append(f"{title}: metadata.name is required")
    if not is_namespaced(object_) and (object_.get("metadata") or {}).get("namespace"):
        found.append(f"{title}: a cluster-scoped object has no namespace")
    return found


def is_namespaced(object_: Object) -> bool:
    custom = custom_kinds().get((group_of(object_), str(object_.get("kind"))))
    return custom["scope"] == "Namespaced" if custom else object_.get("kind") not in CLUSTER_SCOPED


@cache
def validator_of(api_version: str, kind: str) -> Draft202012Validator | None:
    """The validator of one kind in one version, or none if nobody knows it."""
    group, _, version = api_version.rpartition("/")
    custom = custom_kinds().get((group, kind))
    if custom:
        schema = next((v["schema"]["openAPIV3Schema"] for v in custom["versions"] if v["name"] == version and v["served"]), None)
        return Draft202012Validator(strict(schema, root=True)) if schema else None
    return core_validator(group, version, kind)


@cache
def custom_kinds() -> dict[tuple[str, str], Any]:
    """(group, kind) to the `spec` of its CRD. Where upstream ships two channels, the standard one counts."""
    files = sorted(tools.upstream("crds").rglob("*.yaml"), key=lambda file: "experimental" not in file.parts)
    definitions = (d for file in files for d in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader) if d)
    return {(d["spec"]["group"], d["spec"]["names"]["kind"]): d["spec"] for d in definitions}


def strict(schema: Any, root: bool = False) -> Any:
    """OpenAPI v3 of a CRD as a JSON Schema that refuses unknown fields."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: strict_value(key, value) for key, value in schema.items() if not key.startswith("x-") and key != "default"}
    if schema.get("x-kubernetes-int-or-string"):
        converted.pop("anyOf", None)
        converted["type"] = ["integer", "string"]
    if schema.get("x-kubernetes-embedded-resource"):
        converted["required"] = ["apiVersion", "kind"]
    if "properties" in schema and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        converted["additionalProperties"] = False
    if root:
        metadata = {name: {} for name in ("apiVersion", "kind", "metadata")}
        converted["properties"] = {**converted.get("properties", {}), **metadata}
    if schema.get("nullable") and isinstance(converted.get("type"), str):
        converted["type"] = [converted["type"], "null"]
    return converted


def strict_value(key: str, value: Any) -> Any:
    """Maps of schemas keep their names as they are; branches of a choice stay open, the schema around them is closed."""
    if key == "properties":
        return {name: strict(inner) for name, inner in value.items()}
    if key in ("anyOf", "oneOf", "allOf", "not"):
        return value
    if key in ("enum", "required", "example"):
        return value
    return strict(value)


def schema_folder() -> Path:
    root = Path(str(importlib.resources.files("kubernetes_validate"))) / "kubernetes-json-schema"
    return next(folder for folder in sorted(root.glob(f"v{KUBERNETES}.*-local-strict")))


@cache
def definitions() -> Any:
    return json.loads((schema_folder() / "_definitions.json").read_text())


@cache
def registry() -> Registry:
    resource = Resource.from_contents(definitions())
    return resource @ Registry()


@cache
def core_validator(group: str, version: str, kind: str) -> Draft202012Validator | None:
    if group not in CORE_GROUPS and not group.endswith(".k8s.io"):
        return None
    stem = "-".join(part for part in (kind.lower(), group.split(".")[0], version) if part)
    file = schema_folder() / f"{stem}.json"
    if not file.exists():
        return None
    schema = json.loads(file.read_text())
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry())


@cache
def metadata_validator() -> Draft202012Validator:
    schema = {"$ref": f"{definitions()['$id']}#/$defs/{OBJECT_META}"}
    return Draft202012Validator(schema, registry=registry())


JUDGES = [
    Judge(
        "kubernetes-schemas",
        "all Kubernetes objects",
        f"upstream's CRDs, made strict; Kubernetes {KUBERNETES} schemas (kubernetes-validate 1.37.0, strict)",
        judge,
    )
]
