"""Workflows: `argo lint` where there is an `argo`; always the rules of its validation that concern names and references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import tools
from .lab import Document, Lab
from .verdict import Judge, Verdict

KINDS = ("Workflow", "WorkflowTemplate", "CronWorkflow", "ClusterWorkflowTemplate")
# workflow/validate/validate.go of Argo Workflows v4: names of tasks and templates.
NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
OPERAND = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*)(?:\.([A-Za-z]+))?")
RESULTS = frozenset("Succeeded Failed Errored Skipped Omitted Daemoned AnySucceeded AllFailed".split())


def lint(lab: Lab, verdict: Verdict) -> None:
    files = [document.file for document in workflows(lab)]
    verdict.examined = len(files)
    result = tools.run("argo", "lint", "--offline", "--no-color", "--output", "simple", *files, cwd=lab.directory)
    if result.returncode != 0:
        verdict.refuse("workflows", tools.said(result, 40))


def references(lab: Lab, verdict: Verdict) -> None:
    """Every template, task, argument and parameter that a workflow names exists."""
    all_ = {document.name: document for document in workflows(lab)}
    for document in all_.values():
        verdict.examined += 1
        for objection in objections(document, all_):
            verdict.refuse(document.file, objection)


def workflows(lab: Lab) -> list[Document]:
    return [document for document in lab.documents if document.kind in KINDS]


def templates(document: Document) -> dict[str, Any]:
    return {template["name"]: template for template in document.object["spec"].get("templates") or []}


def objections(document: Document, all_: dict[str, Document]) -> Iterator[str]:
    spec = document.object["spec"]
    own = templates(document)
    if len(own) != len(spec.get("templates") or []):
        yield "two templates have one name"
    if "entrypoint" in spec and spec["entrypoint"] not in own and "workflowTemplateRef" not in spec:
        yield f"entrypoint {spec['entrypoint']} is no template"
    for name, template in own.items():
        if not NAME.fullmatch(name):
            yield f"template {name}: illegal name"
        tasks = (template.get("dag") or {}).get("tasks") or [task for group in template.get("steps") or [] for task in group]
        for objection in task_objections(tasks, own, all_):
            yield f"template {name}: {objection}"
        for unknown in unknown_parameters(template, spec):
            yield f"template {name}: {unknown}"


def task_objections(tasks: list[Any], own: dict[str, Any], all_: dict[str, Document]) -> Iterator[str]:
    names = [task["name"] for task in tasks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two tasks are called {name}"
    for task in tasks:
        yield from dependency_objections(task, names)
        target, missing = target_of(task, own, all_)
        if missing:
            yield f"task {task['name']}: {missing}"
        elif target:
            yield from argument_objections(task, target)
    yield from cycles(tasks)


def dependency_objections(task: Any, names: list[str]) -> Iterator[str]:
    name = task["name"]
    if not NAME.fullmatch(name) or (name[0].isdigit() and ("depends" in task or "dependencies" in task)):
        yield f"task {name}: illegal name"
    if "depends" in task and "dependencies" in task:
        yield f"task {name}: depends and dependencies together"
    for operand, result in operands(task):
        if operand not in names:
            yield f"task {name}: depends on {operand}, which is no task"
        if result and result not in RESULTS:
            yield f"task {name}: {operand}.{result} is no result of a task"


def operands(task: Any) -> list[tuple[str, str]]:
    return OPERAND.findall(task.get("depends") or "") + [(name, "") for name in task.get("dependencies") or []]


def target_of(task: Any, own: dict[str, Any], all_: dict[str, Document]) -> tuple[Any, str | None]:
    """The template that a task runs, or what is missing."""
    reference = task.get("templateRef")
    if reference:
        document = all_.get(reference["name"])
        found = document and templates(document).get(reference["template"])
        return found, None if found else f"templateRef {reference['name']}/{reference['template']} does not exist"
    if "template" in task:
        found = own.get(task["template"])
        return found, None if found else f"template {task['template']} does not exist"
    return None, None if "inline" in task else "it runs no template"


def argument_objections(task: Any, target: Any) -> Iterator[str]:
    inputs = {parameter["name"]: parameter for parameter in (target.get("inputs") or {}).get("parameters") or []}
    given = {parameter["name"] for parameter in (task.get("arguments") or {}).get("parameters") or []}
    for name, parameter in inputs.items():
        if name not in given and not {"value", "default", "valueFrom"} & parameter.keys():
            yield f"task {task['name']}: parameter {name} of template {target['name']} gets no value"
    for name in sorted(given - inputs.keys()):
        yield f"task {task['name']}: template {target['name']} has no parameter {name}"


def unknown_parameters(template: Any, spec: Any) -> Iterator[str]:
    """`{{inputs.parameters.x}}` and `{{workflow.parameters.x}}` must be declared."""
    declared = {
        "inputs": {p["name"] for p in (template.get("inputs") or {}).get("parameters") or []},
        "workflow": {p["name"] for p in (spec.get("arguments") or {}).get("parameters") or []},
    }
    for scope, name in sorted(set(re.findall(r"\{\{=?\s*(inputs|workflow)\.parameters\.([\w-]+)", str(template)))):
        if name not in declared[scope]:
            yield f"{scope}.parameters.{name} is not declared"


def cycles(tasks: list[Any]) -> Iterator[str]:
    waiting = {task["name"]: {operand for operand, _ in operands(task)} for task in tasks}
    while ready := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in ready:
            del waiting[name]
    if waiting:
        yield f"a cycle among {', '.join(sorted(waiting))}"


JUDGES = [
    Judge("argo-lint", "Workflows", "Argo Workflows: argo lint --offline", lint, optional=True),
    Judge("workflow-references", "Workflows", "rules of Argo Workflows' validation, written anew", references),
]
