"""GitHub workflows: those of the repository, which belong to no lab."""

from __future__ import annotations

from . import tools
from .lab import Lab
from .verdict import Judge, Verdict


def judge(repository: Lab, verdict: Verdict) -> None:
    files = repository.files(".github/workflows/*.y*ml")
    verdict.examined = len(files)
    if not files:
        verdict.leave("there is no .github/workflows")
        return
    result = tools.run("actionlint", "-no-color", "-shellcheck", tools.find("shellcheck"), *files, cwd=repository.directory)
    if result.returncode != 0:
        verdict.refuse(".github/workflows", tools.said(result))


REPOSITORY_JUDGES = [Judge("actionlint", "GitHub workflows", "actionlint v1.7.7", judge)]
