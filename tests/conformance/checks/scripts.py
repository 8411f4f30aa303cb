"""Every shell script in the tree, wherever it is embedded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import cloudinit, tools
from .lab import Lab, Object
from .verdict import Judge, Verdict

SHELL = re.compile(r"#!\s*(?:/usr/bin/env\s+|/\S*/)?(?:ba|da)?sh\b|# shellcheck shell=")
# A file that a script sources is judged where it lies.
EXCLUDED = "SC1091"


def judge(lab: Lab, verdict: Verdict) -> None:
    for file, place, script in scripts(lab):
        verdict.examined += 1
        result = tools.run("shellcheck", "--format", "gcc", "--exclude", EXCLUDED, "-", stdin=script)
        if result.returncode != 0:
            verdict.refuse(file, f"{place}: {tools.said(result)}")


def scripts(lab: Lab) -> Iterator[tuple[str, str, str]]:
    """File, place in it, text."""
    for file in lab.files("**/*.sh"):
        yield file, file, lab.read(file)
    for file in cloudinit.user_data(lab):
        for place, script in of_user_data(lab.load(file)):
            yield file, place, script
    for document in lab.documents:
        if document.kind == "ConfigMap":
            found = of_config_map(document.object)
        else:
            found = of_templates((document.object.get("spec") or {}).get("templates") or [])
        for place, script in found:
            yield document.file, place, script


def of_user_data(data: Object) -> Iterator[tuple[str, str]]:
    """Files that are shell scripts, and the commands, which cloud-init joins into one `sh` script."""
    for file in data.get("write_files") or []:
        content = str(file.get("content", ""))
        if SHELL.match(content):
            yield file["path"], content
    for key in ("bootcmd", "runcmd"):
        lines = [command for command in data.get(key) or [] if isinstance(command, str)]
        if lines:
            yield key, "#!/bin/sh\n" + "\n".join(lines) + "\n"


def of_config_map(object_: Object) -> Iterator[tuple[str, str]]:
    for key, text in (object_.get("data") or {}).items():
        if SHELL.match(text):
            yield key, text


def of_templates(templates: list[Any]) -> Iterator[tuple[str, str]]:
    """Scripts of workflow templates: `script.source`, and what a shell takes with -c."""
    for template in templates:
        script = template.get("script") or {}
        command = [str(word) for word in script.get("command") or []]
        if "source" in script and command and command[0] in ("sh", "bash"):
            yield f"template {template['name']}", f"#!/usr/bin/env {command[0]}\n{script['source']}"
        container = template.get("container") or {}
        words = [str(word) for word in [*(container.get("command") or []), *(container.get("args") or [])]]
        if len(words) > 2 and words[0] in ("sh", "bash") and re.fullmatch(r"-\w*c", words[1]):
            yield f"template {template['name']}", f"#!/usr/bin/env {words[0]}\n{words[2]}"


JUDGES = [Judge("shellcheck", "cloud-init and Workflows", "shellcheck 0.11.0", judge)]
