"""Send requests through a cluster's gateway to the Pod of ``mcks check --start``, as a hub's proxy
would, and see what arrives.

What answers in the Pod (in_the_pod.py) and how it got there (start.py) do not belong here.
"""

from __future__ import annotations

import io
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from mcks.core.gateways.routes import Target, split_proxy_spec
from mcks.core.trying import certificates
from mcks.core.trying.report import Step

STEPS = ("host", "tls", "path", "body", "websocket")
_BODY = 10 * 1024 * 1024
"""Bytes of a notebook with some plots, which the browser saves in one request."""
_ODD = "a%20b%2Fc%C3%A4;x=1/~u@%25'?q=a%2Bb%26c"
"""Characters that users' file names have, as a browser sends them."""
_ONE_TRY = aiohttp.ClientTimeout(total=30)
_TEXT = "what a kernel says"


async def tried(target: Target, public_host: str) -> list[Step]:
    """Try all STEPS at *target*, whose Pod answers; *public_host* is the hub's, as browsers say.

    Never raises on errors of the network: they are what is looked for.
    """
    context = ssl.create_default_context()
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(
        trust_env=False, connector=connector, timeout=_ONE_TRY
    ) as session:
        asking = _Asking(session, target, public_host, context)
        return [await _timed(step, getattr(asking, step)) for step in STEPS]


class _Wrong(Exception):
    """What did not arrive as it was sent, and what to do about it."""

    def __init__(self, what: str, to_do: str) -> None:
        self.what, self.to_do = what, to_do
        super().__init__(what)


class _Asking:
    """One method for each step: returns what is fine, raises what is not."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        public_host: str,
        context: ssl.SSLContext,
    ) -> None:
        self._session, self._context = session, context
        self._host, path = split_proxy_spec(target.proxy_spec)
        self._host = self._host or public_host
        self._gateway = target.url
        self._echo = f"{target.url}{path}mcks-check/"

    async def host(self) -> str:
        to_do = (
            "let the gateway route by path whatever the Host is (the hub's proxy passes on what "
            "the browser asked for), or make it know the hub's name"
        )
        arrived = await self._ask("GET", self._echo, to_do)
        return f"a request for the host {arrived['host']} arrives"

    async def tls(self) -> str:
        if not self._gateway.startswith("https:"):
            return "not encrypted between the hub's proxy and the gateway"
        name = urlsplit(f"//{self._host}").hostname or ""
        to_do = (
            f"give the gateway a certificate for {name} as well: configurable-http-proxy asks for "
            "it by the name that the browser used"
        )
        try:
            await certificates.days_left(self._gateway, self._context, name)
        except ssl.SSLCertVerificationError as exc:
            raise _Wrong(f"no certificate for {name}: {exc.verify_message}", to_do) from exc
        return f"its certificate is good for its own name and for {name}"

    async def path(self) -> str:
        to_do = "let the gateway pass paths on as they are, without decoding or merging"
        url = URL(self._echo + _ODD, encoded=True)
        arrived = await self._ask("GET", url, to_do)
        if arrived["path"] != url.raw_path_qs:
            raise _Wrong(f"{url.raw_path_qs} arrives as {arrived['path']}", to_do)
        return "a path with odd characters arrives as it is"

    async def body(self) -> str:
        to_do = "let the gateway take larger bodies: notebooks are saved in one request"
        arrived = await self._ask("POST", self._echo, to_do, data=io.BytesIO(bytes(_BODY)))
        if arrived["body"] != _BODY:
            raise _Wrong(f"of {_BODY} bytes {arrived['body']} arrive", to_do)
        return "10 MiB arrive"

    async def websocket(self) -> str:
        to_do = "let the gateway pass on WebSockets: no kernel works without them"
        try:
            async with self._session.ws_connect(self._echo, headers={"Host": self._host}) as socket:
                await socket.send_str(_TEXT)
                answer = await socket.receive(timeout=_ONE_TRY.total)
        except aiohttp.WSServerHandshakeError as exc:
            raise _Wrong(f"a WebSocket is answered with HTTP {exc.status}", to_do) from exc
        if answer.data != _TEXT:
            raise _Wrong("a WebSocket ends without an answer", to_do)
        return "a WebSocket is answered"

    async def _ask(self, method: str, url: str | URL, to_do: str, **sent: Any) -> dict[str, Any]:
        """Return what arrived of a request with the hub's public Host."""
        headers = {"Host": self._host}
        async with self._session.request(
            method, url, headers=headers, allow_redirects=False, **sent
        ) as answer:
            try:
                arrived = await answer.json()
                return {name: arrived[name] for name in ("path", "host", "body")}
            except (ValueError, KeyError, TypeError, aiohttp.ClientError) as exc:
                raise _Wrong(f"HTTP {answer.status}, not from the Pod", to_do) from exc


async def _timed(name: str, ask: Callable[[], Awaitable[str]]) -> Step:
    began = time.monotonic()
    try:
        what = await ask()
    except _Wrong as exc:
        return Step(name, "failed", exc.what, exc.to_do)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as exc:
        return Step(
            name, "failed", f"no answer ({type(exc).__name__})", "look at the gateway's log"
        )
    return Step(name, "ok", f"{what} ({time.monotonic() - began:.1f} s)")
