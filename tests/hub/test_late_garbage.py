"""Starts that meet what the one before left: the garbage collector comes late, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.cluster.local_set import LocalSet
from tests.hub.hub_process import running
from tests.hub.quick_cluster import CLAIM, QuickCluster, objects_of
from tests.hub.servers import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PAIRS = 200
KEY = "h-jupyter-ada"


async def test_200_restarts_at_once_need_no_garbage_collector(
    quick_cluster: QuickCluster, breakable_clusters: LocalSet, tmp_path: Path
) -> None:
    api, namespace = quick_cluster.api, quick_cluster.namespace
    kcm = breakable_clusters["a"]
    await asyncio.to_thread(kcm.stop, "kcm")
    uids = set()
    async with running(quick_cluster.config, tmp_path / "hub.sqlite") as (hub,):
        try:
            for _ in range(PAIRS):
                await hub.begin("ada")
                pod = await asyncio.to_thread(api.get, "v1", "Pod", KEY, namespace)
                secret = await asyncio.to_thread(api.get, "v1", "Secret", KEY, namespace)
                owners = [owner["uid"] for owner in secret["metadata"]["ownerReferences"]]
                assert owners == [pod["metadata"]["uid"]]
                uids.add(pod["metadata"]["uid"])
                assert await hub.stop("ada")
            assert len(uids) == PAIRS
            left = await quick_cluster.contents()
            assert left - {f"{CLAIM} {KEY}"} <= objects_of(KEY)
        finally:
            await asyncio.to_thread(kcm.start, "kcm")
        await hub.delete_user("ada")

        async def nothing_left() -> bool:
            return not await quick_cluster.contents()

        await until(nothing_left)
