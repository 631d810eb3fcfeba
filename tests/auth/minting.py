"""A clock that stands still and a cloud that mints, for tests of the credential cache."""

from __future__ import annotations

import asyncio
from typing import Any

from mcks.auth.credential import Credential, CredentialCache

WALL = 1_000_000.0


class Clock:
    def __init__(self) -> None:
        self.elapsed = 0.0

    def wall(self) -> float:
        return WALL + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed


class Cloud:
    """Mints t1, t2 ...; can be held up, and can be made to fail."""

    def __init__(self, clock: Clock, life: float | None = 3600) -> None:
        self.clock, self.life = clock, life
        self.mints = 0
        self.failure: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def mint(self) -> Credential:
        self.mints += 1
        number = self.mints
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        expires_at = None if self.life is None else self.clock.wall() + self.life
        return Credential(token=f"t{number}", expires_at=expires_at)


def make_cache(cloud: Cloud, clock: Clock, **settings: Any) -> CredentialCache:
    settings.setdefault("jitter", lambda: 0.0)
    return CredentialCache(
        cloud.mint, name="a", clock=clock.wall, monotonic=clock.monotonic, **settings
    )


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)
