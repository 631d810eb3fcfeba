"""Cloud log-ins are tested against servers on loopback; no other host may be tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mcks.auth.credential import CredentialCache
from tests.auth.minting import Clock, Cloud, make_cache
from tests.fakes.cloud_environment import clean_environment
from tests.fakes.loopback_only import loopback_only
from tests.fakes.silence import wait_for_cloud_threads


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    clean_environment(monkeypatch, tmp_path)
    with loopback_only():
        yield
        wait_for_cloud_threads()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud(clock: Clock) -> Cloud:
    return Cloud(clock)


@pytest.fixture
async def cache(cloud: Cloud, clock: Clock) -> AsyncIterator[CredentialCache]:
    cache = make_cache(cloud, clock, renew_before=300)
    yield cache
    await cache.close()
