"""Cloud log-ins are tested against servers on loopback; no other host may be tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.backends.reading import put_pod
from tests.backends.refusals import secret_scan  # noqa: F401 - a fixture
from tests.fakes.cloud_environment import clean_environment
from tests.fakes.loopback import FakeAPIServer
from tests.fakes.loopback_only import loopback_only
from tests.fakes.silence import wait_for_cloud_threads


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    clean_environment(monkeypatch, tmp_path)
    with loopback_only():
        yield
        wait_for_cloud_threads()


@pytest.fixture
async def server() -> AsyncIterator[FakeAPIServer]:
    """A cluster's API server, which has one Pod to read."""
    async with FakeAPIServer().running() as server:
        put_pod(server)
        yield server
