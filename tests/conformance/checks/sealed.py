"""SealedSecrets: upstream's kubeseal opens each with the cluster's sealing key, and finds what belongs there."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

from . import tools
from .lab import Document, Lab
from .verdict import Judge, Missing, Verdict


class Refused(Exception):
    """kubeseal does not open it."""


def judge(lab: Lab, verdict: Verdict) -> None:
    for document in sealed(lab):
        verdict.examined += 1
        try:
            data = opened(lab, document)
        except Refused as refusal:
            verdict.refuse(document.file, str(refusal))
            continue
        wanted = set(document.object["spec"]["encryptedData"])
        if set(data) != wanted:
            verdict.refuse(document.file, f"keys {sorted(data)} come out, {sorted(wanted)} are sealed")
        for said in strangers(lab, document, data):
            verdict.refuse(document.file, said)


def sealed(lab: Lab) -> list[Document]:
    return [document for document in lab.documents if document.kind == "SealedSecret"]


def opened(lab: Lab, document: Document) -> dict[str, bytes]:
    """The values of a SealedSecret in the clear, by kubeseal."""
    key = sealing_key(lab, str(document.cluster))
    return dict(_opened(json.dumps(document.object, sort_keys=True), key))


@cache
def _opened(sealed_secret: str, key: Path) -> dict[str, bytes]:
    result = tools.run("kubeseal", "--recovery-unseal", "--recovery-private-key", key, stdin=sealed_secret)
    if result.returncode != 0:
        raise Refused(f"kubeseal: {tools.said(result)}")
    secret = json.loads(result.stdout)
    return {name: base64.b64decode(value) for name, value in (secret.get("data") or {}).items()}


def sealing_key(lab: Lab, cluster: str) -> Path:
    key = keystore(lab) / "clusters" / cluster / "sealing.key.pem"
    if not key.exists():
        raise Missing(f"no sealing key {key}")
    return key


def keystore(lab: Lab) -> Path:
    """The published keystore of a shipped lab."""
    return tools.KEYSTORES / lab.name


def strangers(lab: Lab, document: Document, data: dict[str, bytes]) -> list[str]:
    """Public parts that also lie in the tree must be the same bytes."""
    twins = {
        "ca-cert.pem": f"clusters/{document.cluster}/pki/ca-cert.pem",
        "cert-chain.pem": f"clusters/{document.cluster}/pki/cert-chain.pem",
        "root-cert.pem": "pki/root-cert.pem",
    }
    return [
        f"{name}: not the bytes of {twin}"
        for name, twin in twins.items()
        if name in data and (not lab.path(twin).exists() or data[name] != lab.path(twin).read_bytes())
    ]


JUDGES = [Judge("sealed-secrets", "SealedSecrets", "kubeseal v0.36.6 --recovery-unseal", judge)]
