"""A real hub starts 200 servers at once over two clusters, and one of them goes away meanwhile."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import pytest

from mcks.core.labels import KEY_LABEL
from tests.fakes.fault_proxy import break_off, reset
from tests.hub.places import Place, orphans
from tests.hub.servers import until
from tests.hub.test_many_servers import ready_users

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

SERVERS = 200
_REQUESTS_OF_ALL = 1000
"""About as many as the starts send to their first cluster."""
STORM = f"""
c.JupyterHub.concurrent_spawn_limit = {SERVERS}
c.MultiClusterKubeSpawner.resources = {{}}
c.MultiClusterKubeSpawner.objects.update({{"05-home": None}})
c.MultiClusterKubeSpawner.profile_list = [
    {{"display_name": "In order", "slug": "in-order", "clusters": ["a", "b"]}},
    {{"display_name": "By weights", "slug": "by-weights", "clusters": {{"a": 2, "b": 1}}}},
]
"""


@pytest.mark.parametrize("place", [STORM], indirect=True)
async def test_of_200_starts_none_is_lost_and_none_doubled_when_a_cluster_goes_away_and_returns(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("MCKS_SEED", random.randrange(10**6)))
    with capsys.disabled():
        print(f"\nMCKS_SEED={seed}")
    chance = random.Random(seed)
    names = [f"user{number}" for number in range(SERVERS)]
    await place.hub.request("POST", "users", json={"usernames": names})
    starts = asyncio.gather(*(begin(place, name, number) for number, name in enumerate(names)))
    await dark_after(place, chance.randrange(_REQUESTS_OF_ALL))
    await starts
    ran = {f"h-jupyter-{name}" for name in await ready_users(place.hub, SERVERS)}
    there = await pods(place)
    before = {key: there[key] for key in ran if len(there[key]) == 1}  # debts in a aside
    await asyncio.sleep(chance.uniform(0, 15))  # so long is the outage
    place.proxies["a"].heal()
    await all_ready(place, names)

    async def one_each() -> bool:
        return Counter({key: len(uids) for key, uids in (await pods(place)).items()}) == Counter(
            f"h-jupyter-{name}" for name in names
        )

    await until(one_each, 90)
    now = await pods(place)
    assert {key: now[key] for key in before} == before
    assert await orphans(place.hub, capsys) == []
    assert "Traceback" not in place.hub.log.read_text()


async def begin(place: Place, name: str, number: int) -> None:
    options = {"profile": ("in-order", "by-weights")[number % 2]}
    status, answer = await place.hub.request("POST", f"users/{name}/server", json=options)
    assert status in (201, 202), answer


async def dark_after(place: Place, requests: int) -> None:
    """Let the API server of a go away when it was asked so often."""
    proxy = place.proxies["a"]

    async def reached() -> bool:
        return (
            sum(proxy.counts.values()) >= requests
            or len(await ready_users(place.hub, SERVERS)) > 100
        )

    await until(reached, 120)
    proxy.go_dark(reset, break_off)


async def all_ready(place: Place, names: list[str]) -> None:
    """Wait until the hub waits for no start, and see that each has come up."""

    async def ended() -> bool:
        _, active = await place.hub.request("GET", f"users?state=active&limit={SERVERS}")
        return {user["name"] for user in active} == {*await ready_users(place.hub, SERVERS)}

    await until(ended, 150)
    lost = {*names} - {*await ready_users(place.hub, SERVERS)}
    said = [line for line in place.hub.log.read_text().splitlines() if "did not start" in line]
    assert not lost, (lost, [line for line in said if any(name in line for name in lost)][:20])


async def pods(place: Place) -> dict[str, list[str]]:
    """Uids of the Pods of each server, by key, in both clusters."""
    found: dict[str, list[str]] = {}
    for cluster in place.clusters:
        for pod in await cluster.admin().list("v1", "Pod", place.namespace):
            key = pod["metadata"]["labels"][KEY_LABEL]
            found.setdefault(key, []).append(pod["metadata"]["uid"])
    return found
