"""Backend: what every kind of cluster provides. A new cloud is one subclass of it.

Requests for Kubernetes objects do not belong here, nor anything of one cloud.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import sys
import tempfile
import time
from abc import ABCMeta, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from traitlets import TraitError, Unicode
from traitlets.config import Config, LoggingConfigurable
from traitlets.traitlets import MetaHasTraits

from mcks._version import __version__
from mcks.auth.credential import Credential, CredentialCache
from mcks.auth.shared import SharedCredentials
from mcks.backends.proxy import proxy_for
from mcks.backends.tls import load_client_certificate, make_context, trust
from mcks.errors import ConfigError, MCKSError, unknown

if TYPE_CHECKING:
    import ssl

    from kubernetes_asyncio.client import ApiClient, Configuration

_KEEP_ALIVE = 60.0
"""Seconds: an API server keeps an idle connection for 90, and a new one costs a TLS handshake."""
_READ_BUFFER = 2**21
_REDISCOVERY_PAUSE = 60.0
_LONGEST_WAIT = 3600.0
"""Seconds that a cloud may ask to wait."""


@dataclass(frozen=True)
class Endpoint:
    """Where an API server is, and how to know that it is the right one.

    *server* is its URL. *ca_data* is PEM, one or more certificates; None means the system's roots.
    Without *proxy_url* the environment's proxy variables count, as they do for kubectl.
    *headers* go with every request (impersonation, basic authentication).
    """

    server: str
    ca_data: bytes | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False
    proxy_url: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class _AbstractTraits(MetaHasTraits, ABCMeta):
    """A class with traits and with abstract methods."""


class Backend(LoggingConfigurable, metaclass=_AbstractTraits):
    """One cluster of one kind: finds its API server and makes credentials for it.

    Made as ``BackendClass(config=config, log=log, cluster_name=name, **settings)``: *settings* are
    the cluster's entry in the configuration, *config* the hub's, for class-wide defaults.
    Subclasses say `endpoint` and `mint`; both are called again and again, so they keep no cache
    and no state of their own. They raise `ConfigError`, `AuthError` or `Unreachable`, never an
    SDK's own error. Traits that an administrator may set are tagged ``config=True``.
    """

    cluster_name = Unicode(help="The cluster's name in the hub's configuration, for messages.")

    shared_credentials: SharedCredentials | None = None
    """Set by who holds many backends, before the first login."""

    renew_before: float = 60.0
    """Seconds before its end when a credential is renewed in the background."""

    max_age: float | None = None
    """Seconds after which a credential is renewed whatever its end; None: by its end only."""

    def __init__(
        self,
        *,
        config: Config | None = None,
        log: logging.Logger | None = None,
        cluster_name: str = "",
        **settings: Any,
    ) -> None:
        where = f"cluster {cluster_name!r}"
        known = self.settings()
        for key in settings:
            if key not in known:
                raise ConfigError(f"{where}: {unknown('setting', key, known)}")
        given: dict[str, Any] = {"config": config} if config is not None else {}
        given |= {"log": log} if log is not None else {}
        try:
            super().__init__(cluster_name=cluster_name, **given, **settings)
        except TraitError as exc:
            raise ConfigError(f"{where}: {exc}") from exc
        self._cache: CredentialCache | None = None
        self._lease: Hashable | None = None
        self._tls_context: ssl.SSLContext | None = None
        self._loaded_certificate: str | None = None
        self._api: ApiClient | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._found_endpoint: Endpoint | None = None
        self._rediscovery: asyncio.Task[bool] | None = None
        self._rediscovered_at = float("-inf")
        self._throttled: tuple[float, MCKSError] | None = None

    @classmethod
    def settings(cls) -> dict[str, str]:
        """Give the settings of one cluster of this backend: trait name -> help text."""
        return {
            name: str(trait.help)
            for name, trait in cls.class_traits(config=True).items()
            if name != "log"
        }

    @abstractmethod
    async def endpoint(self) -> Endpoint:
        """Find the API server and its CA now.

        Raises `ConfigError` (no such cluster, or one that cannot be served), `AuthError` (the
        cloud refuses to say), `Unreachable` (the cloud does not answer).
        """

    @abstractmethod
    async def mint(self) -> Credential:
        """Make a credential now. Raises `AuthError`, `ConfigError` or `Unreachable`."""

    def problems(self) -> list[str]:
        """What is wrong with the settings, as far as can be told without a network."""
        return []

    async def explain(self, error: MCKSError) -> str:
        """Say what this cloud knows about *error* (`Unauthorized`, `Unreachable`), or nothing.

        One sentence for the administrator, added to the error's text. May ask the cloud.
        """
        del error
        return ""

    def credential_key(self) -> Hashable | None:
        """Give what a token is bound to, if one token serves several clusters; else None.

        Backends with equal keys, of whatever class, share one credential. Only for tokens.
        """
        return None

    def renewal(self) -> tuple[float, float | None]:
        """Give seconds before its end, and the age, at which a credential is renewed."""
        return self.renew_before, self.max_age

    def namespace_hint(self) -> str | None:
        """Give the namespace that the cluster's own configuration names; None without one."""
        return None

    def identity(self) -> str:
        """Say as whom the hub logs in, as far as can be told without a network; for messages."""
        return ""

    @property
    def credentials(self) -> CredentialCache:
        """The cache over `mint`, shared with other backends of the same `credential_key`."""
        if self._cache is None:
            key = self.credential_key()
            if key is None or self.shared_credentials is None:
                self._cache = self._new_cache()
            else:
                self._cache = self.shared_credentials.take(key, self._new_cache)
                self._lease = key
        return self._cache

    def _new_cache(self) -> CredentialCache:
        renew_before, max_age = self.renewal()
        return CredentialCache(
            self._mint_and_present,
            name=self.cluster_name,
            renew_before=renew_before,
            max_age=max_age,
            log=self.log,
        )

    async def connect(self) -> ApiClient:
        """Log in and make the client through which everything else talks to this cluster.

        The caller closes it, then this backend. Raises what `endpoint` and `mint` raise. Override
        it only for a transport that is not HTTPS to one URL.
        """
        # Its import takes a quarter of a second: in a thread, and not before a cluster is used.
        sdk = asyncio.create_task(asyncio.to_thread(_import_sdk))
        try:
            endpoint = await self._find_endpoint()
            self._tls_context = await asyncio.to_thread(self._make_context, endpoint)
            self._loaded_certificate, self._api = None, None
            credential = await self.credentials.get(self.cluster_name)
        finally:
            await sdk
        self._present(credential)
        self._found_endpoint = endpoint
        self._api = await self._make_client(endpoint, self._tls_context)
        if credential.token:
            self._api.configuration.api_key["BearerToken"] = f"Bearer {credential.token}"
            self._api.configuration.refresh_api_key_hook = self._add_token
        return self._api

    async def renew_trust(self) -> bool:
        """Find the endpoint again after its certificate was refused; trust the CA it has now.

        Says whether a new attempt makes sense. The live client learns it: open connections stay.
        At most one search at a time, and one a minute.
        """
        if self._rediscovery is None:
            if time.monotonic() - self._rediscovered_at < _REDISCOVERY_PAUSE:
                return False
            self._rediscovered_at = time.monotonic()
            self._rediscovery = asyncio.create_task(self._rediscover())
        task = self._rediscovery
        # Unlike await, this leaves the search alone when the caller is cancelled.
        await asyncio.wait({task})
        self._rediscovery = None
        return not task.cancelled() and task.result()

    async def close(self) -> None:
        """End what runs in the background."""
        if self._rediscovery is not None:
            self._rediscovery.cancel()
            await asyncio.wait({self._rediscovery})
        cache, self._cache = self._cache, None
        if cache is not None and self._lease is not None and self.shared_credentials is not None:
            await self.shared_credentials.give_back(self._lease)
        elif cache is not None:
            await cache.close()
        for session in self._retired:
            await session.close()
        self._retired.clear()

    async def _find_endpoint(self) -> Endpoint:
        """`endpoint`, but not before the time at which a cloud asked to be asked again."""
        if self._throttled is not None:
            until, refusal = self._throttled
            if time.monotonic() < until:
                raise refusal.with_traceback(None)
            self._throttled = None
        try:
            return await self.endpoint()
        except MCKSError as exc:
            if exc.retry_after:
                self._throttled = time.monotonic() + min(exc.retry_after, _LONGEST_WAIT), exc
            raise

    async def _add_token(self, configuration: Configuration) -> None:
        """The client's hook, called before every request."""
        credential = await self.credentials.get(self.cluster_name)
        configuration.api_key["BearerToken"] = f"Bearer {credential.token}"

    async def _mint_and_present(self) -> Credential:
        credential = await self.mint()
        if not (credential.token or credential.client_certificate) and not self._anonymous():
            raise ConfigError(f"cluster {self.cluster_name!r}: the credential is empty")
        self._present(credential)
        return credential

    def _anonymous(self) -> bool:
        """Say whether this cluster's log-in is neither token nor certificate (headers, none)."""
        return False

    def _present(self, credential: Credential) -> None:
        """Make connections use the credential's certificate, and no longer an older one."""
        certificate, key = credential.client_certificate, credential.client_key
        if not certificate or not key or self._tls_context is None:
            return
        if certificate == self._loaded_certificate:
            return
        try:
            load_client_certificate(self._tls_context, certificate, key)
        except ConfigError as exc:
            raise ConfigError(f"cluster {self.cluster_name!r}: {exc}") from exc
        self._loaded_certificate = certificate
        if self._api is not None and self._found_endpoint is not None:
            # A connection keeps the certificate it was opened with, so new ones are needed.
            # Requests under way end on the old ones, which close when the backend does.
            self._retired.append(self._api.rest_client.pool_manager)
            self._api.rest_client.pool_manager = self._make_session(self._found_endpoint)

    def _make_context(self, endpoint: Endpoint) -> ssl.SSLContext:
        try:
            return make_context(endpoint.ca_data, verify=not endpoint.insecure_skip_tls_verify)
        except ConfigError as exc:
            raise ConfigError(f"cluster {self.cluster_name!r}: {exc}") from exc

    async def _make_client(self, endpoint: Endpoint, context: ssl.SSLContext) -> ApiClient:
        from kubernetes_asyncio.client import ApiClient, Configuration  # noqa: PLC0415 - slow

        configuration = Configuration(host=endpoint.server.rstrip("/"))
        configuration.tls_server_name = endpoint.tls_server_name
        configuration.proxy = endpoint.proxy_url or proxy_for(endpoint.server)
        api = _without_system_roots(ApiClient, configuration, endpoint.ca_data)
        api.user_agent = f"mcks/{__version__}"
        # The client's own session reads ~/.netrc, cannot take a CA from memory, and refuses CAs
        # without key identifiers on Python 3.13.
        await api.rest_client.pool_manager.close()
        api.rest_client.pool_manager = self._make_session(endpoint)
        return api

    def _make_session(self, endpoint: Endpoint) -> aiohttp.ClientSession:
        assert self._tls_context is not None  # noqa: S101 - connect makes it first
        return aiohttp.ClientSession(
            # Each watch holds one for as long as it lives; the client bounds its other requests.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_KEEP_ALIVE, ssl=self._tls_context
            ),
            headers=CIMultiDict(endpoint.headers),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            read_bufsize=_READ_BUFFER,
        )

    async def _rediscover(self) -> bool:
        before = self._found_endpoint
        try:
            found = await self._find_endpoint()
            if before is None or self._api is None or self._tls_context is None or found == before:
                return False
            if found.ca_data is not None:
                trust(self._tls_context, found.ca_data)
        except MCKSError as exc:
            self.log.warning("cluster %r: no new CA was found: %s", self.cluster_name, exc)
            return False
        self._found_endpoint = found
        self._api.configuration.host = found.server.rstrip("/")
        self._api.rest_client.server_hostname = found.tls_server_name  # type: ignore[assignment]
        self.log.warning(
            "cluster %r: trusting the new CA of %s",
            self.cluster_name,
            urlsplit(found.server).netloc,
        )
        return True


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


def _import_sdk() -> None:
    _import_quietly("kubernetes_asyncio.client")
    # Its debug log holds whole answers, Secrets included.
    log = logging.getLogger("kubernetes_asyncio.client.rest")
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)


def _import_quietly(module: str) -> None:
    """Import *module* in a thread without holding up the event loop.

    It brings more than a thousand modules, and each full garbage collection meanwhile (and later)
    would stop the whole process for 80 to 140 ms to look through them. They never go away, so the
    collector need not look at them at all.
    """
    if module in sys.modules:
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module(module)
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
