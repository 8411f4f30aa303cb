"""cloud-init user-data: its own schema check, the schema of 26.2, shellcheck on what it runs, k3s's documented keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft4Validator

from . import tools
from .lab import LOADER, Lab
from .verdict import Judge, Verdict

SHELL = re.compile(r"#!\s*(?:/usr/bin/env\s+|/\S*/)?(?:ba|da)?sh\b")


def user_data(lab: Lab) -> list[str]:
    return [file for file in lab.files("**/*.yaml") if re.search(r"cloud-init|user-data", file) and "/manifests/" not in file]


def own_check(lab: Lab, verdict: Verdict) -> None:
    for file in user_data(lab):
        verdict.examined += 1
        if not lab.read(file).startswith("#cloud-config\n"):
            verdict.refuse(file, "the first line is not `#cloud-config`")
        result = tools.run("cloud-init", "schema", "--config-file", lab.path(file))
        if result.returncode != 0 or "rror" in result.stdout:
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


def scripts(lab: Lab, verdict: Verdict) -> None:
    for file in user_data(lab):
        for name, script in shell_scripts(lab.load(file)):
            verdict.examined += 1
            if objection := shellcheck(script):
                verdict.refuse(file, f"{name}: {objection}")
    for file in lab.files("**/*.sh"):
        verdict.examined += 1
        if objection := shellcheck(lab.read(file)):
            verdict.refuse(file, objection)


def shell_scripts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Files that are shell scripts, and the commands, which cloud-init joins into one `sh` script."""
    for file in data.get("write_files") or []:
        content = str(file.get("content", ""))
        if SHELL.match(content):
            yield file["path"], content
    for key in ("bootcmd", "runcmd"):
        lines = [command for command in data.get(key) or [] if isinstance(command, str)]
        if lines:
            yield key, "#!/bin/sh\n" + "\n".join(lines) + "\n"


def shellcheck(script: str) -> str | None:
    result = tools.run("shellcheck", "--format", "gcc", "-", stdin=script)
    return None if result.returncode == 0 else tools.said(result)


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


JUDGES = [
    Judge("cloud-init", "cloud-init", "cloud-init 22.4.2: cloud-init schema", own_check),
    Judge("cloud-init-schema", "cloud-init", "cloud-init 26.2: JSON schema", schema),
    Judge("shellcheck", "cloud-init", "shellcheck 0.11.0", scripts),
    Judge("k3s-options", "cloud-init", "k3s's documented options", k3s),
]
