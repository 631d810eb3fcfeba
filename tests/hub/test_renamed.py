"""A user who is renamed, and another who gets the name that is free now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub.hub_process import running
from tests.hub.quick_cluster import QuickCluster
from tests.hub.servers import until

pytestmark = pytest.mark.cluster


async def test_who_gets_a_former_name_gets_neither_its_server_nor_its_data(
    quick_cluster: QuickCluster, tmp_path: Path
) -> None:
    async with running(quick_cluster.config, tmp_path / "jupyterhub.sqlite") as (hub,):
        await hub.begin("ada")
        before = await quick_cluster.contents()
        hub.user("ada").orm_user.name = "bob"
        hub.session.commit()

        with pytest.raises(Exception, match="is another user's"):
            await hub.begin("ada")
        assert await hub.spawner("bob").poll() is None
        assert await quick_cluster.contents() == before
        await hub.stop("bob")
        with pytest.raises(Exception, match="is another user's"):
            await hub.begin("ada")
        await hub.begin("bob")
        assert await quick_cluster.contents() == before

        await hub.stop("bob")
        await hub.delete_user("bob")

        async def gone() -> bool:
            return not await quick_cluster.contents()

        await until(gone)
        await hub.begin("ada")
        assert await quick_cluster.contents() == before
