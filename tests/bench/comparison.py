"""Two spawners side by side: their figures in fresh processes, medians, a table with bars.

What is measured belongs to spawn_process, the bars to who compares.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.spawn_process import Figures

KINDS = ("kubespawner", "mcks")
RUNS = 5


@dataclass(frozen=True)
class Row:
    """One figure of both, by its keys of spawn_process; *ratio* and *most* bound mcks's."""

    title: str
    keys: tuple[str, ...]
    ratio: float | None = None
    most: float | None = None

    def value(self, figures: Figures) -> float:
        return sum(figures[key] for key in self.keys)

    def line(self, ours: Figures, theirs: Figures) -> tuple[str, bool]:
        """The row as text, and whether mcks keeps its bar."""
        mine, other = self.value(ours), self.value(theirs)
        bound = self.most if self.ratio is None else self.ratio * other
        met = bound is None or mine <= bound
        bar = "" if bound is None else f"<= {bound:.3g}"
        verdict = "" if bound is None else "met" if met else "MISSED"
        if met and self.ratio is not None and mine > other:
            verdict = "met, but behind"
        return f"{self.title:<58}{other:>12.4g}{mine:>10.4g}  {bar:<10}{verdict}", met


async def run_both(
    phases: Sequence[str], given: Mapping[str, Any], runs: int = RUNS
) -> dict[str, Figures]:
    """Run each kind's *phases* in turn, so many times; return the medians by kind."""
    taken: dict[str, list[Figures]] = {kind: [] for kind in KINDS}
    for _ in range(runs):
        for kind in KINDS:
            figures: Figures = {}
            for phase in phases:
                figures |= await measured("spawn_process", kind, phase, given=given)
            taken[kind].append(figures)
    return {kind: medians(each) for kind, each in taken.items()}


def show(title: str, rows: Iterable[Row], figures: Mapping[str, Figures]) -> bool:
    """Print the table; return whether all bars are met."""
    print(f"{f'{title}, medians of {RUNS}':<58}{'kubespawner':>12}{'mcks':>10}")
    results = [row.line(figures["mcks"], figures["kubespawner"]) for row in rows]
    print("\n".join(text for text, _ in results), flush=True)
    return all(met for _, met in results)


async def measured(module: str, *words: str, given: Mapping[str, Any]) -> Figures:
    """The figures that the process *module* of this folder takes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.bench.{module}", *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "KUBECONFIG": given["kubeconfig"]},
    )
    out, _ = await process.communicate(json.dumps(given).encode())
    assert process.returncode == 0, f"{module} {' '.join(words)} failed"
    figures: Figures = json.loads(out)
    return figures


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}
