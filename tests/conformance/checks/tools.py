"""Where the judges are, and how to run them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .verdict import Missing, NoReference

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
JUDGES = Path(os.environ.get("MESHLAB_JUDGES", ROOT / "target" / "judges"))
UPSTREAM = Path(os.environ.get("MESHLAB_UPSTREAM", ROOT.parent / "shared" / "upstream"))
REPOSITORY = Path(os.environ.get("MESHLAB_REPOSITORY", ROOT))
KEYSTORES = Path(os.environ.get("MESHLAB_KEYSTORES", ROOT / "tests" / "keystore"))


def find(tool: str) -> str:
    """The path of a command: ours before the system's."""
    path = shutil.which(tool, path=f"{JUDGES / 'bin'}:{JUDGES / 'venv' / 'bin'}:{os.environ['PATH']}")
    if path is None:
        raise Missing(f"{tool} is not installed (tests/conformance/install)")
    return path


def upstream(path: str) -> Path:
    """A file or folder of upstream's reference data."""
    found = UPSTREAM / path
    if not found.exists():
        raise NoReference(f"no {path} in {UPSTREAM}")
    return found


def run(tool: str, *arguments: str | Path, stdin: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a judge to its end; the caller reads its exit status."""
    return subprocess.run(
        [find(tool), *map(str, arguments)], input=stdin, cwd=cwd, text=True, capture_output=True, timeout=600, check=False
    )


def answer(tool: str, *arguments: str | Path, stdin: str | None = None) -> str:
    """The output of a judge that must succeed to have judged at all."""
    result = run(tool, *arguments, stdin=stdin)
    if result.returncode != 0:
        raise RuntimeError(f"{tool} {arguments[0] if arguments else ''}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def meshlab() -> str:
    """The binary of this repository."""
    built = [ROOT / "target" / profile / "meshlab" for profile in ("release", "debug")]
    binaries = [Path(os.environ["MESHLAB"])] if "MESHLAB" in os.environ else built
    binary = next((binary for binary in binaries if binary.exists()), None)
    if binary is None:
        raise Missing("meshlab is not built")
    return str(binary.resolve())


def said(result: subprocess.CompletedProcess[str], limit: int = 12) -> str:
    """The last lines of what a judge printed."""
    lines = (result.stdout + result.stderr).strip().splitlines()
    return "\n".join(lines[-limit:])


def judges_installed(name: str) -> Path:
    """A file or folder that the install script puts beside the commands."""
    found = JUDGES / name
    if not found.exists():
        raise Missing(f"{name} is not installed (tests/conformance/install)")
    return found
