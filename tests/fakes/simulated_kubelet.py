"""A node without containers: its Pods run at once, for hundreds of servers on a real API server.

Everything but the kubelet is real: API server, admission, controllers, garbage collector. A Pod
is its own if ``spec.nodeName`` says so; the scheduler is not asked. What is expected of servers
belongs to the tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import jupyterhub
from aiohttp import web

from tests.cluster.api import KubernetesAPI

Pod = dict[str, Any]
NODE = f"simulated-{os.getpid()}"  # another test run may have one in the same cluster
SERVER_PATCH = f"""
    kind: Pod
    metadata: {{name: "{{{{key}}}}"}}
    spec: {{nodeName: {NODE}}}
"""
"""The patch that puts a server's Pod on this node."""
_HEARTBEAT = 20.0
_PAUSE = 0.2
_ADDRESS = "192.0.2.1"  # reserved for documentation: nobody may reach these Pods but by name


class SimulatedKubelet:
    """Makes its Pods Running and Ready, and lets those that were deleted go at once.

    ``end`` is what a container's end, the kernel or an eviction does to a Pod.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def run(self) -> None:
        """Do a kubelet's work until cancelled; survives an API server that is away."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self._beat())
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await self._follow(work)
                await asyncio.sleep(_PAUSE)

    async def _follow(self, work: asyncio.TaskGroup) -> None:
        """One watch, which begins with all that is there."""
        query = {"watch": "1", "fieldSelector": f"spec.nodeName={NODE}"}
        forever = aiohttp.ClientTimeout(total=None)
        async with self._session.get("/api/v1/pods", params=query, timeout=forever) as response:
            response.raise_for_status()
            async for line in response.content:
                event = json.loads(line)
                if event["type"] in ("ADDED", "MODIFIED"):
                    work.create_task(self._care_for(event["object"]))

    async def _care_for(self, pod: Pod) -> None:
        if "deletionTimestamp" in pod["metadata"]:
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
            await self._ask("DELETE", _path(pod), options)
        elif pod["status"]["phase"] == "Pending":
            await self._set_status(pod, _running(pod))

    async def end(
        self,
        name: str,
        namespace: str,
        *,
        exit_code: int = 0,
        reason: str = "",
        pod_reason: str = "",
    ) -> None:
        """End a Pod as one that is not restarted ends.

        *reason* is the container's (default ``Completed`` or ``Error``; ``OOMKilled``, say),
        *pod_reason* the Pod's own, such as ``Evicted``.
        """
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        async with self._session.get(path) as response:
            response.raise_for_status()
            pod = await response.json()
        reason = reason or ("Error" if exit_code else "Completed")
        await self._set_status(pod, _ended(pod, exit_code, reason, pod_reason))

    async def _set_status(self, pod: Pod, status: Mapping[str, Any]) -> None:
        await self._ask("PATCH", f"{_path(pod)}/status", {"status": status})

    async def _beat(self) -> None:
        """Without a sign of life the node's Pods would be marked as not ready."""
        await self._ask("POST", "/api/v1/nodes", _node())
        while True:
            condition = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
            status = {"conditions": [{**condition, "lastHeartbeatTime": _now()}]}
            await self._ask("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status})
            await asyncio.sleep(_HEARTBEAT)

    async def _ask(self, method: str, path: str, body: object) -> None:
        """A Pod that is gone or has changed comes again with the watch, as does all after a fault.

        Raises RuntimeError for any other refusal.
        """
        kind = "strategic-merge-patch+json" if method == "PATCH" else "json"
        headers = {"Content-Type": f"application/{kind}"}
        request = self._session.request(method, path, data=json.dumps(body), headers=headers)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with request as response:
                text = await response.text()
                if 400 <= response.status < 500 and response.status not in (404, 409):
                    raise RuntimeError(f"{method} {path}: {text}")


@contextlib.asynccontextmanager
async def simulated_kubelet(api: KubernetesAPI) -> AsyncIterator[SimulatedKubelet]:
    """A node of the cluster of *api* (with all rights), gone at the end."""
    connector = aiohttp.TCPConnector(ssl=api.tls, limit=20)
    async with aiohttp.ClientSession(
        api.server, connector=connector, read_bufsize=2**20
    ) as session:
        kubelet = SimulatedKubelet(session)
        running = asyncio.create_task(kubelet.run(), name="simulated kubelet")
        try:
            yield kubelet
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asyncio.to_thread(api.delete, "v1", "Node", NODE)


@contextlib.asynccontextmanager
async def simulated_gateway(port: int = 0) -> AsyncIterator[str]:
    """A gateway on loopback behind which every server answers; yields its URL.

    *port* 0 means a free one. It answers ``GET {prefix}api`` as a single-user server does.
    """

    async def api(_: web.Request) -> web.Response:
        headers = {"X-JupyterHub-Version": jupyterhub.__version__}
        return web.json_response({"version": "2.17.0"}, headers=headers)

    app = web.Application()
    app.router.add_get("/{prefix:(?:.*/)?user/.+}/api", api)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, bound = runner.addresses[0][:2]
        yield f"http://{host}:{bound}"
    finally:
        await runner.cleanup()


def _path(pod: Pod) -> str:
    meta = pod["metadata"]
    return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"


def _node() -> dict[str, Any]:
    """Unschedulable, so that nothing comes here that does not ask for it."""
    spec = {"unschedulable": True}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "spec": spec}


def _running(pod: Pod) -> dict[str, Any]:
    running = {"running": {"startedAt": _now()}}
    return {
        "phase": "Running",
        "startTime": _now(),
        "podIP": _ADDRESS,
        "podIPs": [{"ip": _ADDRESS}],
        "conditions": _conditions("True"),
        "containerStatuses": _containers(pod, running, ready=True),
    }


def _ended(pod: Pod, exit_code: int, reason: str, pod_reason: str) -> dict[str, Any]:
    ended = {"exitCode": exit_code, "reason": reason, "finishedAt": _now()}
    status = {
        "phase": "Failed" if exit_code or pod_reason else "Succeeded",
        "conditions": _conditions("False"),
        "containerStatuses": _containers(pod, {"running": None, "terminated": ended}, ready=False),
    }
    return {**status, "reason": pod_reason} if pod_reason else status


def _conditions(ready: str) -> list[dict[str, str]]:
    states = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": ready}
    return [{"type": kind, "status": is_so} for kind, is_so in {**states, "Ready": ready}.items()]


def _containers(pod: Pod, state: Mapping[str, Any], *, ready: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "containerID": f"simulated://{pod['metadata']['uid']}",
            "restartCount": 0,
            "started": ready,
            "ready": ready,
            "state": state,
        }
        for container in pod["spec"]["containers"]
    ]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
