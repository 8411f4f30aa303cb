"""What a judge is, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lab import Lab


class Missing(Exception):
    """A tool, a module or an input that a judge needs is not there."""


class NoReference(Missing):
    """Upstream's reference data is not here. Only some checkouts have it beside them, so that is a skip everywhere."""


@dataclass(frozen=True)
class Finding:
    """One refusal: the file, relative to the tree, and what the judge said."""

    file: str
    said: str


@dataclass
class Verdict:
    """What one judge said about one lab."""

    judge: str
    lab: str
    examined: int = 0
    findings: list[Finding] = field(default_factory=list)
    not_judged: list[str] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)
    missing: str | None = None
    may_be_missing: bool = False
    seconds: float = 0.0

    def refuse(self, file: str, said: str) -> None:
        self.findings.append(Finding(file, said.strip()))

    def leave(self, what: str) -> None:
        """Say that something within this judge's reach was not judged, and why."""
        if what not in self.not_judged:
            self.not_judged.append(what)

    def observe(self, what: str) -> None:
        """Say what upstream's code did where neither answer would have been a refusal."""
        self.observed.append(what)


@dataclass(frozen=True)
class Judge:
    """A judge: what it looks at, who really decides (with version), and how to ask."""

    name: str
    artefact: str
    by: str
    run: Callable[[Lab, Verdict], None]
    tier: str = "quick"
    cap: int = 600  # seconds for one lab
    optional: bool = False  # cannot be installed from the package registries: its absence is no failure
