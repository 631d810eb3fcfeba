"""A hub that is killed between two clusters of a start: the next one leaves exactly one server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from mcks.core.labels import KEY_LABEL
from tests.fakes.fault_proxy import Call, Fault, FaultProxy, silence, swallow_answer
from tests.fakes.loopback import status
from tests.hub.hubs import start_server, stop_server
from tests.hub.places import Place, orphans
from tests.hub.servers import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ANYWHERE = """
c.MultiClusterKubeSpawner.profile_list = [
    {"display_name": "Anywhere", "slug": "anywhere", "clusters": ["a", "b"]}
]
c.MultiClusterKubeSpawner.data = "ignore"
"""
QUOTA = "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"


async def no_room(_proxy: FaultProxy, _call: Call) -> web.StreamResponse:
    """The API server's quota has no room."""
    return status(403, "Forbidden", QUOTA)


def points() -> Iterator[tuple[str, str, Fault, str, str]]:
    """User, cluster, fault and request in which the hub is killed: in the first try, on the way
    out of it, and in the second."""
    places = [
        ("a", silence, "create", "secrets"),
        ("a", swallow_answer, "create", "secrets"),
        ("a", swallow_answer, "create", "services"),
        ("a", swallow_answer, "create", "pods"),
        ("a", silence, "delete", "secrets"),
        ("a", swallow_answer, "delete", "secrets"),
        ("b", silence, "create", "secrets"),
        ("b", swallow_answer, "create", "secrets"),
        ("b", swallow_answer, "create", "pods"),
        ("b", swallow_answer, "patch", "secrets"),
    ]
    for number, (cluster, fault, verb, resource) in enumerate(places):
        yield f"u{number}", cluster, fault, verb, resource


@pytest.mark.parametrize("place", [ANYWHERE], indirect=True)
async def test_whenever_the_hub_is_killed_between_two_clusters_one_server_is_left_in_the_end(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    hub, rules, users = place.hub, [], []
    for user, cluster, fault, verb, resource in points():
        users.append(user)
        name = f"h-jupyter-{user}"
        if cluster == "b" or verb == "delete":
            place.proxies["a"].inject(no_room, "create", resource="pods", name=name)
        rules.append(place.proxies[cluster].inject(fault, verb, resource=resource, name=name))
        await hub.request("POST", f"users/{user}")
        options = {"profile": "anywhere"}
        answered, answer = await hub.request("POST", f"users/{user}/server", json=options)
        assert answered in (201, 202), answer
    async with asyncio.timeout(15):  # before the hub itself gives up
        await asyncio.gather(*(rule.met.wait() for rule in rules))
    await hub.kill()
    for proxy in place.proxies.values():
        proxy.heal()
    assert sum(map(len, (await pods(place)).values())) >= 3
    await hub.start()

    async def known() -> bool:
        return not any([await place.servers(user) for user in users])

    await until(known)
    place.proxies["a"].inject(no_room, "create", resource="pods")
    said = await asyncio.gather(*(start_server(hub, user, "anywhere") for user in users))
    for lines in said:
        assert lines[-1].get("ready"), lines
    assert await pods(place) == {"a": set(), "b": {f"h-jupyter-{user}" for user in users}}
    assert len(users) == 10
    await asyncio.gather(*(stop_server(hub, user) for user in users))
    assert await orphans(hub, capsys) == []


async def pods(place: Place) -> dict[str, set[str]]:
    """The keys of the servers' Pods in each cluster."""
    found: dict[str, set[str]] = {}
    for cluster in place.clusters:
        listed: list[dict[str, Any]] = await cluster.admin().list("v1", "Pod", place.namespace)
        found[cluster.name] = {pod["metadata"]["labels"][KEY_LABEL] for pod in listed}
    return found
