"""Many API servers and gateways over TLS, in a process of their own: what a large hub talks to.

``python -m tests.bench.scale_world DIRECTORY SERVERS CLUSTERS`` writes a kubeconfig, the CA and
``world.json`` there, prints ``ready``, and obeys lines: ``away SECONDS`` cuts all connections of
the API servers and lets none be made for so long. It ends when its standard input does.

``silent-api N``, ``refuse-api N`` and ``silent-gateway N`` take one part of one cluster away, and
``heal`` brings all back. What they answer is in scale_api.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
import sys
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

from tests.bench.scale_api import NAMESPACE, APIServer, Gateway


async def _serve(answer: Any, context: ssl.SSLContext, port: int = 0) -> tuple[web.AppRunner, int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    return runner, int(runner.addresses[0][1])


class World:
    """All clusters."""

    def __init__(self, servers: int, clusters: int) -> None:
        self.ca = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1", "localhost").configure_cert(self.context)
        self.apis = [APIServer(range(n, servers, clusters)) for n in range(clusters)]
        self.ports: list[int] = []
        self.gateways = [Gateway() for _ in range(clusters)]
        self.gateway_ports: list[int] = []
        self._runners: list[web.AppRunner] = []

    async def begin(self) -> None:
        """Serve."""
        for api in self.apis:
            runner, port = await _serve(api.answer, self.context)
            self._runners.append(runner)
            self.ports.append(port)
        for gateway in self.gateways:
            _, port = await _serve(gateway.answer, self.context)
            self.gateway_ports.append(port)

    async def be_away(self, seconds: float) -> None:
        """Let the API servers be gone for so long."""
        for api in self.apis:
            api.end_watches()
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        await asyncio.sleep(seconds)
        again = [
            await _serve(api.answer, self.context, port)
            for api, port in zip(self.apis, self.ports, strict=True)
        ]
        self._runners = [runner for runner, _ in again]

    async def obey(self, what: str, which: str) -> None:
        """Do *what* a line says."""
        match what:
            case "away":
                await self.be_away(float(which))
            case "silent-api":
                self.apis[int(which)].fall_silent()
            case "refuse-api":
                self.apis[int(which)].end_watches()
                await self._runners[int(which)].cleanup()
            case "silent-gateway":
                self.gateways[int(which)].fall_silent()
            case "heal":
                await self._heal()

    async def _heal(self) -> None:
        for speaking in (*self.apis, *self.gateways):
            speaking.speak()
        for n, runner in enumerate(self._runners):
            if not runner.sites:
                self._runners[n], _ = await _serve(self.apis[n].answer, self.context, self.ports[n])

    def kubeconfig(self) -> dict[str, Any]:
        """One file for all."""
        ca = base64.b64encode(self.ca.cert_pem.bytes()).decode()
        names = [f"c{n}" for n in range(len(self.apis))]
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": names[0],
            "users": [{"name": "hub", "user": {"token": "t"}}],
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": f"https://127.0.0.1:{port}",
                        "certificate-authority-data": ca,
                    },
                }
                for name, port in zip(names, self.ports, strict=True)
            ],
            "contexts": [
                {"name": n, "context": {"cluster": n, "user": "hub", "namespace": NAMESPACE}}
                for n in names
            ],
        }


async def main(directory: Path, servers: int, clusters: int) -> None:
    """Serve, and obey."""
    world = World(servers, clusters)
    await world.begin()
    world.ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(json.dumps(world.kubeconfig()))
    kubeconfig.chmod(0o600)
    gateways = {f"c{n}": f"https://127.0.0.1:{port}" for n, port in enumerate(world.gateway_ports)}
    (directory / "world.json").write_text(json.dumps(gateways))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        what, _, which = line.strip().partition(" ")
        await world.obey(what, which)
        total = {
            "API server connections": sum(api.connections for api in world.apis),
            "gateway connections": sum(gateway.connections for gateway in world.gateways),
        }
        for api in world.apis:
            for name, count in api.requests.items():
                total[name] = total.get(name, 0) + count
        print(json.dumps(total), flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # who was cut off is no news
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
