"""Ask until a user's server answers: through the cluster's gateway, or itself if there is none.

How the route was made does not belong here (routes.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import NamedTuple

import aiohttp
from yarl import URL

from mcks.backends.wire import Response
from mcks.core.gateways.gateway_session import GatewaySession, is_silence
from mcks.core.gateways.routes import Target, split_proxy_spec
from mcks.errors import StartFailed

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
_WHILE_SILENT = 4.0
"""Seconds more, unless the gateway is back: its silence is found out by one look for all."""
_ONE_TRY = 10.0
"""Seconds that one answer may take."""
_ENOUGH = 64 * 1024
_SILENT = (
    "The gateway of the chosen cluster does not answer at the moment. Try again in some minutes, "
    "or choose another profile."
)
_REDIRECTS = {301, 302, 303, 307, 308}


class Probe(NamedTuple):
    """What came back. ``text`` says it in a few words, for logs and messages. ``elsewhere`` is
    where a redirect leads (scheme, host, port), if that is not the gateway itself. ``silent``:
    nobody was there to answer."""

    ready: bool
    text: str
    elsewhere: str = ""
    silent: bool = False


def _ignore(_: Probe) -> None: ...


def refuse_if_silent(session: GatewaySession, target: Target) -> None:
    """Raise StartFailed if the gateway on the way to *target* is known to answer nothing."""
    if not target.is_direct and target.url and (words := session.silent(target.url)):
        raise StartFailed(_SILENT, details=f"{target.url}: {words}", reason="gateway")


async def wait_until_ready(
    session: GatewaySession,
    aim: Callable[[], Target],
    waited: float = 0.0,
    answered: Callable[[Probe], None] = _ignore,
) -> Target:
    """Return where *aim* pointed when it answered as it should. Bound it with ``asyncio.timeout``.

    *answered* is told each other answer; what it raises ends the waiting.

    *waited* are the seconds that the start has taken already. What has just begun to run answers
    no sooner than after a while, so it is first asked after a tenth of them, if that is worth it.

    Any status below 500 counts as up for JupyterHub itself, a gateway's 404 included; so mcks
    asks more exactly before it says that a server is there.
    """
    pause = waited / 10 if waited > _FIRST_PAUSE else 0.0
    while True:
        if pause:
            await asyncio.sleep(min(pause, _LONGEST_PAUSE))
        if (probe := await ask(session, target := aim())).ready:
            return target
        answered(probe)
        if probe.silent and not target.is_direct:
            await session.back(target.url, _WHILE_SILENT)
        pause = max(pause * 1.5, _FIRST_PAUSE)


async def ask(session: GatewaySession, target: Target) -> Probe:
    """Ask once, and follow no redirect. Never raises on network errors: they are an answer too."""
    host, _ = split_proxy_spec(target.proxy_spec)
    headers = {"Accept": "application/json", **({"Host": host} if host else {})}
    try:
        # as it stands: aiohttp would ask for ' where the route says %27
        url = URL(target.probe_url, encoded=True)
        through_gateway = not target.is_direct
        response = await session.ask(
            url, headers, within=_ONE_TRY, most=_ENOUGH, through_gateway=through_gateway
        )
        return _judge(url, response, target.check, host)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
        text = f"no answer ({type(exc).__name__})"
        return Probe(ready=False, text=text, silent=is_silence(exc))


def _judge(asked: URL, response: Response, check: str, host: str) -> Probe:
    text = f"HTTP {response.status}"
    if response.status in _REDIRECTS and (to := _destination(asked, response)) is not None:
        here = {asked.origin(), asked.with_host(host).origin()} if host else {asked.origin()}
        elsewhere = to.origin() not in here
        place = str(to.origin()) if elsewhere else to.path
        # an application may send its users anywhere, a gateway sends them to itself with TLS
        ready = check == "http" and not _is_upgrade(asked, to, host)
        return Probe(ready, f"{text} to {place}", place if elsewhere else "")
    if check == "http":
        return Probe(response.status < 400, text)
    # The hub sends the header too (on its redirects), a gateway may send any body.
    is_server = "X-JupyterHub-Version" in response.headers and _has_version(response.body)
    return Probe(response.status == 200 and is_server, text)


def _destination(asked: URL, response: Response) -> URL | None:
    """Where a redirect leads; None if it does not say, or says nonsense."""
    try:
        to = asked.join(URL(response.headers["Location"], encoded=True))
        return to if to.origin() else None
    except (KeyError, ValueError):
        return None


def _is_upgrade(asked: URL, to: URL, host: str) -> bool:
    same_host = to.host in (asked.host, host)
    return (asked.scheme, to.scheme) == ("http", "https") and same_host and to.path == asked.path


def _has_version(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and "version" in answer
