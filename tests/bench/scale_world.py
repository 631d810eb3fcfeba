"""Many API servers and gateways over TLS, in a process of their own: what a large hub talks to.

``python -m tests.bench.scale_world DIRECTORY SERVERS CLUSTERS`` writes a kubeconfig, the CA and
``world.json`` there, prints ``ready``, and obeys lines: ``away SECONDS`` cuts all connections of
the API servers and lets none be made for so long. It ends when its standard input does.

Only what a hub asks of servers that run already: lists, watches, the servers' own answers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

NAMESPACE = "hub"
_LABELS = (
    '{"mcks.hub.jupyter.org/key": "KEY", "mcks.hub.jupyter.org/hub": "h", "app": "jupyterhub"}'
)
_WATCH = "watch"


def key(number: int) -> str:
    """Name the server of a user."""
    return f"h-jupyter-user-{number}"


def pod(name: str) -> str:
    """A Pod of the size that Pods have, as JSON."""
    env = [{"name": f"VARIABLE_{n}", "value": "x" * 40} for n in range(45)]
    managed: dict[str, Any] = {f"f:{n}": {".": {}, "f:name": {}, "f:value": {}} for n in range(45)}
    mounts = [{"name": f"v{n}", "mountPath": f"/mnt/{n}"} for n in range(4)]
    container = {"name": "notebook", "image": "quay.io/example/notebook:2026.1", "env": env}
    status = {
        "name": "notebook",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        "lastState": {},
        "image": "quay.io/example/notebook:2026.1",
        "imageID": "quay.io/example/notebook@sha256:" + "0" * 64,
        "containerID": "containerd://" + "0" * 64,
    }
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    body = {
        "metadata": _metadata(name, "pod") | {"managedFields": [{"fieldsV1": managed}]},
        "spec": {
            "containers": [container | {"volumeMounts": mounts}],
            "restartPolicy": "OnFailure",
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": kind, "status": "True"} for kind in kinds],
            "containerStatuses": [status],
        },
    }
    return json.dumps(body)


def secret(name: str) -> str:
    """A Secret's metadata, as JSON."""
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": f"pod-{name}"}]
    return json.dumps({"metadata": _metadata(name, "secret") | {"ownerReferences": owners}})


def _metadata(name: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"{kind}-{name}",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": json.loads(_LABELS.replace("KEY", name)),
    }


class APIServer:
    """One cluster's API server, with the servers of these users."""

    def __init__(self, users: range) -> None:
        self._items = {"pods": [pod(key(n)) for n in users], "secrets": []}
        self._items["secrets"] = [secret(key(n)) for n in users]
        self._gone = asyncio.Event()
        self.requests: dict[str, int] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a list or a watch."""
        plural = request.path.rpartition("/")[2]
        what = f"{plural} {_WATCH if _WATCH in request.query else 'list'}"
        self.requests[what] = self.requests.get(what, 0) + 1
        if _WATCH in request.query:
            response = web.StreamResponse()
            response.enable_chunked_encoding()
            await response.prepare(request)
            gone = self._gone
            await gone.wait()
            return response
        return web.Response(body=self._page(plural, request.query), content_type="application/json")

    def end_watches(self) -> None:
        """End all watches that are open."""
        self._gone.set()
        self._gone = asyncio.Event()

    def _page(self, plural: str, query: Any) -> bytes:
        items, begin = self._items.get(plural, []), int(query.get("continue", "0"))
        end = begin + int(query.get("limit", len(items) or 1))
        more = f', "continue": "{end}"' if end < len(items) else ""
        listed = ", ".join(items[begin:end])
        meta = f'"metadata": {{"resourceVersion": "7"{more}}}'
        return f'{{"kind": "List", {meta}, "items": [{listed}]}}'.encode()


async def _serve(answer: Any, context: ssl.SSLContext, port: int = 0) -> tuple[web.AppRunner, int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    return runner, int(runner.addresses[0][1])


async def _server(_: web.Request) -> web.Response:
    return web.json_response({"version": "2.17"}, headers={"X-JupyterHub-Version": "6.1.1"})


class World:
    """All clusters."""

    def __init__(self, servers: int, clusters: int) -> None:
        self.ca = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1", "localhost").configure_cert(self.context)
        self.apis = [APIServer(range(n, servers, clusters)) for n in range(clusters)]
        self.ports: list[int] = []
        self.gateways: list[int] = []
        self._runners: list[web.AppRunner] = []

    async def begin(self) -> None:
        """Serve."""
        for api in self.apis:
            runner, port = await _serve(api.answer, self.context)
            self._runners.append(runner)
            self.ports.append(port)
            _, gateway = await _serve(_server, self.context)
            self.gateways.append(gateway)

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

    def kubeconfig(self) -> dict[str, Any]:
        """One file for all."""
        ca = base64.b64encode(self.ca.cert_pem.bytes()).decode()
        names = [f"c{n}" for n in range(len(self.apis))]
        return {
            "apiVersion": "v1",
            "kind": "Config",
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
    gateways = {f"c{n}": f"https://127.0.0.1:{port}" for n, port in enumerate(world.gateways)}
    (directory / "world.json").write_text(json.dumps(gateways))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        what, _, seconds = line.strip().partition(" ")
        if what == "away":
            await world.be_away(float(seconds))
        total: dict[str, int] = {}
        for api in world.apis:
            for name, count in api.requests.items():
                total[name] = total.get(name, 0) + count
        print(json.dumps(total), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
