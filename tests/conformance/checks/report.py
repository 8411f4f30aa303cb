"""What a run says: lines for people, and the table in docs/."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from . import charts, court
from .verdict import Judge, Verdict

SHOWN = 20


def say(judge: Judge, verdict: Verdict) -> None:
    """One line, and what was refused below it."""
    result = court.outcome(judge, verdict)
    print(f"{result:7} {verdict.lab}: {judge.name}: {counts(verdict)}, {verdict.seconds:.1f} s", flush=True)
    if verdict.missing:
        print(f"        missing: {verdict.missing}")
    for finding in verdict.findings[:SHOWN]:
        print(f"        {finding.file}: " + finding.said.replace("\n", "\n          "))
    if len(verdict.findings) > SHOWN:
        print(f"        … and {len(verdict.findings) - SHOWN} more")
    for what in verdict.not_judged:
        print(f"        not judged: {what}")
    for what in verdict.observed:
        print(f"        observed: {what}")


def counts(verdict: Verdict) -> str:
    return f"{verdict.examined} examined, {len(verdict.findings)} refused"


def close(results: list[str]) -> bool:
    """The last line; whether nothing failed."""
    found = Counter(results)
    print(f"{found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped")
    return not found["failed"]


def write(file: Path, heard: list[tuple[Judge, Verdict]]) -> None:
    """The table: artefact × judge × lab, with the day and the machine."""
    labs = list(dict.fromkeys(verdict.lab for _, verdict in heard if verdict.lab != court.REPOSITORY))
    lines = [
        "# Conformance",
        "",
        f"Upstream's own code judges what meshlab renders. Written on {date.today()} on {os.cpu_count()} cores by `check full --report`, which `.ci/full` runs; do not edit.",
        "A cell says how many things a judge examined in that lab, and how many it refused; – where it had nothing to judge or was not there.",
        "What each judge is, and what stands in for what could not be had: `tests/conformance/README.md`.",
        "",
        f"| artefact | judge | {' | '.join(labs)} | not judged |",
        f"| --- | --- |{' --- |' * len(labs)} --- |",
        *rows(heard, labs),
        *(f"| {artefact} | cargo test: {by} |{' by test |' * len(labs)} the rendered files: the tests mint chains of their own |" for artefact, by in TESTS),
        "",
        f"Charts rendered by Helm: {charts.versions()}; `1.0.0` is what Istio's charts call themselves outside a release.",
    ]
    lines += section("Observed", observed(heard)) + section("Not here", absent(heard))
    file.write_text("\n".join(lines) + "\n")


# What cargo's own tests let upstream's code judge, and need no judge for.
TESTS = [
    (
        "cacerts and chains",
        "rustls-webpki: `rustls_takes_mesh_chains_only_without_uri_constraint` (what ambient cells get is accepted, the constrained one "
        "refused), `an_ingress_intermediate_makes_no_identities_and_no_foreign_names` in `src/edge/mint/tests/chains.rs`",
    )
]


def rows(heard: list[tuple[Judge, Verdict]], labs: list[str]) -> Iterator[str]:
    by_judge: dict[str, dict[str, tuple[Judge, Verdict]]] = {}
    for judge, verdict in heard:
        by_judge.setdefault(judge.name, {})[verdict.lab] = (judge, verdict)
    for said in by_judge.values():
        judge = next(iter(said.values()))[0]
        cells = [cell(*said[lab]) if lab in said else "" for lab in labs]
        if court.REPOSITORY in said:
            cells[0] = cell(*said[court.REPOSITORY]) + " in the repository"
        left = "; ".join(left_out([verdict for _, verdict in said.values()]))
        yield f"| {judge.artefact} | {judge.name}: {judge.by} | {' | '.join(cells)} | {left} |"


def left_out(verdicts: list[Verdict]) -> Iterator[str]:
    """What a judge left out, with the labs where that is not so in all of them."""
    for what in sorted({what for verdict in verdicts for what in verdict.not_judged}):
        labs = [verdict.lab for verdict in verdicts if what in verdict.not_judged]
        yield what if len(labs) == len(verdicts) else f"{what} [{', '.join(labs)}]"


def cell(judge: Judge, verdict: Verdict) -> str:
    if verdict.missing or not verdict.examined:
        return "–"
    return f"{verdict.examined}" + (f", **{len(verdict.findings)} refused**" if verdict.findings else "")


def section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {line}" for line in lines)] if lines else []


def observed(heard: list[tuple[Judge, Verdict]]) -> list[str]:
    return sorted({f"{judge.name} ({verdict.lab}): {what}" for judge, verdict in heard for what in verdict.observed})


def absent(heard: list[tuple[Judge, Verdict]]) -> list[str]:
    """Judges that were not there or found nothing of their kind anywhere."""
    missing = {f"{judge.name}: {verdict.missing}" for judge, verdict in heard if verdict.missing}
    busy = {judge.name for judge, verdict in heard if verdict.examined or verdict.missing}
    idle = {f"{judge.name}: no lab has anything for it" for judge, _ in heard if judge.name not in busy}
    return sorted(missing | idle)
