"""How long it takes to choose among 50 clusters that a profile names. Run it with ``python -m``.

The bar is 1 ms of CPU time for a start that knows its profile: which clusters its user may use, in
which order they are tried, and which of them are drained. It makes no network call.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.hub.sharing import fleet_of
from mcks.core.servers.progress import Progress
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.core.start import Start

BAR_MS = 1.0
CLUSTERS = 50


def cluster(number: int) -> dict[str, Any]:
    """Return a cluster with what an administrator says of one; each second one asks who may."""
    said: dict[str, Any] = {
        "context": f"context-{number}",
        "ingress_public_url": f"https://gateway-{number}.example.org",
        "environment": {"SCRATCH": f"s3://scratch-{number}"},
        "patches": {"10-place": f"kind: Pod\nmetadata: {{name: '{{{{key}}}}'}}\n# {number}\n" * 5},
    }
    return said | ({"allow": lambda _: True} if number % 2 else {})


def spawner(*, weighted: bool) -> MultiClusterKubeSpawner:
    """Make the spawner of a user whose profile names them all."""
    names = [f"cluster-{number:02}" for number in range(CLUSTERS)]
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        name: cluster(number) for number, name in enumerate(names)
    }
    made = sample_spawner(config, "ada")
    made.candidates = dict.fromkeys(names, 1.0) if weighted else names
    return made


async def measure(rounds: int = 200, *, weighted: bool = True) -> dict[str, float]:
    """Return milliseconds of CPU time: of the first choice, median and p90 of *rounds*."""
    made = spawner(weighted=weighted)
    first, *warm = [await _one(made) for _ in range(rounds + 1)]
    await fleet_of(made).close()
    return {
        "first": first,
        "median": statistics.median(warm),
        "p90": sorted(warm)[-rounds // 10],
    }


async def _one(made: MultiClusterKubeSpawner) -> float:
    before = time.process_time_ns()
    names = await made.placing.candidates()
    tries = Start(made, Progress())._tries(names)
    took = (time.process_time_ns() - before) / 1e6
    assert len([*tries]) == CLUSTERS
    return took


def main() -> bool:
    """Print the result as one line for each way to name them; return whether the bar is met."""
    met = True
    for weighted in (False, True):
        result = asyncio.run(measure(weighted=weighted))
        numbers = ", ".join(f"{name} {ms:.2f} ms" for name, ms in result.items())
        good = result["median"] < BAR_MS
        met = met and good
        verdict = "met" if good else "MISSED"
        how = "by weights" if weighted else "in order"
        print(f"{CLUSTERS} candidates {how}: {numbers} (bar: median < {BAR_MS} ms, {verdict})")
    return met


if __name__ == "__main__":
    main()
