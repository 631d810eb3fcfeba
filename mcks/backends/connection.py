"""The connection of a backend to its cluster: client, certificates, and the trust of now.

How a client is made does not belong here (`mcks.backends.api_client`), nor where a cluster is and
who may log in: that is the backend's.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from mcks.auth.credential import Credential
from mcks.backends.api_client import import_sdk, new_client, new_session
from mcks.backends.search import Search
from mcks.backends.steps import naming
from mcks.backends.tls import load_client_certificate, make_context, require_tls, trust
from mcks.errors import ConfigError, MCKSError

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

    from mcks.backends.base import Endpoint


class Connection:
    """One client of the cluster *name*, with the endpoint that *ask* finds."""

    def __init__(
        self, name: str, ask: Callable[[], Awaitable[Endpoint]], log: logging.Logger
    ) -> None:
        self._name, self._log = name, log
        self._search = Search(ask)
        self._endpoint: Endpoint | None = None
        self._context: ssl.SSLContext | None = None
        self._presented: str | None = None
        self._api: ApiClient | None = None
        self._retired: list[aiohttp.ClientSession] = []

    async def open(self, credential: Callable[[], Awaitable[Credential]]) -> ApiClient:
        """Find the cluster, ask *credential* for a log-in, and make the client."""
        sdk = asyncio.create_task(import_sdk())
        try:
            endpoint = await self._search.find()
            self._context = await asyncio.to_thread(self._make_context, endpoint)
            self._presented, self._api, self._endpoint = None, None, endpoint
            first = await credential()
        finally:
            await sdk
        self.present(first)
        self._api = await new_client(endpoint, self._context, first, credential)
        return self._api

    def present(self, credential: Credential) -> None:
        """Make connections use the credential's certificate, and no longer an older one.

        Raises `ConfigError` if they cannot, or if the log-in would go without TLS.
        """
        if self._endpoint is not None:
            with naming(self._where):
                require_tls(self._endpoint, credential)
        certificate, key = credential.client_certificate, credential.client_key
        if not certificate or not key or self._context is None:
            return
        if certificate == self._presented:
            return
        with naming(self._where):
            load_client_certificate(self._context, certificate, key)
        self._presented = certificate
        if self._api is not None and self._endpoint is not None:
            # A connection keeps the certificate it was opened with, so new ones are needed.
            # Requests under way end on the old ones, which close when the backend does.
            self._retired.append(self._api.rest_client.pool_manager)
            self._api.rest_client.pool_manager = new_session(self._endpoint, self._context)

    async def renew_trust(self) -> bool:
        """Trust the CA that the cluster has now; say whether that is another one."""
        return await self._search.again(self._trust_anew)

    async def close(self) -> None:
        """End what runs in the background, and the connections that `present` has replaced."""
        await self._search.close()
        for session in self._retired:
            await session.close()
        self._retired.clear()

    @property
    def _where(self) -> str:
        return f"cluster {self._name!r}"

    def _make_context(self, endpoint: Endpoint) -> ssl.SSLContext:
        with naming(self._where):
            return make_context(endpoint.ca_data, verify=not endpoint.insecure_skip_tls_verify)

    async def _trust_anew(self) -> bool:
        before = self._endpoint
        try:
            found = await self._search.find()
            if before is None or self._api is None or self._context is None or found == before:
                return False
            if urlsplit(found.server).scheme != "https":
                raise ConfigError("what was found is not an https URL")
            if found.ca_data is not None:
                trust(self._context, found.ca_data)
        except MCKSError as exc:
            self._log.warning("%s: no new CA was found: %s", self._where, exc)
            return False
        self._endpoint = found
        self._api.configuration.host = found.server.rstrip("/")
        self._api.rest_client.server_hostname = found.tls_server_name  # type: ignore[assignment]
        server = urlsplit(found.server).netloc
        self._log.warning("%s: trusting the new CA of %s", self._where, server)
        return True
