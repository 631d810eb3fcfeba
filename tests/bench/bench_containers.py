"""What a spawn in a container costs the hub, mcks beside KubeSpawner. Run it with ``python -m``.

A real kubelet runs the servers. Both spawners are as they come: KubeSpawner watches events, mcks
asks its gateway. A spawn ends when JupyterHub's own request to the server is answered.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import yaml

from tests.bench.comparison import Row, run_both, show
from tests.cluster import local_set
from tests.cluster.local_set import LocalSet
from tests.cluster.names import DEFAULT_SET
from tests.hub.servers import SERVER

SERVERS = 30
NAMESPACE = "bench-containers"

ROWS = [
    Row("CPU per spawn, 1 at a time, ms", ("spawn cpu",), ratio=1.0),
    Row("CPU per spawn, 20 at once, ms", ("spawn 20 cpu",), ratio=1.0),
    Row("wall time of a spawn, 1 at a time, median, ms", ("spawn wall",), ratio=1.0),
    Row("wall time of a spawn, 20 at once, median, ms", ("spawn 20 wall",), ratio=1.1),
    Row("CPU per stop, 1 at a time, ms", ("stop cpu",), ratio=1.0),
    Row("CPU per stop, 20 at once, ms", ("stop 20 cpu",), ratio=1.0),
    Row("wall time of a stop, 1 at a time, median, ms", ("stop wall",), ratio=1.0),
    Row("API requests per spawn", ("spawn requests",), most=6),
]


def given(
    clusters: LocalSet, kubeconfig: Path, namespace: str, servers: int = SERVERS
) -> dict[str, object]:
    """What both spawners are given: servers of a few lines of Python; writes *kubeconfig*."""
    cluster = clusters["a"]
    clusters.write_hub_kubeconfig(kubeconfig, namespace)
    python = Path(clusters.notebook_command()[0]).with_name("python")
    return {
        "api_server": cluster.api_url,
        "kubeconfig": str(kubeconfig),
        "context": cluster.context,
        "namespace": namespace,
        "gateway": cluster.gateway_url,
        "cmd": [str(python), "-c", SERVER],
        "pod": yaml.safe_load(clusters.notebook_patch())["spec"],
        "servers": servers,
    }


def main() -> bool:
    """Print the table; return whether all bars are met."""
    with (
        local_set.in_use(os.environ.get("MCKS_SET", DEFAULT_SET)) as clusters,
        tempfile.TemporaryDirectory() as folder,
    ):
        clusters.prepare_namespace(NAMESPACE)
        try:
            all_that = given(clusters, Path(folder) / "kubeconfig", NAMESPACE)
            medians = asyncio.run(run_both(("containers",), all_that))
        finally:
            clusters.remove_namespace(NAMESPACE)
        return show(f"{SERVERS} servers in containers", ROWS, medians)


if __name__ == "__main__":
    raise SystemExit(not main())
