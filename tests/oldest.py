"""Runs tests with the oldest releases that pyproject.toml allows: ``python -m tests.oldest``.

They have an environment of their own. What follows is for pytest, instead of all tests but those in
a browser, which know the pages of newer releases of JupyterHub, and slow ones without a cluster.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".venv" / "oldest"
UNIT = "not cluster and not browser and not slow"


def oldest(project: dict[str, Any]) -> list[str]:
    """Return the oldest release of each package that mcks itself needs, all extras included."""
    extras = project["optional-dependencies"].values()
    needed = [*project["dependencies"], *(one for extra in extras for one in extra)]
    return [one.replace(">=", "==") for one in needed if ">=" in one]


def main(arguments: list[str]) -> int:
    """Install and test; return pytest's exit code, the first that is not 0."""
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tools = [one for one in described["dependency-groups"]["test"] if isinstance(one, str)]
    venv.create(PLACE, with_pip=True)
    python = PLACE / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *oldest(described["project"]), *tools, "-e", f"{ROOT}[all]"], check=True)
    everything = [["-n", "auto", "-m", UNIT], ["-m", "cluster and not browser"]]
    for run in [arguments] if arguments else everything:
        if code := subprocess.run([python, "-m", "pytest", *run], cwd=ROOT, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
