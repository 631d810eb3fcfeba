"""A real hub whose form tells what is free, and whose administrator counts credits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.plain_hub import Running, page, serving

pytestmark = pytest.mark.slow

_MORE = """
import asyncio

import mcks


def free(cluster):
    with open("asked", "a") as file:
        file.write(f"{cluster.name} ")
    return "3 GPUs free"


async def credits(spawner, cluster):
    await asyncio.sleep(0)
    if spawner.user.name == "eve":
        raise mcks.Refused("No credits are left. Ask for <more>.")
    if spawner.user.name == "fay":
        return False
    return f"12 credits left for {cluster}"


def before(spawner):
    if spawner.user.name == "gil":
        raise mcks.Refused("Not on Sundays.")


c.MultiClusterKubeSpawner.clusters["west"]["capacity"] = free
c.MultiClusterKubeSpawner.quota = credits
c.Spawner.pre_spawn_hook = before
"""


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    """One that would end after two failures of its own."""
    async with serving(tmp_path, unused_tcp_port, _MORE) as running:
        yield running


async def test_forms_tell_what_is_free_and_ask_once(hub: Running, tmp_path: Path) -> None:
    for user in ("ada", "bob"):
        session = await hub.log_in(user)
        _, html = await page(session, f"{hub.url}spawn")
        assert html.count(">3 GPUs free.</div>") == 2 + (user == "bob")
        await session.close()
    assert (tmp_path / "asked").read_text() == "west "


@pytest.mark.parametrize(
    ("user", "words"),
    [("eve", "No credits are left. Ask for <more>."), ("gil", "Not on Sundays.")],
)
async def test_a_refusal_is_read_as_it_was_written_and_never_ends_the_hub(
    hub: Running, user: str, words: str
) -> None:
    for _ in range(4):
        assert await hub.api(user, {}) == (403, words)
    log = hub.log.read_text()
    assert f"{user} did not start (profile small" in log
    assert "Traceback" not in log
    assert "reference" not in log


async def test_an_answer_that_might_be_a_no_lets_nobody_through(hub: Running) -> None:
    status, message = await hub.api("fay", {})
    assert status == 400
    assert "quota: the function credits gives bool" in message
    assert "Reference: " in message


async def test_whoever_is_let_through_goes_on_to_the_cluster(hub: Running) -> None:
    status, message = await hub.api("ada", {})
    assert (status, "does not answer" in message) == (400, True)
