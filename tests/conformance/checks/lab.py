"""A rendered tree, as the judges read it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from . import tools

Object = dict[str, Any]

OBJECTS = ("argocd/**/*.yaml", "workflows/**/*.yaml", "clusters/*/manifests/**/*.yaml")


@dataclass(frozen=True)
class Document:
    """One Kubernetes object and the file that holds it, relative to the tree."""

    file: str
    object: Object

    @property
    def kind(self) -> str:
        return str(self.object.get("kind"))

    @property
    def group(self) -> str:
        return group_of(self.object)

    @property
    def name(self) -> str:
        return str((self.object.get("metadata") or {}).get("name"))

    @property
    def cluster(self) -> str | None:
        """The cluster whose folder the file lies in."""
        parts = self.file.split("/")
        return parts[1] if parts[0] == "clusters" else None


@dataclass(frozen=True)
class Chart:
    """A chart as one Application installs it."""

    application: str
    project: str
    cluster: str
    namespace: str
    name: str
    version: str
    release: str
    values: tuple[str, ...]  # files, relative to the tree


def group_of(object_: Object) -> str:
    """The API group of an object, empty for the core."""
    version = str(object_.get("apiVersion", ""))
    return version.rpartition("/")[0]


class Lab:
    """One lab under `out/`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = directory.name

    def files(self, pattern: str) -> list[str]:
        """The files that match, relative to the tree, sorted."""
        found = (p for p in self.directory.glob(pattern) if p.is_file())
        return sorted(str(p.relative_to(self.directory)) for p in found)

    def path(self, file: str) -> Path:
        return self.directory / file

    def read(self, file: str) -> str:
        return self.path(file).read_text(encoding="utf-8")

    def load(self, file: str) -> Any:
        return yaml.load(self.read(file), Loader=LOADER)

    @property
    def clusters(self) -> list[str]:
        return sorted(p.name for p in (self.directory / "clusters").iterdir() if p.is_dir())

    @cached_property
    def documents(self) -> list[Document]:
        """Every Kubernetes object that Argo CD would apply."""
        return [
            Document(file, object_)
            for pattern in OBJECTS
            for file in self.files(pattern)
            for object_ in yaml.load_all(self.read(file), Loader=LOADER)
            if object_ is not None
        ]

    @cached_property
    def expansion(self) -> Object:
        """The tree's Applications and Argo CD's objections, from Argo CD's own code."""
        with self.repository() as (repository, path):
            return json.loads(tools.answer("judge-argocd", "appsets", repository, path))

    def permitted(self, objects: list[Object]) -> list[Object]:
        """Argo CD's objections to objects that Applications would apply."""
        with self.repository() as (repository, path):
            text = tools.answer("judge-argocd", "permitted", repository, path, stdin="\n".join(map(json.dumps, objects)))
            return json.loads(text)

    def repository(self) -> Repository:
        return Repository(self)

    @cached_property
    def charts(self) -> list[Chart]:
        """Every chart of every Application, with the values files that lie in the tree."""
        return sorted(_charts(self), key=lambda chart: chart.application)


class Repository:
    """The tree in a Git work tree of its own, with every file tracked, at the path the ApplicationSets name."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def __enter__(self) -> tuple[str, str]:
        self.directory = tempfile.mkdtemp(prefix="meshlab-conformance-")
        path = f"out/{self.lab.name}"
        shutil.copytree(self.lab.directory, Path(self.directory) / path)
        tools.answer("git", "-C", self.directory, "init", "--quiet")
        tools.answer("git", "-C", self.directory, "add", "--all", "--force")
        return self.directory, path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.directory)


def _charts(lab: Lab) -> Iterator[Chart]:
    for application in lab.expansion["applications"]:
        spec = application["spec"]
        for source in spec.get("sources") or [spec.get("source") or {}]:
            if not source.get("chart"):
                continue
            helm = source.get("helm") or {}
            yield Chart(
                application=application["metadata"]["name"],
                project=spec["project"],
                cluster=spec["destination"].get("name", ""),
                namespace=spec["destination"].get("namespace", ""),
                name=source["chart"],
                version=source["targetRevision"],
                release=helm.get("releaseName") or application["metadata"]["name"],
                values=tuple(_in_tree(lab, file) for file in helm.get("valueFiles") or []),
            )


def _in_tree(lab: Lab, value_file: str) -> str:
    """`$values/out/<lab>/clusters/…` as a path in the tree."""
    return value_file.partition(f"/out/{lab.name}/")[2] or value_file


class _StringLoader(yaml.CSafeLoader):
    """YAML 1.1 as Kubernetes clients read it: timestamps stay text."""


_StringLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

LOADER = _StringLoader
