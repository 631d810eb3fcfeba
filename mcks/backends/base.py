"""Backend: what every kind of cluster provides. A new cloud is one subclass of it.

Requests for Kubernetes objects do not belong here, nor anything of one cloud.
"""

from __future__ import annotations

import logging
from abc import ABCMeta, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from traitlets import TraitError, Unicode
from traitlets.config import Config, LoggingConfigurable
from traitlets.traitlets import MetaHasTraits

from mcks.auth.credential import Credential, CredentialCache
from mcks.auth.shared import SharedCredentials, SharedLogin
from mcks.backends import server_url
from mcks.backends.connection import Connection
from mcks.errors import ConfigError, MCKSError, unknown, without_value

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient


@dataclass(frozen=True)
class Endpoint:
    """Where an API server is, and how to know that it is the right one.

    *server* is its URL; a user and password in it become a header. *ca_data* is PEM, one or more
    certificates; None means the system's roots. Without *proxy_url* the environment's proxy
    variables count, as they do for kubectl. *headers* go with every request (impersonation, basic
    authentication). Raises `ConfigError` for a *server* that is no URL of a host.
    """

    server: str
    ca_data: bytes | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False
    proxy_url: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        server, login = server_url.read(self.server)
        object.__setattr__(self, "server", server)
        if login and not any(name.lower() == "authorization" for name, _ in self.headers):
            object.__setattr__(self, "headers", (*self.headers, ("Authorization", login)))


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
            raise ConfigError(f"{where}: {without_value(exc)}") from None
        self._cache: CredentialCache | None = None
        self._lease: SharedLogin | None = None
        self._connection = Connection(cluster_name, self.endpoint, self.log)

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

    def doubts(self) -> list[str]:
        """What in the settings may be wrong, without a network: names that a library lacks."""
        return []

    async def explain(self, error: MCKSError) -> str:
        """Say what this cloud knows about *error* (`Unauthorized`, `Unreachable`), or nothing.

        One sentence for the administrator, added to the error's text. May ask the cloud.
        """
        del error
        return ""

    async def outdated(self) -> bool:
        """Say whether the cluster must be connected anew, by a new backend of these settings."""
        return False

    def credential_key(self) -> SharedLogin | None:
        """Give the log-in, if one token of it serves several clusters; else None.

        Backends with equal ones share one token. The log-in alone mints it, not `mint`.
        """
        return None

    def renewal(self) -> tuple[float, float | None]:
        """Give seconds before its end, and the age, at which a credential is renewed."""
        return self.renew_before, self.max_age

    def namespace_hint(self) -> str | None:
        """Give the namespace that the cluster's own configuration names; None without one."""
        return None

    def is_hubs_own(self) -> bool:
        """Say whether the hub is a Pod of this cluster, and logs in as such."""
        return False

    def identity(self) -> str:
        """Say as whom the hub logs in, as far as can be told without a network; for messages."""
        return ""

    @property
    def credentials(self) -> CredentialCache:
        """The cache over `mint`, shared with other backends of the same `credential_key`."""
        if self._cache is None:
            login = self.credential_key()
            if isinstance(login, SharedLogin) and self.shared_credentials is not None:
                self._cache = self.shared_credentials.take(login, self.cluster_name, self.log)
                self._lease = login
            else:
                self._cache = self._new_cache()
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
        return await self._connection.open(lambda: self.credentials.get(self.cluster_name))

    async def renew_trust(self) -> bool:
        """Find the endpoint again after its certificate was refused; trust the CA it has now.

        Says whether a new attempt makes sense. The live client learns it: open connections stay.
        At most one search at a time, and one a minute.
        """
        return await self._connection.renew_trust()

    async def close(self) -> None:
        """End what runs in the background."""
        await self._connection.close()
        await self._give_back_credentials()

    async def _give_back_credentials(self) -> None:
        cache, login, self._cache, self._lease = self._cache, self._lease, None, None
        if login is not None and self.shared_credentials is not None:
            await self.shared_credentials.give_back(login)
        elif cache is not None:
            await cache.close()

    async def _mint_and_present(self) -> Credential:
        credential = await self.mint()
        if not (credential.token or credential.client_certificate) and not self._anonymous():
            raise ConfigError(f"cluster {self.cluster_name!r}: the credential is empty")
        self._connection.present(credential)
        return credential

    def _anonymous(self) -> bool:
        """Say whether this cluster's log-in is neither token nor certificate (headers, none)."""
        return False
