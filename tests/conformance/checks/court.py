"""Which judges there are, and how they are asked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import apiserver, argocd, charts, cloudinit, controlplane, coredns, github, istio, kind, kubernetes, machines, ownership, pki, readers, scripts, sealed, secrecy, seeding, tools, values, workflows
from .lab import Lab
from .verdict import Judge, Missing, NoReference, Verdict

ROOMS = (ownership, secrecy, readers, kubernetes, argocd, values, charts, workflows, istio, machines, pki, sealed, cloudinit, kind, scripts, apiserver, controlplane, coredns, seeding)
JUDGES: list[Judge] = [judge for room in ROOMS for judge in room.JUDGES]
REPOSITORY = "repository"


def labs(tree: Path, only: str | None) -> list[Lab]:
    """The rendered trees: folders with an ownership manifest."""
    found = sorted(path.parent for path in tree.glob(f"*/{ownership.MANIFEST}"))
    return [Lab(path) for path in found if only in (None, path.name)]


def hear(judge: Judge, lab: Lab, name: str | None = None) -> Verdict:
    """One judge about one lab. A judge that breaks down has not accepted anything."""
    verdict = Verdict(judge.name, name or lab.name)
    start = time.monotonic()
    try:
        with at_most(judge.cap):
            judge.run(lab, verdict)
    except Missing as missing:
        verdict.missing = str(missing)
        verdict.may_be_missing = judge.optional or isinstance(missing, NoReference)
    except Exception as error:  # noqa: BLE001
        verdict.refuse("-", f"the judge broke down: {type(error).__name__}: {error}")
    verdict.seconds = time.monotonic() - start
    return verdict


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Interrupt what takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not finished in {seconds} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def session(labs: list[Lab], named: str | None, tier: str) -> Iterator[tuple[Judge, Verdict]]:
    """All judges of a tier about all labs, as they speak."""
    for lab in labs:
        for judge in called(JUDGES, tier, named):
            yield judge, hear(judge, lab)
    for judge in called(github.REPOSITORY_JUDGES, tier, named):
        yield judge, hear(judge, Lab(tools.ROOT), REPOSITORY)


def called(judges: list[Judge], tier: str, named: str | None) -> list[Judge]:
    return [judge for judge in judges if (tier == "full" or judge.tier == "quick") and named in (None, judge.name)]


def outcome(judge: Judge, verdict: Verdict) -> str:
    """passed, failed or skipped. In CI a judge that should be there and is not has failed."""
    if verdict.missing:
        return "failed" if os.environ.get("CI") == "true" and not verdict.may_be_missing else "skipped"
    if verdict.findings:
        return "failed"
    return "passed" if verdict.examined else "skipped"  # who has seen nothing has judged nothing
