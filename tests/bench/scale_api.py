"""One simulated API server and one gateway for scale_world: what a hub asks of them, and no more.

A Pod runs as soon as it is made. Both may fall silent when they are told to.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import Any
from weakref import WeakSet

from aiohttp import web

NAMESPACE = "hub"
_LABELS = (
    '{"mcks.hub.jupyter.org/key": "KEY", "mcks.hub.jupyter.org/hub": "h", "app": "jupyterhub"}'
)
_VERSION = 7
"""Of all that is there from the beginning."""
_HISTORY = 1000
"""Events that a watch may begin before."""
_STATUS = {
    "name": "notebook",
    "ready": True,
    "restartCount": 0,
    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
    "lastState": {},
    "image": "quay.io/example/notebook:2026.1",
    "imageID": "quay.io/example/notebook@sha256:" + "0" * 64,
    "containerID": "containerd://" + "0" * 64,
}
ADDRESS = "192.0.2.1"
_CONDITIONS = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
RUNNING = {
    "phase": "Running",
    "podIP": ADDRESS,
    "conditions": [{"type": kind, "status": "True"} for kind in _CONDITIONS],
    "containerStatuses": [_STATUS],
}


def key(user: str) -> str:
    """Name the server of a user."""
    return f"h-jupyter-{user}"


def pod(name: str) -> str:
    """A Pod of the size that Pods have, as JSON."""
    env = [{"name": f"VARIABLE_{n}", "value": "x" * 40} for n in range(45)]
    mounts = [{"name": f"v{n}", "mountPath": f"/mnt/{n}"} for n in range(4)]
    ports = [{"name": "notebook-port", "containerPort": 8888, "protocol": "TCP"}]
    image = "quay.io/example/notebook:2026.1"
    container = {"name": "notebook", "image": image, "env": env, "ports": ports}
    body = {
        "metadata": _metadata(name, "pod") | _managed(),
        "spec": {
            "containers": [container | {"volumeMounts": mounts}],
            "restartPolicy": "OnFailure",
        },
        "status": RUNNING,
    }
    return json.dumps(body)


def secret(name: str) -> str:
    """A Secret's metadata, as JSON."""
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": f"pod-{name}"}]
    return json.dumps({"metadata": _metadata(name, "secret") | {"ownerReferences": owners}})


def _managed() -> dict[str, Any]:
    fields: dict[str, Any] = {f"f:{n}": {".": {}, "f:name": {}, "f:value": {}} for n in range(45)}
    return {"managedFields": [{"fieldsV1": fields}]}


def _metadata(name: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"{kind}-{name}",
        "resourceVersion": str(_VERSION),
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": json.loads(_LABELS.replace("KEY", name)),
    }


class Speaking:
    """Answers, unless it is told to be silent. Counts its connections."""

    def __init__(self) -> None:
        self.connections = 0
        self._connected: WeakSet[Any] = WeakSet()
        self._speaks = asyncio.Event()
        self._speaks.set()

    def fall_silent(self) -> None:
        """Give no answer from now on."""
        self._speaks.clear()

    def speak(self) -> None:
        """Answer again."""
        self._speaks.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer, in its time."""
        if request.transport not in self._connected:
            self._connected.add(request.transport)
            self.connections += 1
        await self._speaks.wait()
        return await self.say(request)

    async def say(self, request: web.Request) -> web.StreamResponse:
        """Answer at once."""
        raise NotImplementedError


class Gateway(Speaking):
    """Behind it each server answers."""

    async def say(self, _: web.Request) -> web.StreamResponse:
        """Answer as a user's server does."""
        return web.json_response({"version": "2.17"}, headers={"X-JupyterHub-Version": "6.1.1"})


class APIServer(Speaking):
    """One cluster's API server, with the servers of these users, and those that are made."""

    def __init__(self, users: range) -> None:
        super().__init__()
        self._old = {
            "pods": [pod(key(f"user-{n}")) for n in users],
            "secrets": [secret(key(f"user-{n}")) for n in users],
        }
        self._made: dict[str, dict[str, Any]] = {}
        self._watches: set[asyncio.Queue[bytes | None]] = set()
        self._version = _VERSION
        self._events: deque[tuple[int, bytes]] = deque(maxlen=_HISTORY)
        self.requests: dict[str, int] = {}

    async def say(self, request: web.Request) -> web.StreamResponse:
        """Answer a list, a watch, or what is done to one object."""
        path, watched = request.path, "watch" in request.query
        single = "/" in path.partition(f"/namespaces/{NAMESPACE}/")[2]
        plural = path.split("/")[-2 if single else -1]
        verb = "watch" if watched else {"GET": "get" if single else "list"}.get(request.method)
        what = f"{plural} {verb or request.method.lower()}"
        self.requests[what] = self.requests.get(what, 0) + 1
        if watched:
            return await self._watch(request, plural)
        if request.method == "POST":
            return self._create(path, await request.json())
        if single:
            return self._one(request.method, path, await request.text())
        return web.Response(body=self._page(plural, request.query), content_type="application/json")

    def end_watches(self) -> None:
        """End all watches that are open."""
        for watch in self._watches:
            watch.put_nowait(None)

    def _create(self, path: str, body: dict[str, Any]) -> web.Response:
        meta = body["metadata"]
        where = f"{path}/{meta['name']}"
        if where in self._made:
            return _status(409, "AlreadyExists")
        given = _metadata(meta["name"], f"made-{len(self._made)}-{body['kind']}")
        body = {**body, "metadata": given | meta | _managed()}
        self._made[where] = body
        if body["kind"] == "Pod":
            body["status"] = RUNNING
            self._tell("ADDED", body)
        return web.json_response(body, status=201)

    def _one(self, method: str, path: str, text: str) -> web.Response:
        body = self._made.get(path)
        if body is None:
            return _status(404, "NotFound")
        if method == "PATCH":
            body["metadata"] |= json.loads(text)["metadata"]
        if method == "DELETE":
            del self._made[path]
            if body["kind"] == "Pod":
                self._tell("DELETED", body)
        return web.json_response(body)

    def _tell(self, kind: str, body: dict[str, Any]) -> None:
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        line = json.dumps({"type": kind, "object": body}).encode() + b"\n"
        self._events.append((self._version, line))
        for watch in self._watches:
            watch.put_nowait(line)

    async def _watch(self, request: web.Request, plural: str) -> web.StreamResponse:
        since = int(request.query.get("resourceVersion", self._version))
        if self._events and since < self._events[0][0] - 1:
            return _status(410, "Expired")
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        if plural == "pods":
            for version, line in self._events:
                if version > since:
                    lines.put_nowait(line)
            self._watches.add(lines)
        seconds = request.query.get("timeoutSeconds")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(float(seconds) if seconds else None):
                    while (event := await lines.get()) is not None:
                        await response.write(event)
        finally:
            self._watches.discard(lines)
        return response

    def _page(self, plural: str, query: Any) -> bytes:
        made = [json.dumps(m) for path, m in self._made.items() if path.split("/")[-2] == plural]
        items, begin = self._old.get(plural, []) + made, int(query.get("continue", "0"))
        end = begin + int(query.get("limit", len(items) or 1))
        more = f', "continue": "{end}"' if end < len(items) else ""
        listed = ", ".join(items[begin:end])
        meta = f'"metadata": {{"resourceVersion": "{self._version}"{more}}}'
        return f'{{"kind": "List", {meta}, "items": [{listed}]}}'.encode()


def _status(code: int, reason: str) -> web.Response:
    return web.json_response({"kind": "Status", "code": code, "reason": reason}, status=code)
