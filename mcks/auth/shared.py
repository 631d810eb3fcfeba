"""One credential cache for all clusters of one log-in, where a token serves them all.

How a token is made belongs to the clouds' modules; how it is renewed to `mcks.auth.credential`.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from mcks.auth.credential import Credential, CredentialCache


class SharedLogin(ABC):
    """A log-in whose tokens serve several clusters: all that making one takes, and no cluster's.

    A frozen dataclass: equal ones share their tokens, whatever becomes of the clusters that use
    them. ``str`` names it in messages, without a secret.
    """

    renew_before: ClassVar[float] = 60.0
    """Seconds before its end when a token is renewed in the background."""

    @abstractmethod
    async def mint(self) -> Credential:
        """Make a token now. Raises `AuthError`, `ConfigError` or `Unreachable`."""


class _Lease:
    holders = 0

    def __init__(self, cache: CredentialCache) -> None:
        self.cache = cache


class SharedCredentials:
    """Caches by log-in; a cache lives as long as somebody holds it."""

    def __init__(self) -> None:
        self._leases: dict[SharedLogin, _Lease] = {}

    def take(
        self, login: SharedLogin, cluster: str = "", log: logging.Logger | None = None
    ) -> CredentialCache:
        """Give the cache of *login*, made now if there is none. Pair it with `give_back`.

        Of *cluster*, the first that wants it, only the metrics tell.
        """
        lease = self._leases.get(login)
        if lease is None:
            lease = self._leases[login] = _Lease(self._new_cache(login, cluster, log))
        lease.holders += 1
        return lease.cache

    async def give_back(self, login: SharedLogin) -> None:
        """Say that one holder is done; the last one closes the cache."""
        lease = self._leases[login]
        lease.holders -= 1
        if not lease.holders:
            del self._leases[login]
            await lease.cache.close()

    def _new_cache(
        self, login: SharedLogin, cluster: str, log: logging.Logger | None
    ) -> CredentialCache:
        return CredentialCache(
            login.mint,
            name=cluster,
            shared_as=str(login),
            renew_before=login.renew_before,
            log=log,
        )
