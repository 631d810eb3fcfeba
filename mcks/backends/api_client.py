"""Making the `ApiClient` of kubernetes_asyncio through which all talk to one API server.

When a cluster is connected, and with which credential, does not belong here
(`mcks.backends.connection`).
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import ssl
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import aiohttp
from multidict import CIMultiDict

from mcks._version import __version__
from mcks.auth.credential import Credential
from mcks.backends.collector import paused
from mcks.backends.connector import Connector
from mcks.backends.proxy import proxy_for
from mcks.backends.redirects import refuse

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient, Configuration

    from mcks.backends.base import Endpoint

_KEEP_ALIVE = 60.0
"""Seconds: an API server keeps an idle connection for 90, and a new one costs a TLS handshake."""
_READ_BUFFER = 2**21
_SDK = "kubernetes_asyncio.client"
_importing = threading.Lock()


def authorization(credential: Credential) -> dict[str, str]:
    """Give the header that carries *credential*; none for a certificate."""
    return {"Authorization": f"Bearer {credential.token}"} if credential.token else {}


class TokenOnRequest:
    """Gives a client its token when it is used by itself; `mcks.core.api` sends its own."""

    def __init__(self, get: Callable[[], Awaitable[Credential]]) -> None:
        self._get = get

    async def __call__(self, configuration: Configuration) -> None:
        """Put the header's value where kubernetes_asyncio looks for it before each request."""
        header = authorization(await self._get())
        configuration.api_key["BearerToken"] = header.get("Authorization", "")


def logs_in_for_mcks(api: ApiClient) -> bool:
    """Whether *api* sends the credential of mcks' cache, so that who has that may send it instead.

    A client that another package's backend made by itself has its own way to log in.
    """
    return isinstance(api.configuration.refresh_api_key_hook, TokenOnRequest)


async def new_client(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    credential: Credential,
    get: Callable[[], Awaitable[Credential]],
) -> ApiClient:
    """Make a client of *endpoint* that asks *get* for the credential; *credential* is the first."""
    from kubernetes_asyncio.client import ApiClient, Configuration  # noqa: PLC0415 - slow

    configuration = Configuration(host=endpoint.server.rstrip("/"))
    configuration.tls_server_name = endpoint.tls_server_name
    configuration.proxy = endpoint.proxy_url or proxy_for(endpoint.server)
    configuration.refresh_api_key_hook = TokenOnRequest(get)
    if credential.token:  # else it asks for none
        configuration.api_key["BearerToken"] = authorization(credential)["Authorization"]
    api = _without_system_roots(ApiClient, configuration, endpoint.ca_data)
    api.user_agent = f"mcks/{__version__}"
    # The client's own session reads ~/.netrc, cannot take a CA from memory, and refuses CAs
    # without key identifiers on Python 3.13.
    await api.rest_client.pool_manager.close()
    api.rest_client.pool_manager = new_session(endpoint, context)
    return api


def new_session(endpoint: Endpoint, context: ssl.SSLContext) -> aiohttp.ClientSession:
    """Make the HTTP session of a client of *endpoint*."""
    return aiohttp.ClientSession(
        # Each watch holds one for as long as it lives; the client bounds its other requests.
        connector=Connector(limit=0, keepalive_timeout=_KEEP_ALIVE, ssl=context),
        headers=CIMultiDict(endpoint.headers),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        read_bufsize=_READ_BUFFER,
        middlewares=(refuse,),
    )


def _without_system_roots(
    client: type[ApiClient], configuration: Configuration, ca_data: bytes | None
) -> ApiClient:
    """Make an `ApiClient` whose own context, thrown away at once, loads little.

    The system's roots would block the event loop for 20 ms.
    """
    if ca_data is None:
        return client(configuration)
    with tempfile.TemporaryDirectory(prefix="mcks-") as directory:
        path = Path(directory, "ca.pem")
        path.write_bytes(ca_data)
        configuration.ssl_ca_cert = str(path)
        try:
            return client(configuration)
        finally:
            configuration.ssl_ca_cert = ""  # the file is gone


async def import_sdk() -> None:
    """Import kubernetes_asyncio, which takes a quarter of a second, in a thread."""
    await asyncio.to_thread(_import_sdk)


_begun: set[str] = set()
"""Modules that somebody has begun to import ahead."""
_ahead: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Future[None]] = WeakKeyDictionary()
"""What ends with the imports, while there are any: every poll looks here."""


def _nothing() -> None: ...


def import_ahead(*modules: str, then: Callable[[], None] = _nothing) -> None:
    """Begin to import *modules* and then kubernetes_asyncio in a thread, once, if an event loop
    runs: a hub that makes a spawner will want them soon, and a command that asks no cluster never.

    *then* imports what only these modules know of; who waits for them waits for that too.
    """
    missing = {name for name in (*modules, _SDK) if name not in sys.modules} - _begun
    if not missing:
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return

    _begun.update(missing)
    ahead = loop.create_future()

    def end() -> None:
        ahead.set_result(None)
        if _ahead.get(loop) is ahead:
            del _ahead[loop]

    def imported() -> None:
        try:
            for module in modules:
                importlib.import_module(module)
            then()
        finally:
            with suppress(RuntimeError):  # the loop may have ended
                loop.call_soon_threadsafe(end)
        _import_sdk()

    loop.run_in_executor(None, imported)
    _ahead[loop] = ahead


async def imported_ahead() -> None:
    """Wait until the modules that were named to `import_ahead` are there."""
    if _ahead and (ahead := _ahead.get(asyncio.get_running_loop())) is not None:
        await asyncio.wait({ahead})


def _import_sdk() -> None:
    _import_quietly(_SDK)
    # Its debug log holds whole answers, Secrets included.
    log = logging.getLogger("kubernetes_asyncio.client.rest")
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)


def _import_quietly(module: str) -> None:
    """Import *module* in a thread without holding up the event loop.

    It brings more than a thousand modules, and each full garbage collection meanwhile (and later)
    would stop the whole process for 80 to 140 ms to look through them. They never go away, so the
    collector need not look at them at all. Who comes second waits for the end of the import here:
    a module that is half there would be waited for in the event loop.
    """
    with _importing:
        if module in sys.modules:
            return
        with paused():
            importlib.import_module(module)
            gc.freeze()
