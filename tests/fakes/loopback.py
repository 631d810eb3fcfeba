"""A small HTTPS server on loopback that speaks as an API server does, with faults on demand.

It keeps objects in a dict; it knows nothing of controllers, admission or validation.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import trustme
from aiohttp import web

from mcks.core.api.deadlines import Deadlines, Pauses

Fault = Callable[["web.Request", "Handler"], Awaitable[web.StreamResponse | None]]
Handler = Callable[["web.Request"], Awaitable[web.StreamResponse]]


AT_ONCE = Deadlines(between_attempts=Pauses(0.001, 0.01), between_watches=Pauses(0.001, 0.01))
"""For clients of such a server: what failed is tried again with hardly a pause."""


def status(code: int, reason: str, message: str = "", **extra: Any) -> web.Response:
    """Answer with a Kubernetes Status; *extra* are headers (underscores for dashes)."""
    details = extra.pop("details", None)
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    body |= {"reason": reason, "message": message or reason, "details": details}
    headers = {key.replace("_", "-"): value for key, value in extra.items()}
    return web.json_response(body, status=code, headers=headers)


class FakeAPIServer:
    """Objects by URL path; a queue of faults, each for one request; all requests remembered."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.objects: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str]] = []
        self.headers: list[Any] = []
        self.queries: list[dict[str, str]] = []
        self.certificates: list[Any] = []
        self.tokens: set[str] | None = None
        self.watch_lines: list[bytes] = []
        self.watch_held = asyncio.Event()
        self.version = 100
        self.clock_offset = 0.0
        self.url = ""

    @property
    def ca_data(self) -> bytes:
        return self.ca.cert_pem.bytes()

    def fail_next(self, *faults: Fault) -> None:
        self.faults += faults

    def answer_next(self, *answers: web.StreamResponse) -> None:
        def fault(answer: web.StreamResponse) -> Fault:
            async def give(_request: web.Request, _handler: Handler) -> web.StreamResponse:
                return answer

            return give

        self.faults += [fault(answer) for answer in answers]

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.clock_offset, UTC)

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1") -> AsyncIterator[FakeAPIServer]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(host, "localhost", "api.example.test").configure_cert(context)
        self.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        self.context = context
        app = web.Application(middlewares=[self._middleware])
        app.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, host, 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"https://{host}:{port}"
        try:
            yield self
        finally:
            self.watch_held.set()
            await runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.seen.append((request.method, request.path))
        self.headers.append(request.headers)
        self.queries.append(dict(request.query))
        transport = request.transport
        self.certificates.append(transport.get_extra_info("peercert") if transport else None)
        if self.faults:
            answer = await self.faults.pop(0)(request, handler)
            if answer is not None:
                return answer
        if self.tokens is not None:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token not in self.tokens:
                return status(401, "Unauthorized")
        response = await handler(request)
        if not response.prepared:
            response.headers["Date"] = self.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        return response

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch"):
            return await self._watch(request)
        serve = getattr(self, f"_{request.method.lower()}", None)
        if serve is None:
            return status(405, "MethodNotAllowed")
        answer: web.StreamResponse = await serve(request)
        return answer

    async def _get(self, request: web.Request) -> web.Response:
        found = self.objects.get(request.path)
        if found is not None:
            return web.json_response(found)
        below = [o for path, o in self.objects.items() if path.rpartition("/")[0] == request.path]
        if below or (request.path.endswith("s") and "/namespaces/" in request.path):
            begin = int(request.query.get("continue", "0"))
            end = begin + int(request.query.get("limit", "1000"))
            meta = {"resourceVersion": str(self.version)}
            if end < len(below):
                meta["continue"] = str(end)
            items = [
                {k: v for k, v in o.items() if k not in ("kind", "apiVersion")}
                for o in below[begin:end]
            ]
            return web.json_response({"kind": "List", "metadata": meta, "items": items})
        return status(404, "NotFound", "not found")

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        path = f"{request.path}/{body['metadata']['name']}"
        if path in self.objects:
            return status(409, "AlreadyExists", "already exists")
        return web.json_response(self.put(path, body), status=201)

    def put(self, path: str, body: dict[str, Any], *, age: float = 0.0) -> dict[str, Any]:
        created = datetime.fromtimestamp(self.now().timestamp() - age, UTC)
        self.version += 1
        body["metadata"] |= {
            "uid": str(uuid.uuid4()),
            "resourceVersion": str(self.version),
            "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.objects[path] = body
        return body

    async def _patch(self, request: web.Request) -> web.Response:
        found = self.objects.get(request.path)
        if found is None:
            return status(404, "NotFound")
        found["metadata"] |= (await request.json()).get("metadata", {})
        return web.json_response(found)

    async def _put(self, request: web.Request) -> web.Response:
        self.objects[request.path] = await request.json()
        return web.json_response(self.objects[request.path])

    async def _delete(self, request: web.Request) -> web.Response:
        options = await request.json()
        found = self.objects.get(request.path)
        if found is None:
            return status(404, "NotFound")
        wanted = (options.get("preconditions") or {}).get("uid")
        if wanted is not None and wanted != found["metadata"]["uid"]:
            return status(409, "Conflict")
        return web.json_response(self.objects.pop(request.path))

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for line in self.watch_lines:
            await response.write(line)
        await self.watch_held.wait()
        return response


async def cut(request: web.Request, _handler: Handler) -> web.StreamResponse | None:
    """A fault: the connection breaks before anything is done."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def do_and_cut(request: web.Request, handler: Handler) -> web.StreamResponse | None:
    """A fault: the request is carried out, and its answer is lost."""
    await handler(request)
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def event(kind: str, body: dict[str, Any]) -> bytes:
    """One line of a watch."""
    return json.dumps({"type": kind, "object": body}).encode() + b"\n"
