"""Clusters come and go while a hub runs; its servers go on, and nothing of them is lost."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from mcks.core.administrator.lending import read
from mcks.core.hub.fleet import Fleet
from mcks.core.hub.sharing import fleet_of, share
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.fakes.loopback import AT_ONCE, event
from tests.fakes.loopback_servers import PODS, TERMINATED, URL, LoopbackHub, until

POD = f"{PODS}/jupyter-ada"
ENTRY: dict[str, Any] = {"context": "loopback", "ingress_public_url": URL}
STATE = {"cluster": "a", "namespace": "ns", "key": "jupyter-ada", "url": URL}


class Names:
    """The administrator's function: what it gives, or raises, may be changed."""

    def __init__(self) -> None:
        self.clusters: Any = {"a": ENTRY}

    async def __call__(self) -> Any:
        if isinstance(self.clusters, Exception):
            raise self.clusters
        return dict(self.clusters)

    def __deepcopy__(self, _: object) -> Names:
        return self


class Hub:
    """A hub whose clusters *names* gives; the server on loopback is one of them."""

    def __init__(self, loopback: LoopbackHub, retry_after: float = 0.02) -> None:
        self.loopback = loopback
        loopback.config.MultiClusterKubeSpawner.clusters_interval = 3600
        self._retry_after = retry_after
        self.begin({"a": ENTRY})

    def begin(self, clusters: Any) -> None:
        """Let a hub start whose function names *clusters*: nothing is in its memory."""
        self.names = Names()
        self.names.clusters = clusters
        self.loopback.config.MultiClusterKubeSpawner.clusters = self.names
        self.fleet = share(Fleet(self.spawner(), retry_after=self._retry_after))
        self.fleet.pool.deadlines = AT_ONCE

    async def begin_again(self, clusters: Any) -> None:
        """Let it start once more."""
        await self.fleet.close()
        self.begin(clusters)

    def spawner(self, **traits: Any) -> MultiClusterKubeSpawner:
        return self.loopback.spawner(**traits)

    def running(self, **status: Any) -> MultiClusterKubeSpawner:
        return self.loopback.running(**status)

    async def read_again(self, clusters: Any) -> None:
        self.names.clusters = clusters
        inventory: Any = self.spawner().known_clusters
        await inventory.read()

    async def seen(self, spawner: MultiClusterKubeSpawner) -> None:
        """Return when the hub sees the server's Pod."""
        await spawner.connect()
        await until(lambda: spawner._look() is not None)


@pytest.fixture
async def hub(loopback_hub: LoopbackHub) -> Any:
    await fleet_of(loopback_hub.spawner()).close()
    hub = Hub(loopback_hub)
    yield hub
    await hub.fleet.close()


async def test_all_spawners_share_what_the_function_says(hub: Hub) -> None:
    one, other = hub.spawner(), hub.spawner()
    assert read(one, "clusters") is read(other, "clusters") is one.clusters
    assert one.known_clusters is other.known_clusters
    await hub.read_again({"a": ENTRY, "b": ENTRY})
    assert sorted(one.known_clusters) == sorted(hub.spawner().clusters) == ["a", "b"]


async def test_a_hook_may_still_give_a_spawner_clusters_of_its_own(hub: Hub) -> None:
    one, other = hub.spawner(), hub.spawner()
    await hub.read_again({"a": ENTRY})
    one.clusters = {"x": ENTRY}
    assert list(one.known_clusters) == ["x"]
    assert list(other.known_clusters) == ["a"]


async def test_a_start_waits_for_the_first_answer(hub: Hub) -> None:
    spawner = hub.spawner()
    await spawner.apply_profile({})
    assert spawner.chosen_cluster() == "a"


async def test_a_start_and_the_form_say_that_no_clusters_are_known(hub: Hub) -> None:
    await hub.begin_again(LookupError("the list is away"))
    spawner = hub.spawner(profile_list=[{"display_name": "p", "cluster": "a"}])
    with pytest.raises(Exception, match="not know its clusters") as caught:
        await spawner._run_apply_user_options({"profile": "p"})
    assert "list is away" not in str(caught.value)
    form = str(await spawner.get_options_form())
    assert "The hub does not know its clusters at the moment" in form
    hub.names.clusters = {"a": ENTRY}
    assert "not know its clusters" not in str(await spawner.get_options_form())


async def test_a_cluster_that_comes_takes_servers_without_a_restart(hub: Hub) -> None:
    spawner = hub.spawner(cluster="b")
    await hub.read_again({"a": ENTRY})
    with pytest.raises(Exception, match="unknown cluster 'b'"):
        spawner.configured(hub.fleet.pool)
    await hub.read_again({"a": ENTRY, "b": ENTRY})
    assert spawner.configured(hub.fleet.pool).cluster.name == "b"


async def test_users_read_that_a_cluster_is_not_in_service_and_of_no_mistake(hub: Hub) -> None:
    await hub.read_again({"a": ENTRY})
    listed = [{"display_name": "One", "cluster": "a"}, {"display_name": "Two", "cluster": "b"}]
    spawner = hub.spawner(profile_list=listed)
    assert str(await spawner.get_options_form()).count("its cluster is not in service.") == 1
    await spawner._run_apply_user_options({"profile": "two"})
    with pytest.raises(Exception, match="unknown cluster 'b'") as caught:
        await spawner.start()
    told = caught.value.jupyterhub_message  # type: ignore[attr-defined]
    assert "The chosen cluster is not in service at the moment." in told


async def test_polls_and_stops_go_on_in_a_cluster_that_is_named_no_more(hub: Hub) -> None:
    server, spawner = hub.loopback.server, hub.running()
    await hub.read_again({"a": ENTRY})
    await hub.seen(spawner)
    connected = hub.fleet.pool.peek("a", {"a": ENTRY})
    await hub.read_again({})
    assert list(spawner.known_clusters) == []
    with pytest.raises(Exception, match="unknown cluster 'a'"):
        hub.spawner(cluster="a").configured(hub.fleet.pool)
    assert await spawner.poll() is None
    assert spawner._look() is not None
    assert await spawner.connect() is connected
    made = server.objects[POD]
    server.watch_held.set()
    stop = asyncio.create_task(spawner.stop())
    await until(lambda: POD not in server.objects)
    server.watch_lines = [event("DELETED", made)]
    await stop
    assert spawner.remembered.created is None


async def test_a_server_that_ends_in_a_cluster_that_is_named_no_more_is_cleaned_up(
    hub: Hub,
) -> None:
    server, spawner = hub.loopback.server, hub.running(**TERMINATED)
    await hub.read_again({"a": ENTRY})
    await hub.seen(spawner)
    await hub.read_again({})
    made = server.objects[POD]
    server.watch_held.set()
    assert await spawner.poll() is None
    await until(lambda: POD not in server.objects)
    server.watch_lines = [event("DELETED", made)]
    await until(lambda: spawner.removal.task is None)
    assert await spawner.poll() == 3


async def test_after_a_restart_a_server_where_no_cluster_is_named_is_out_of_sight_and_not_lost(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    await hub.begin_again({"b": ENTRY})
    spawner = hub.running()
    assert await spawner.get_url() == URL
    assert "jupyter-ada in namespace ns of cluster 'a' is out of sight: unknown" in caplog.text
    assert await spawner.poll() is None
    assert POD in hub.loopback.server.objects
    await hub.read_again({"a": ENTRY, "b": ENTRY})
    await hub.seen(spawner)
    assert await spawner.poll() is None
    spawner = hub.spawner()
    spawner.load_state({**STATE, "cluster": "gone"})
    await spawner.stop()
    assert "of cluster 'gone' stays behind: " in caplog.text


async def test_a_stop_before_the_first_answer_is_made_good_when_that_comes(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    await hub.begin_again(LookupError("the list is away"))
    spawner = hub.running()
    await spawner.stop()
    assert spawner.remembered.created is None
    assert "will delete jupyter-ada in namespace ns of cluster 'a' later: " in caplog.text
    hub.names.clusters = {"a": ENTRY}
    await until(lambda: POD not in hub.loopback.server.objects)


async def test_what_does_not_matter_to_a_connection_does_not_make_a_new_one(hub: Hub) -> None:
    await hub.read_again({"a": {**ENTRY, "allow": lambda _: True}})
    connected = await hub.running().connect()
    patches = {"1": "kind: Pod"}
    changed = {**ENTRY, "allow": lambda _: True, "labels": {"a": "b"}, "patches": patches}
    await hub.read_again({"a": changed})
    spawner = hub.running()
    assert await spawner.connect() is connected
    configured = spawner.configured(hub.fleet.pool)
    assert configured.cluster.labels == {"a": "b"}
    assert len(hub.fleet.pool._configured) == 1


async def test_another_way_into_a_cluster_takes_its_servers_over_and_the_old_one_is_closed(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner = hub.running()
    await hub.read_again({"a": ENTRY})
    await hub.seen(spawner)
    former = await spawner.connect()
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)
        await closing()

    closing = former.close
    monkeypatch.setattr(former, "close", close)
    hub.fleet.sweeper.min_age = 0.05
    content = json.loads(Path(os.environ["KUBECONFIG"]).read_text())
    content["contexts"][0]["name"] = "renamed"
    (tmp_path / "another").write_text(json.dumps(content))
    await hub.read_again(
        {"a": {**ENTRY, "context": "renamed", "kubeconfig": str(tmp_path / "another")}}
    )
    await until(lambda: closed)
    current = await spawner.connect()
    assert current is not former
    await until(lambda: hub.fleet.pool.peek("a", {"a": ENTRY}) is None)
    await until(lambda: spawner._look() is not None)
    assert await spawner.poll() is None


async def test_what_is_to_be_deleted_is_deleted_by_the_new_way_into_its_cluster(
    hub: Hub, tmp_path: Path
) -> None:
    wrong = json.loads(Path(os.environ["KUBECONFIG"]).read_text())
    wrong["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "wrong").write_text(json.dumps(wrong))
    await hub.read_again({"a": {**ENTRY, "kubeconfig": str(tmp_path / "wrong")}})
    spawner = hub.running()
    await spawner.stop()
    assert POD in hub.loopback.server.objects
    await hub.read_again({"a": ENTRY})
    await until(lambda: POD not in hub.loopback.server.objects)


async def test_a_mistake_in_an_answer_is_told_as_one_in_the_configuration_is(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    await hub.read_again({"a": ENTRY, "b": {**ENTRY, "ingress_url": "x"}, "c": {"route": "x"}})
    assert list(hub.spawner().known_clusters) == ["a"]
    errors = [r.message for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "clusters['b']: unknown key 'ingress_url'. Did you mean 'ingress_pub" in errors[0]
    assert "clusters['c'].route: unknown kind of route 'x'" in errors[1]
