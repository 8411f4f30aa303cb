"""A real API server takes every object: server-side apply, strict field validation, CEL rules. No controller runs."""

from __future__ import annotations

from collections.abc import Iterator

from . import charts, kubernetes
from .kube import Api, server
from .lab import Lab, Object
from .verdict import Judge, Verdict

Said = tuple[str, Object]  # the file to name, and an object


def judge(lab: Lab, verdict: Verdict) -> None:
    """Dry runs: nothing is stored, so the objects of different clusters do not meet, and no webhook is in the way."""
    with server() as api:
        define(api)
        for cluster in lab.clusters:
            for file, object_ in objects_of(lab, cluster):
                verdict.examined += 1
                if refusal := api.apply(object_, dry_run=True):
                    verdict.refuse(file, f"{cluster}: {object_['kind']} {object_['metadata']['name']}: {refusal}")


def objects_of(lab: Lab, cluster: str) -> Iterator[Said]:
    """What this cluster gets: our manifests, the charts' objects, and on the manager all of Argo's."""
    manager = {lab.load(file)["stringData"]["name"] for file in lab.files("argocd/clusters/*.yaml")}
    for document in lab.documents:
        if document.cluster == cluster or (document.cluster is None and cluster in manager):
            yield document.file, document.object
    for chart in lab.charts:
        if chart.cluster == cluster and charts.has(chart.name):
            for object_ in charts.rendered(lab, chart)[0]:
                if object_["kind"] != "CustomResourceDefinition":
                    yield " ".join(chart.values), placed(object_, chart.namespace)


def placed(object_: Object, namespace: str) -> Object:
    if not kubernetes.is_namespaced(object_):
        return object_
    return {**object_, "metadata": {"namespace": namespace, **object_["metadata"]}}


def define(api: Api, groups: tuple[str, ...] = ("",)) -> None:
    """Every CRD that upstream publishes of groups with these endings, and then a wait until the server serves them."""
    kinds = [(group, spec) for (group, _), spec in kubernetes.custom_kinds().items() if group.endswith(groups)]
    for group, spec in kinds:
        name = f"{spec['names']['plural']}.{group}"
        annotations = {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"} if group.endswith(".k8s.io") else {}
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": name, "annotations": annotations}, "spec": spec,
        }  # fmt: skip
        if refusal := api.apply(definition):
            raise RuntimeError(f"CRD {name}: {refusal}")
    for group, spec in kinds:
        version = next(v["name"] for v in spec["versions"] if v["served"])
        api.wait(f"/apis/{group}/{version}/{spec['names']['plural']}")


JUDGES = [
    Judge("api-server", "all Kubernetes objects", "kube-apiserver v1.33.4 with etcd 3.4: server-side apply, strict, CEL rules", judge, tier="full"),
]
