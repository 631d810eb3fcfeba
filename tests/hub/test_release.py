"""Which release of JupyterHub the hubs of this test run are."""

from __future__ import annotations

import os
import re
from importlib.metadata import requires, version
from pathlib import Path

import aiohttp
import pytest
from packaging.requirements import Requirement

from tests.hub.plain_hub import serving

pytestmark = pytest.mark.slow

LOCKS = Path(__file__).parents[2] / "requirements"


def locked() -> str:
    """Return the release that this run is for: ``make`` names its lock, dev.txt if it does not."""
    lock = (LOCKS / f"{os.environ.get('MCKS_TEST_HUB', 'dev')}.txt").read_text()
    found = re.search(r"^jupyterhub==(\S+)", lock, re.MULTILINE)
    assert found is not None
    return found[1]


async def test_the_hubs_of_this_run_are_of_the_locked_release(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with (
        serving(tmp_path, unused_tcp_port) as hub,
        aiohttp.ClientSession() as session,
        session.get(f"{hub.url}health") as response,
    ):
        assert response.headers["X-JupyterHub-Version"] == locked()
    assert f"Running JupyterHub version {locked()}" in hub.log.read_text()


def test_the_hub_finds_all_that_it_needs() -> None:
    needed = [Requirement(one) for one in requires("jupyterhub") or ()]
    for one in needed:
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            assert version(one.name) in one.specifier, one
