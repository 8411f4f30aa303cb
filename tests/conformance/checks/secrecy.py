"""Nothing in the clear: a scan of its own, which shares no code with the one that meshlab runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from .lab import Lab
from .verdict import Judge, Verdict

PATTERNS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an age identity": re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
}
BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
# Fields of cluster Secrets that say where, never how to get in.
HARMLESS = {"name", "server", "config", "namespaces", "clusterResources", "project"}


def judge(lab: Lab, verdict: Verdict) -> None:
    for file in lab.files("**/*"):
        verdict.examined += 1
        for what in leaks(lab.read(file)):
            verdict.refuse(file, f"holds {what}")
    for document in lab.documents:
        if document.kind == "Secret":
            for key in clear_fields(document.object):
                verdict.refuse(document.file, f"Secret {document.name} holds {key} in the clear")


def leaks(text: str) -> Iterator[str]:
    """What a text holds that it must not, as it is or in base64."""
    texts = [text, *decoded(text)]
    for what, pattern in PATTERNS.items():
        if any(pattern.search(candidate) for candidate in texts):
            yield what


def decoded(text: str) -> Iterator[str]:
    for found in BASE64.findall(text):
        whole = found.rstrip("=")
        yield base64.b64decode(whole[: len(whole) // 4 * 4]).decode("latin-1")


def clear_fields(secret: dict[str, Any]) -> Iterator[str]:
    """Every value of a Secret, except what a cluster Secret without a credential says."""
    labels = (secret.get("metadata") or {}).get("labels") or {}
    is_cluster = labels.get("argocd.argoproj.io/secret-type") == "cluster"
    for field in ("data", "stringData"):
        for key, value in (secret.get(field) or {}).items():
            credential = re.search(r"bearerToken|password|keyData|certData|execProvider|awsAuth", str(value))
            if not is_cluster or key not in HARMLESS or credential or field == "data":
                yield f"{field}.{key}"


JUDGES = [Judge("secrecy", "every file", "a scan independent of meshlab's own", judge)]
