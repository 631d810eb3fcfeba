"""What a spawn costs the hub, mcks beside KubeSpawner. Run it with ``python -m``.

Both use the same real API server with its controllers and the same simulated node, whose servers
run at once: what remains is the spawners' own. KubeSpawner makes one object for each server, mcks
five. Then a real hub is killed and started again.
Servers in containers are in bench_containers.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.bench.comparison import RUNS, Row, run_both, show
from tests.bench.spawn_process import Figures
from tests.cluster import local_set
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.cluster.names import DEFAULT_SET
from tests.hub.test_many_servers import many_servers, until_all_ready, users

SERVERS = 160
"""Of which 40 are started before those that are measured, 60 one at a time, 60 by 20 at once."""
MANY = 200
"""Servers that a new hub finds when it has imported all."""
PHASES = ("first", "next", "full", "warm")
NAMESPACE = "bench-spawn"

ROWS = [
    Row("CPU per spawn, 1 at a time, ms", ("spawn cpu",), ratio=1.0),
    Row("CPU per spawn, 20 at once, ms", ("spawn 20 cpu",), ratio=1.2),
    Row("wall time of a spawn, 1 at a time, median, ms", ("spawn wall",), ratio=0.3),
    Row("wall time of a spawn, 20 at once, median, ms", ("spawn 20 wall",), ratio=1.0),
    Row("longest block of the event loop, 20 spawns at once, ms", ("block",), ratio=1.5),
    Row("import and first spawn, CPU, ms", ("first import", "first cpu"), ratio=1.0),
    Row("import, CPU, ms", ("first import",), ratio=0.7),
    Row("import, memory, MB", ("first import memory",), ratio=0.7),
    Row("memory after the first spawn, MB", ("used memory",), ratio=1.25),
    Row("CPU per poll, ms", ("poll cpu",), ratio=0.5),
    Row("CPU per stop, 1 at a time, ms", ("stop cpu",), ratio=1.0),
    Row("CPU per stop, 20 at once, ms", ("stop 20 cpu",), ratio=1.0),
    Row("wall time of a stop, 1 at a time, median, ms", ("stop wall",), ratio=0.6),
    Row("new hub: import, find 120 servers, CPU, ms", ("next import", "restart cpu"), ratio=1.0),
    Row("new hub: find 200 servers, CPU, ms", ("warm restart cpu",), ratio=0.5),
    Row("new hub: ask the gateway for each server, CPU, ms", ("adopt cpu",)),
    Row("state of a server, bytes", ("state",), most=400),
    Row("API requests per spawn (5 objects and 1)", ("spawn requests",), most=6),
    Row("API requests per poll", ("poll requests",), most=0),
    Row("API requests per stop", ("stop requests",), most=2),
    Row("API requests of a new hub: 1 list, 1 watch", ("restart requests",), most=2),
]


class Servers(NamedTuple):
    """How many are started, measured one by one and 20 at once; and how many a new hub finds."""

    some: int = SERVERS
    many: int = MANY


@asynccontextmanager
async def simulated(api_server: str, pki: Path) -> AsyncIterator[list[str]]:
    """Node and gateway in a process of their own; yields the gateway's URL and the node's name."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.simulated_node", api_server, str(pki)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().split()
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def settings(
    cluster: LocalCluster, kubeconfig: Path, namespace: str, servers: Servers
) -> AsyncIterator[dict[str, Any]]:
    """What a measured process is given: an API server, a node without containers, a gateway.

    States are kept beside *kubeconfig*.
    """
    async with simulated(cluster.api_url, cluster.directory / "pki") as (gateway, node):
        yield {
            "api_server": cluster.api_url,
            "kubeconfig": str(kubeconfig),
            "context": cluster.context,
            "namespace": namespace,
            "gateway": gateway,
            "cmd": ["jupyterhub-singleuser"],
            "pod": {"nodeName": node, "containers": [{"image": "example.org/notebook:1"}]},
            "servers": servers.some,
            "many servers": servers.many,
            "states": str(kubeconfig.with_name("states.json")),
        }


async def compare(
    cluster: LocalCluster, kubeconfig: Path, namespace: str, servers: Servers, runs: int = RUNS
) -> dict[str, Figures]:
    """Medians of all figures by kind of spawner."""
    async with settings(cluster, kubeconfig, namespace, servers) as given:
        return await run_both(PHASES, given, runs)


async def _compared(clusters: LocalSet, folder: Path) -> dict[str, Figures]:
    kubeconfig = folder / "kubeconfig"
    clusters.write_hub_kubeconfig(kubeconfig, NAMESPACE)
    return await compare(clusters["a"], kubeconfig, NAMESPACE, Servers())


async def _hub_restart(clusters: LocalSet, folder: Path, count: int) -> tuple[float, float]:
    """Kill a real hub with *count* servers and start it.

    Return seconds from its start until all are ready, and those that it says its spawners took.
    """
    kubeconfig = folder / "kubeconfig"
    clusters.write_hub_kubeconfig(kubeconfig, NAMESPACE)
    namespace = Namespace(NAMESPACE, kubeconfig)
    async with many_servers(clusters, namespace, folder, count) as hub:
        await hub.kill()
        said = hub.log.stat().st_size
        began = time.monotonic()
        await hub.start()
        await until_all_ready(hub, users(0, count))
        took = time.monotonic() - began
        log = hub.log.read_bytes()[said:].decode()
        found = re.search(rf"Initialized {count} spawners in ([\d.]+) seconds", log)
        assert found is not None
        return took, float(found[1])


def _folder(work: Callable[[Path], Any]) -> Any:
    with tempfile.TemporaryDirectory() as made:
        return asyncio.run(work(Path(made)))


def main() -> bool:
    """Print the table; return whether all bars are met."""
    with (
        local_set.in_use(os.environ.get("MCKS_SET", DEFAULT_SET)) as clusters,
        tempfile.TemporaryDirectory() as bytecode,
        pytest.MonkeyPatch.context() as patch,
    ):
        # Modules are compiled once, as pip does when it installs them.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", bytecode)
        clusters.prepare_namespace(NAMESPACE)
        try:
            command = [sys.executable, "-c", "import kubespawner, mcks.core.spawner"]
            subprocess.run(command, check=True)
            medians = _folder(partial(_compared, clusters))
            met = show(f"{SERVERS} servers that run at once", ROWS, medians)
            for count in (40, 200):
                took, said = _folder(partial(_hub_restart, clusters, count=count))
                print(
                    f"a real hub is killed and started, {count} servers in 2 clusters: "
                    f"all ready after {took:.1f} s; its spawners took {said:.1f} s of that"
                )
        finally:
            clusters.remove_namespace(NAMESPACE)
    return met


if __name__ == "__main__":
    raise SystemExit(not main())
