"""What importing the spawner and planning a start cost, beside an earlier commit. ``python -m``.

``MCKS_BENCH_BEFORE`` names that commit; without it, it is the last release's tag. Both take turns
in fresh processes, so that both meet the same load of the machine; the ratios are of medians.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROUNDS = 15
MOST = 1.1
"""Bound of each ratio: the noise of a machine that has other things to do."""
_HERE = Path(__file__).resolve().parents[2]
_PROCESS = Path(__file__).with_name("before_process.py")
Figures = dict[str, float]


def main() -> bool:
    """Print a line for each figure; return whether none is behind."""
    before = os.environ.get("MCKS_BENCH_BEFORE") or _last_release()
    if not before:
        print("no release yet: name a commit in MCKS_BENCH_BEFORE to compare this one with it")
        return True
    with tempfile.TemporaryDirectory() as folder:
        trees = {"before": Path(folder, "before"), "now": _HERE}
        unpack(before, trees["before"])
        return _show(before, _measured(trees, Path(folder, "bytecode")))


def _last_release() -> str:
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v*"]
    done = subprocess.run(command, cwd=_HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def unpack(commit: str, folder: Path) -> None:
    """Write the package as it was at *commit* into *folder*."""
    archive = ["git", "archive", "--format=tar", commit, "mcks"]
    done = subprocess.run(archive, cwd=_HERE, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        packed.extractall(folder, filter="data")


def _measured(trees: dict[str, Path], bytecode: Path) -> dict[str, Figures]:
    """Medians of both; the first round compiles the modules and does not count."""
    runs: dict[str, list[Figures]] = {name: [] for name in trees}
    for _ in range(1 + ROUNDS):
        for name, tree in trees.items():
            runs[name].append(process(tree, bytecode))
    return {
        name: {figure: statistics.median(run[figure] for run in done[1:]) for figure in done[0]}
        for name, done in runs.items()
    }


def process(tree: Path, bytecode: Path) -> Figures:
    """Measure the package in *tree*, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, str(_PROCESS)],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    figures: Figures = json.loads(done.stdout)
    return figures


def _show(before: str, medians: dict[str, Figures]) -> bool:
    print(f"{f'beside {before}, medians of {ROUNDS}':<58}{'before':>12}{'now':>10}{'ratio':>8}")
    met = True
    for figure, old in medians["before"].items():
        new = medians["now"][figure]
        verdict = "met" if new <= MOST * old else "MISSED"
        met = met and verdict == "met"
        print(f"{figure:<58}{old:>12.4g}{new:>10.4g}{new / old:>8.2f}  <= {MOST}  {verdict}")
    return met


if __name__ == "__main__":
    raise SystemExit(not main())
