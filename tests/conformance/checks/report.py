"""What a run says: lines for people, and the table in docs/."""

from __future__ import annotations

from collections import Counter
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
    """The table: artefact × judge × lab. Deterministic for the same trees and judges: no date, no duration."""
    labs = list(dict.fromkeys(verdict.lab for _, verdict in heard if verdict.lab != court.REPOSITORY))
    lines = [
        "# Conformance",
        "",
        "Upstream's own code judges what meshlab renders. Written by `tests/conformance/check … --report`; do not edit.",
        "A cell says how many things a judge examined in that lab, and how many it refused; – where it had nothing to judge or was not there.",
        "",
        f"| artefact | judge | {' | '.join(labs)} |",
        f"| --- | --- |{' --- |' * len(labs)}",
    ]
    by_judge: dict[str, dict[str, tuple[Judge, Verdict]]] = {}
    for judge, verdict in heard:
        by_judge.setdefault(judge.name, {})[verdict.lab] = (judge, verdict)
    for said in by_judge.values():
        judge = next(iter(said.values()))[0]
        cells = [cell(*said[lab]) if lab in said else "" for lab in labs]
        if court.REPOSITORY in said:
            cells[0] = cell(*said[court.REPOSITORY]) + " in the repository"
        lines.append(f"| {judge.artefact} | {judge.name}: {judge.by} | {' | '.join(cells)} |")
    lines += ["", f"Charts rendered: {charts.versions()}.", "", "## Not judged", ""]
    lines += [f"- {what}" for what in not_judged(heard)]
    file.write_text("\n".join(lines) + "\n")


def cell(judge: Judge, verdict: Verdict) -> str:
    if verdict.missing or not verdict.examined:
        return "–"
    return f"{verdict.examined}" + (f", **{len(verdict.findings)} refused**" if verdict.findings else "")


def not_judged(heard: list[tuple[Judge, Verdict]]) -> list[str]:
    found = {f"{judge.name}: {what}" for judge, verdict in heard for what in verdict.not_judged}
    found |= {f"{judge.name} ({verdict.lab}): {verdict.missing}" for judge, verdict in heard if verdict.missing}
    return sorted(found) or ["nothing that the judges know of"]
