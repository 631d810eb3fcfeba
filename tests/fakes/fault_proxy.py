"""A reverse proxy between the hub and a real API server that breaks the network on demand.

It ends TLS with a certificate of its own; tokens pass through. What mcks makes of a fault belongs
to the tests.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import trustme
import yaml
from aiohttp import web

from tests.fakes.loopback import event, status

_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_ABORT = struct.pack("ii", 1, 0)
_READ_BUFFER = 2**22


@dataclass(frozen=True)
class Call:
    """One request as Kubernetes' audit log would call it. ``name`` is empty for a collection."""

    verb: str
    resource: str
    name: str
    request: web.Request = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    async def of(cls, request: web.Request) -> Call:
        body = await request.read()
        parts = urlsplit(request.path).path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        if parts[:1] == ["namespaces"] and len(parts) > 2:
            parts = parts[2:]
        resource, name = (*parts, "", "")[:2]
        if request.method == "POST" and body:
            name = (json.loads(body).get("metadata") or {}).get("name", "")
        verb = {"POST": "create", "PUT": "update"}.get(request.method, request.method.lower())
        if request.method == "GET":
            verb = "watch" if request.query.get("watch") else "get" if name else "list"
        return cls(verb, resource, name, request, body)


Fault = Callable[["FaultProxy", Call], Awaitable[web.StreamResponse]]
StreamFault = Callable[["FaultProxy", "Stream"], Awaitable[None]]


@dataclass
class Rule:
    """A fault for the requests that match; an empty word matches all. ``left``: how many yet."""

    fault: Fault
    verbs: frozenset[str]
    resource: str
    name: str
    left: float
    met: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a request has met the fault."""

    def takes(self, call: Call) -> bool:
        return (
            self.left > 0
            and (not self.verbs or call.verb in self.verbs)
            and self.resource in ("", call.resource)
            and self.name in ("", call.name)
        )


@dataclass
class Stream:
    """A watch under way."""

    call: Call
    response: web.StreamResponse
    told: asyncio.Queue[StreamFault] = field(default_factory=asyncio.Queue)


@dataclass
class FaultProxy:
    """Between the hub and *upstream*. ``counts`` holds the requests by (verb, resource), ``seen``
    the requests themselves."""

    upstream: str
    authority: str
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    seen: list[Call] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    url: str = ""
    ca: trustme.CA = field(default_factory=trustme.CA)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _session: aiohttp.ClientSession | None = None

    def inject(
        self,
        fault: Fault,
        *verbs: str,
        resource: str = "",
        name: str = "",
        times: float = float("inf"),
    ) -> Rule:
        """Let the next *times* requests that match meet *fault*. The last rule goes first."""
        rule = Rule(fault, frozenset(verbs), resource, name, times)
        self.rules.insert(0, rule)
        return rule

    async def strike(self, fault: StreamFault, resource: str = "pods") -> None:
        """Let the watches of *resource* that are under way meet *fault*; wait for one to be."""
        async with asyncio.timeout(20):
            while not (hit := [s for s in self.streams if s.call.resource == resource]):
                await asyncio.sleep(0.01)
        for stream in hit:
            self.streams.remove(stream)
            stream.told.put_nowait(fault)

    def go_dark(self, fault: Fault | None = None, streams: StreamFault | None = None) -> Rule:
        """Let nothing through any more, in neither direction; by default, in silence."""
        for stream in self.streams:
            stream.told.put_nowait(streams or fall_silent)
        self.streams.clear()
        return self.inject(fault or silence)

    def heal(self) -> None:
        """End all faults. What was held in silence breaks."""
        self.rules.clear()
        self._over.set()
        self._over = asyncio.Event()

    async def over(self) -> None:
        """Return when the faults of this moment are over."""
        await self._over.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FaultProxy]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        connector = aiohttp.TCPConnector(
            limit=0, ssl=ssl.create_default_context(cadata=self.authority)
        )
        session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            read_bufsize=_READ_BUFFER,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        try:
            async with session as self._session:
                yield self
        finally:
            self.heal()
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = await Call.of(request)
        self.counts[call.verb, call.resource] += 1
        self.seen.append(call)

        rule = next((rule for rule in self.rules if rule.takes(call)), None)
        try:
            if rule is None:
                return await self.forward(call)
            rule.left -= 1
            rule.met.set()
            return await rule.fault(self, call)
        except aiohttp.ClientConnectionError:
            return reset_now(request)  # the API server itself is away

    async def forward(self, call: Call) -> web.StreamResponse:
        """Ask the API server, and hand on what it answers."""
        assert self._session is not None
        request = call.request
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        async with self._session.request(
            request.method, self.upstream + request.path_qs, headers=headers, data=call.body
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            if call.verb != "watch" or answer.status != 200:
                return web.Response(status=answer.status, headers=kept, body=await answer.read())
            response = web.StreamResponse(headers=kept)
            await response.prepare(request)
            await self._stream(Stream(call, response), answer)
            return response

    async def _stream(self, stream: Stream, answer: aiohttp.ClientResponse) -> None:
        """Hand lines on as they come until the server ends them, or the stream meets a fault."""
        self.streams.append(stream)
        told = asyncio.create_task(stream.told.get())
        line: asyncio.Task[bytes] = asyncio.create_task(answer.content.readuntil(b"\n"))
        try:
            while True:
                await asyncio.wait({line, told}, return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    await told.result()(self, stream)
                    return
                if not line.result():
                    return
                await stream.response.write(line.result())
                line = asyncio.create_task(answer.content.readuntil(b"\n"))
        except (aiohttp.ClientError, ConnectionError):
            reset_now(stream.call.request)  # the API server went away
        finally:
            for task in (told, line):
                task.cancel()
            await asyncio.gather(told, line, return_exceptions=True)
            if stream in self.streams:
                self.streams.remove(stream)


@asynccontextmanager
async def in_front_of(kubeconfig: Path, context: str) -> AsyncIterator[FaultProxy]:
    """Run a proxy in front of *context*'s cluster; *kubeconfig* leads to it from now on."""
    document = yaml.safe_load(kubeconfig.read_text())
    cluster = next(c["cluster"] for c in document["clusters"] if c["name"] == context)
    theirs = base64.b64decode(cluster["certificate-authority-data"]).decode()
    async with FaultProxy(cluster["server"], theirs).running() as proxy:
        authority = proxy.ca.cert_pem.bytes()
        cluster["server"] = proxy.url
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
        kubeconfig.write_text(json.dumps(document))
        yield proxy


def reset_now(request: web.Request) -> web.Response:
    """Break the connection with a RST."""
    if request.transport is not None:
        wire = request.transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        request.transport.abort()
    return web.Response()


# -- what can happen to a request ------------------------------------------------------------


async def reset(_proxy: FaultProxy, call: Call) -> web.StreamResponse:
    """The connection is reset before the API server has heard anything."""
    return reset_now(call.request)


async def lose_answer(proxy: FaultProxy, call: Call) -> web.StreamResponse:
    """The request is carried out; the connection is reset before its answer."""
    await proxy.forward(call)
    return reset_now(call.request)


async def silence(proxy: FaultProxy, call: Call) -> web.StreamResponse:
    """Nothing is heard any more, while the connection seems to live."""
    await proxy.over()
    return reset_now(call.request)


async def swallow_answer(proxy: FaultProxy, call: Call) -> web.StreamResponse:
    """The request is carried out; then nothing is heard any more."""
    await proxy.forward(call)
    return await silence(proxy, call)


async def login_page(_proxy: FaultProxy, _call: Call) -> web.StreamResponse:
    """Something in between answers in place of the API server, and takes it for a success."""
    return web.Response(text="<html>Welcome to this network</html>", content_type="text/html")


async def empty_object(_proxy: FaultProxy, _call: Call) -> web.StreamResponse:
    """A success that says nothing."""
    return web.json_response({})


async def cut_answer(proxy: FaultProxy, call: Call) -> web.StreamResponse:
    """The answer breaks off in the middle."""
    whole = await proxy.forward(call)
    body = getattr(whole, "body", b"")
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(call.request)
    await response.write(body[: len(body) // 2])
    return reset_now(call.request)


def delay(seconds: float) -> Fault:
    """The answer takes *seconds* longer."""

    async def fault(proxy: FaultProxy, call: Call) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await proxy.forward(call)

    return fault


def refuse(code: int, reason: str, **headers: str) -> Fault:
    """The API server says no, by a Status; *headers* with underscores for dashes."""

    async def fault(_proxy: FaultProxy, _call: Call) -> web.StreamResponse:
        return status(code, reason, **headers)

    return fault


# -- what can happen to a watch under way ----------------------------------------------------


async def end(_proxy: FaultProxy, _stream: Stream) -> None:
    """The server ends it, as it does after its time."""


async def break_off(_proxy: FaultProxy, stream: Stream) -> None:
    """The connection is reset."""
    reset_now(stream.call.request)


async def fall_silent(proxy: FaultProxy, stream: Stream) -> None:
    """Nothing more comes, and no end: the other side is gone without a word."""
    await proxy.over()
    reset_now(stream.call.request)


async def cut_line(_proxy: FaultProxy, stream: Stream) -> None:
    """It ends in the middle of a line."""
    await stream.response.write(b'{"type": "MODIFIED", "object": {"kind": "Pod", "metad')


async def tell_nonsense(_proxy: FaultProxy, stream: Stream) -> None:
    """A line is no JSON."""
    await stream.response.write(b"<html>Bad gateway</html>\n")


async def tell_null(_proxy: FaultProxy, stream: Stream) -> None:
    """A line is JSON, but no event."""
    await stream.response.write(b'{"type": "ADDED", "object": null}\n')


def tell_error(code: int, reason: str) -> StreamFault:
    """The server ends it by an ERROR event."""
    body = {"kind": "Status", "code": code, "reason": reason, "message": reason}

    async def fault(_proxy: FaultProxy, stream: Stream) -> None:
        await stream.response.write(event("ERROR", body))

    return fault
