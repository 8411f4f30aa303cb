"""The ownership manifest is one that coreutils accepts, and it covers the tree."""

from __future__ import annotations

from . import tools
from .lab import Lab
from .verdict import Judge, Verdict

MANIFEST = ".meshlab.sum"


def judge(lab: Lab, verdict: Verdict) -> None:
    if not lab.path(MANIFEST).is_file():
        verdict.refuse(MANIFEST, "missing")
        return
    result = tools.run("sha256sum", "--strict", "--quiet", "--check", MANIFEST, cwd=lab.directory)
    if result.returncode != 0:
        verdict.refuse(MANIFEST, tools.said(result))
    listed = [line.split(maxsplit=1)[1].lstrip("*") for line in lab.read(MANIFEST).splitlines() if line]
    verdict.examined = len(listed)
    if listed != sorted(listed):
        verdict.refuse(MANIFEST, "not sorted")
    for file in set(lab.files("**/*")) - set(listed) - {MANIFEST}:
        verdict.refuse(file, f"not listed in {MANIFEST}")


JUDGES = [Judge("ownership", "ownership manifest", "GNU sha256sum --strict", judge)]
