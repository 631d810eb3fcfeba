"""Connects to one cluster beside dead ones, in a fresh process, and prints the seconds it took.

``python -m tests.bench.connect_process NAME CLUSTERS DEAD...``: *CLUSTERS* is JSON as in the
configuration. The dead ones are asked for first, and are silent when the clock begins. What is done
with the number is in `bench_silent_cloud`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
import time
from typing import Any

from traitlets.config import Config

from mcks.core.clusters.pool import Pool
from mcks.core.objects import Selector
from tests.fakes.silence import cloud_threads

_MODULES = ("kubernetes_asyncio.client", "botocore.session")
"""Loaded once in the life of a hub, whichever cluster comes first."""


async def seconds(name: str, clusters: dict[str, Any], dead: list[str]) -> float:
    """Return how long the first connection to *name* takes, to the answer to its first request."""
    for module in _MODULES:
        importlib.import_module(module)
    pool = Pool(Config(), logging.getLogger("mcks.bench"))
    waiting = [asyncio.create_task(pool.connect(other, clusters)) for other in dead]
    while len(cloud_threads()) < len(dead):
        await asyncio.sleep(0.01)
    await asyncio.sleep(1)  # their sessions are made, and all that is left is to wait
    began = time.perf_counter()
    connection = await pool.connect(name, clusters)
    await connection.client.list(Selector("v1", "Pod", connection.namespace))
    took = time.perf_counter() - began
    assert not any(task.done() for task in waiting), "a dead cluster was not silent"
    await pool.close()
    await asyncio.gather(*waiting, return_exceptions=True)
    return took


if __name__ == "__main__":
    print(asyncio.run(seconds(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:])))
