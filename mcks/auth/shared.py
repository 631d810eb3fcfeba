"""One credential cache for all clusters of one identity, where a token serves them all.

How a credential is made and renewed does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from mcks.auth.credential import CredentialCache


@dataclass
class _Lease:
    cache: CredentialCache
    holders: int = 0


class SharedCredentials:
    """Caches by key; a cache lives as long as somebody holds it. Keys hold no secret's repr."""

    def __init__(self) -> None:
        self._leases: dict[Hashable, _Lease] = {}

    def take(self, key: Hashable, make: Callable[[], CredentialCache]) -> CredentialCache:
        """Give the cache for *key*, made now if there is none. Pair it with `give_back`."""
        lease = self._leases.get(key)
        if lease is None:
            lease = self._leases[key] = _Lease(make())
        lease.holders += 1
        return lease.cache

    async def give_back(self, key: Hashable) -> None:
        """Say that one holder is done; the last one closes the cache."""
        lease = self._leases[key]
        lease.holders -= 1
        if not lease.holders:
            del self._leases[key]
            await lease.cache.close()
