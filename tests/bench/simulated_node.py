"""The simulated node and gateway as a process of their own, so that their work is nobody's else.

``python -m tests.bench.simulated_node SERVER PKI`` prints the gateway's URL and the node's name
when they are ready, and ends with its standard input. What they do is in
`tests.fakes.simulated_kubelet`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.cluster.api import KubernetesAPI
from tests.fakes.simulated_kubelet import NODE, simulated_gateway, simulated_kubelet


async def _serve(server: str, pki: Path) -> None:
    api = KubernetesAPI.with_certificate(server, pki, "admin")
    async with simulated_kubelet(api), simulated_gateway() as gateway:
        print(gateway, NODE, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2])))
