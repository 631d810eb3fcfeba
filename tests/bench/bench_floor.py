"""What the requests of a start cost with nothing around them. Run it with ``python -m``.

It is the least that a start can cost which sends them, so what `bench_spawn` measures is to be read
beside it: as a session of aiohttp sends them, and as mcks does, over its connections alone. It has
no bar: it is nobody's work but aiohttp's, asyncio's and that of TLS.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from tests.bench.bench_spawn import NAMESPACE, Servers, settings
from tests.bench.comparison import RUNS, measured, medians
from tests.bench.spawn_process import Figures
from tests.cluster import local_set
from tests.cluster.local_set import LocalSet
from tests.cluster.names import DEFAULT_SET

_LINES = {
    "spawn cpu": "CPU of the requests of a start, 1 at a time, ms",
    "spawn 20 cpu": "CPU of the requests of a start, 20 at once, ms",
    "spawn wall": "wall time of them, 1 at a time, median, ms",
    "spawn 20 wall": "wall time of them, 20 at once, median, ms",
    "spawn requests": "requests to the API server",
}
_BY = {"session": "by a session of aiohttp", "wire": "over its connections alone"}


async def _measure(clusters: LocalSet, folder: Path) -> Figures:
    kubeconfig = folder / "kubeconfig"
    clusters.write_hub_kubeconfig(kubeconfig, NAMESPACE)
    async with settings(clusters["a"], kubeconfig, NAMESPACE, Servers()) as given:
        return medians([await measured("floor_process", given=given) for _ in range(RUNS)])


def main() -> bool:
    """Print the figures."""
    with (
        local_set.in_use(os.environ.get("MCKS_SET", DEFAULT_SET)) as clusters,
        tempfile.TemporaryDirectory() as folder,
    ):
        clusters.prepare_namespace(NAMESPACE)
        try:
            figures = asyncio.run(_measure(clusters, Path(folder)))
        finally:
            clusters.remove_namespace(NAMESPACE)
    for by, said in _BY.items():
        print(f"{said}, medians of {RUNS}")
        for key, title in _LINES.items():
            print(f"{title:<58}{figures[f'{by} {key}']:>12.4g}", flush=True)
    return True


if __name__ == "__main__":
    raise SystemExit(not main())
