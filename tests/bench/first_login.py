"""Connects to one cluster in a fresh process and prints for how long the event loop stood still.

``python -m tests.bench.first_login NAME CLUSTERS``: *CLUSTERS* is JSON as in the configuration.
The clouds it finds by its environment. What is done with the number is in `bench_logins`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from typing import Any

from traitlets.config import Config

from mcks.core.clusters.pool import Pool
from mcks.core.objects import Selector

_TICK = 0.001


async def longest_block(name: str, clusters: dict[str, Any]) -> float:
    """Return the longest time, in seconds, that a waiting task was late during the first login.

    From the look-up of the backend to the answer of the API server to the first request.
    """
    gaps = [0.0]
    ticking = asyncio.create_task(_tick(gaps))
    await asyncio.sleep(10 * _TICK)
    gaps[:] = [0.0]
    pool = Pool(Config(), logging.getLogger("mcks.bench"))
    connection = await pool.connect(name, clusters)
    await connection.client.list(Selector("v1", "Pod", connection.namespace))
    await asyncio.sleep(10 * _TICK)
    longest = max(gaps)
    ticking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticking
    await pool.close()
    return longest


async def _tick(gaps: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(_TICK)
        gaps.append(time.perf_counter() - before - _TICK)


if __name__ == "__main__":
    print(asyncio.run(longest_block(sys.argv[1], json.loads(sys.argv[2]))))
