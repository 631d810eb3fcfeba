"""``make demo``: a hub, two real clusters, a notebook in the browser; Ctrl-C takes all away."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import access, local_set, machine
from tests.cluster.external import VARIABLE, external_set
from tests.cluster.fixtures import Clusters
from tests.cluster.names import DEFAULT_SET
from tests.demo.hub import hub


@contextlib.contextmanager
def _clusters(set_name: str) -> Iterator[tuple[Clusters, Path]]:
    """The user's own, or local ones that go when the last who uses them goes; and a directory."""
    if found := external_set():
        found.prepare_namespace(access.HUB_NAMESPACE)
        with tempfile.TemporaryDirectory(prefix="mcks-demo-") as made:
            yield found, Path(made)
        return
    with local_set.in_use(set_name) as local:
        directory = local.state.directory / "demo"
        directory.mkdir(exist_ok=True)
        try:
            yield local, directory
        finally:
            print("Taking the clusters down ...", flush=True)


_ANY = """
c.MultiClusterKubeSpawner.profile_list.append(
    {
        "display_name": "Any cluster",
        "description": "JupyterLab in the first of these clusters that takes it",
        "clusters": list(c.MultiClusterKubeSpawner.clusters),
    }
)
"""
"""A profile beside those of the configuration, each of which names one cluster."""


async def _serve(clusters: Clusters, directory: Path, port: int, started: float) -> None:
    kubeconfig = directory / "kubeconfig"
    clusters.write_hub_kubeconfig(kubeconfig, access.HUB_NAMESPACE)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with hub(
        clusters,
        kubeconfig,
        directory,
        namespace=access.HUB_NAMESPACE,
        port=port,
        extra=_ANY,
    ) as running:
        print(_welcome(running.url, running.log, time.monotonic() - started), flush=True)
        ended = asyncio.create_task(running.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            print(f"The hub has ended. Its log is {running.log}", flush=True)
        ended.cancel()
        stopped.cancel()
        print("\nStopping the hub and its servers ...", flush=True)


def _welcome(url: str, log: Path, seconds: float) -> str:
    return f"""
The hub is ready after {seconds:.0f} s.

  1. Open  {url}
  2. Log in with any user name and any password, for example  ada / ada
  3. Choose a cluster and press Start. In a notebook, type:
         import os; print(os.environ["CLUSTER_NAME"])

The hub's log: {log}
Press Ctrl-C to stop the hub and take the clusters down.
"""


def main() -> int:
    """Run until Ctrl-C; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8000, help="public port on loopback; 0: any free one"
    )
    parser.add_argument("--set", default=DEFAULT_SET, help="name of the set of local clusters")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        with _clusters(arguments.set) as (clusters, directory):
            asyncio.run(_serve(clusters, directory, arguments.port, started))
    except machine.CannotRunHere as error:
        print(f"{error}\n({VARIABLE} is explained in docs/contributing.md.)", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
