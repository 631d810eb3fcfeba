"""A real hub that is killed in the middle of starts, or begins anew while a cluster is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.fakes.fault_proxy import Fault, silence, swallow_answer
from tests.hub.hubs import HUB_6, start_server, stop_server
from tests.hub.places import Place, away, orphans
from tests.hub.servers import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

REQUESTS = [
    ("create", "persistentvolumeclaims", ""),
    ("create", "secrets", ""),
    ("create", "serviceaccounts", ""),
    ("create", "services", ""),
    ("create", "configmaps", "-x"),
    ("create", "configmaps", "-y"),
    ("create", "configmaps", "-z"),
    ("create", "ingresses", ""),
    ("create", "pods", ""),
    ("patch", "secrets", ""),
]
"""What a start asks of a cluster: verb, resource, and what follows the key in the name."""
OUTAGE = 120
"""Seconds that a long outage lasts at least."""
LOOKS = 12
"""How often it is looked meanwhile what users notice."""


def points() -> Iterator[tuple[str, str, Fault, tuple[str, str, str]]]:
    """User, cluster, fault, request: before the cluster hears of it, or after it has answered."""
    for cluster, fault in (("a", silence), ("b", swallow_answer)):
        for number, request in enumerate(REQUESTS):
            yield f"{cluster}{number}", cluster, fault, request


async def test_starts_that_a_hub_was_killed_in_can_be_begun_anew_and_leave_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = place.hub
    await start_server(hub, "ready", "a")
    before = await place.uids()
    rules, users = [], {}
    for user, cluster, fault, (verb, resource, suffix) in points():
        users[user] = cluster
        name = f"h-jupyter-{user}{suffix}"
        rules.append(place.proxies[cluster].inject(fault, verb, resource=resource, name=name))
        await hub.request("POST", f"users/{user}")
        options = {"profile": cluster}
        status, answer = await hub.request("POST", f"users/{user}/server", json=options)
        assert status in (201, 202), answer
    async with asyncio.timeout(15):  # before the hub itself gives up
        await asyncio.gather(*(rule.met.wait() for rule in rules))
    await hub.kill()
    for proxy in place.proxies.values():
        proxy.heal()
    await hub.start()

    async def known() -> bool:
        return not any([await place.servers(user) for user in users])

    await until(known)
    left = await place.uids()
    assert left["h-jupyter-ready"] == before["h-jupyter-ready"]
    assert len(users) == 20
    assert {"h-jupyter-b8", "h-jupyter-a9", "h-jupyter-b9"} <= set(left)
    said = await asyncio.gather(*(start_server(hub, u, c) for u, c in users.items()))
    for lines in said:
        assert lines[-1].get("ready"), lines
    now = await place.uids()
    assert set(now) == {"h-jupyter-ready", *(f"h-jupyter-{user}" for user in users)}
    assert {key for key in left if left[key] == now[key]} == {"h-jupyter-ready"}
    await asyncio.gather(*(stop_server(hub, user) for user in ["ready", *users]))
    assert await orphans(hub, capsys) == []


async def test_a_hub_that_begins_while_a_cluster_is_away_serves_the_other_and_loses_nothing(
    place: Place,
) -> None:
    """For minutes: long enough that every pause between two tries has become its longest."""
    hub = place.hub
    await asyncio.gather(start_server(hub, "ada", "a"), start_server(hub, "bob", "b"))
    before = await place.uids()
    assert len(before) == 2
    said = hub.log.stat().st_size
    async with away(place, "a"):
        await hub.kill()
        await hub.start()
        for _ in range(LOOKS):
            await asyncio.sleep(OUTAGE / LOOKS)
            lines = await start_server(hub, "carol", "b")
            assert lines[-1].get("ready"), lines
            await stop_server(hub, "carol")
            assert (await place.servers("bob"))[""]["ready"]
            assert not (await place.servers("ada"))[""]["ready"]
            refused = (await start_server(hub, "dora", "a"))[-1]
            assert refused["failed"]

    async def ready() -> bool:
        return bool((await place.servers("ada"))[""]["ready"])

    await until(ready)
    now = await place.uids()
    assert {key: now[key] for key in before} == before
    log = hub.log.read_bytes()[said:].decode()
    assert "appears to have stopped" not in log
    assert not HUB_6 or "Traceback" not in log
