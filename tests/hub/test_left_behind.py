"""What stays in a cluster when something went wrong, and how it is found and deleted."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from mcks.core.cli import main
from mcks.core.hub.fleet import Fleet
from mcks.core.hub.sharing import fleet_of, share
from mcks.core.servers import state
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.hub.servers import HOME, Make, connection, objects, pod_of, until, until_empty

pytestmark = pytest.mark.cluster

CLAIM = ("v1", "PersistentVolumeClaim")
LOST = {"mcks.hub.jupyter.org/key": "h-jupyter-lost"}
ELSEWHERE = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "{{key}}", namespace: %s}
"""


class Database:
    """A hub's database in a file; ``know`` writes what the hub would."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self.session: Session = orm.new_session_factory(self.url)()
        self.session.add(orm.User(name="operator"))
        self.session.commit()

    def know(self, spawner: MultiClusterKubeSpawner) -> None:
        user = self.session.query(orm.User).filter_by(name=spawner.user.name).one_or_none()
        user = user or orm.User(name=spawner.user.name)
        saved = spawner.get_state()
        server = orm.Server() if "key" in saved else None
        self.session.add(orm.Spawner(user=user, name=spawner.name, state=saved, server=server))
        self.session.commit()

    def give_to(self, spawner: MultiClusterKubeSpawner) -> None:
        spawner.user.db = self.session


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "jupyterhub.sqlite")


async def new_hub(
    spawner: MultiClusterKubeSpawner, database: Database, min_age: float = 0
) -> Fleet:
    """Another process of the same hub would know only what is in *database*."""
    await fleet_of(spawner).close()
    fresh = share(Fleet(_with(spawner, database)))
    fresh.sweeper.min_age = min_age
    return fresh


def _with(spawner: MultiClusterKubeSpawner, database: Database) -> Any:
    user = SimpleNamespace(db=database.session)
    return SimpleNamespace(
        config=spawner.config,
        hub_id=spawner.hub_id,
        log=spawner.log,
        start_timeout=spawner.start_timeout,
        trait_names=spawner.trait_names,
        drain_file=spawner.drain_file,
        known_clusters=spawner.known_clusters,
        user=user,
        namespace="",
        profile_list=spawner.profile_list,
        group_overrides=spawner.group_overrides,
    )


async def test_a_server_that_is_stopped_while_its_cluster_is_away_is_deleted_when_that_is_back(
    make: Make, breakable_clusters: LocalSet, clusters: Clusters, namespace: Namespace
) -> None:
    spawner = make()
    await spawner.start()
    await asyncio.to_thread(breakable_clusters["a"].stop, "apiserver")
    await spawner.stop()
    assert await spawner.poll() == 0
    assert spawner.get_state() == {}
    assert fleet_of(spawner).sweeper.has_pending((await connection(spawner)).breaker)
    await asyncio.to_thread(breakable_clusters["a"].start, "apiserver", reconnect=True)
    await until_empty(clusters, namespace.name)


@pytest.fixture
def elsewhere(clusters: Clusters) -> Iterator[str]:
    """Another namespace in which the hub has its rights."""
    name = f"test-{secrets.token_hex(4)}"
    try:
        clusters.prepare_namespace(name)
        yield name
    finally:
        clusters.remove_namespace(name)


async def test_the_sweep_deletes_what_the_hub_does_not_know_and_nothing_else(
    make: Make, clusters: Clusters, namespace: Namespace, database: Database, elsewhere: str
) -> None:
    api = clusters["a"].api
    hub = {"hub_id": "h"}
    lost, known, others = make("lost", **hub), make("known", **hub), make("others", hub_id="g")
    lost.objects = {**lost.objects, "05": ELSEWHERE % elsewhere}
    for spawner in (lost, known, others):
        await spawner.start()
    assert api.list("v1", "ConfigMap", elsewhere, LOST)
    database.know(known)
    fleet = await new_hub(lost, database, min_age=3600)
    at_a = await connection(lost)
    await at_a.pods_of(namespace.name).synced.wait()
    await fleet.sweeper.sweep(at_a)
    assert api.find("v1", "Pod", "h-jupyter-lost", namespace.name) is not None
    fleet.sweeper.min_age = 0
    await fleet.sweeper.sweep(at_a)

    async def only_the_others() -> bool:
        left = await objects(clusters, "a", namespace.name)
        return not [name for name in left if "lost" in name]

    await until(only_the_others)
    assert not api.list("v1", "ConfigMap", elsewhere, LOST)
    assert api.find("v1", "Pod", "h-jupyter-known", namespace.name) is not None
    assert api.find("v1", "Pod", "g-jupyter-others", namespace.name) is not None


async def test_what_is_left_in_a_profiles_own_namespace_is_found_by_gc_and_by_the_sweep(  # noqa: PLR0917
    make: Make,
    clusters: Clusters,
    namespace: Namespace,
    database: Database,
    elsewhere: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = [{"display_name": "x", "kubespawner_override": {"namespace": elsewhere}}]
    lost = make("lost", hub_id="h", profile_list=listed)
    await lost.apply_profile({})
    await lost.start()
    await fleet_of(lost).close()
    config_file = tmp_path / "jupyterhub_config.py"
    config_file.write_text(
        f"c.MultiClusterKubeSpawner.clusters = {dict(lost.clusters)!r}\n"
        f"c.MultiClusterKubeSpawner.profile_list = {listed!r}\n"
        "c.MultiClusterKubeSpawner.hub_id = 'h'\n"
    )
    words = ["-f", str(config_file), "--database", database.url, "--older-than", "0"]
    assert await asyncio.to_thread(main, ["gc", "--json", *words]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert [(o["name"], o["namespace"]) for o in report["orphans"]] == [
        ("h-jupyter-lost", elsewhere)
    ]
    fleet = await new_hub(lost, database)
    await fleet.sweeper.sweep(await connection(lost))

    async def nothing_is_left() -> bool:
        return not await objects(clusters, "a", elsewhere)

    await until(nothing_is_left)


async def test_a_hub_without_an_id_only_reports(
    make: Make,
    namespace: Namespace,
    database: Database,
    api: KubernetesAPI,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = make()
    await spawner.start()
    fleet = await new_hub(spawner, database)
    at_a = await connection(spawner)
    await at_a.pods_of(namespace.name).synced.wait()
    for _ in range(2):
        await fleet.sweeper.sweep(at_a)
    assert await pod_of(api, namespace) is not None
    assert caplog.text.count("holds a server that this hub does not know: Pod jupyter-ada") == 1


async def test_gc_lists_orphans_and_deletes_them_on_request(  # noqa: PLR0917
    make: Make,
    clusters: Clusters,
    namespace: Namespace,
    database: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost, known = make("lost", hub_id="h"), make("known", hub_id="h")
    for spawner in (lost, known):
        spawner.objects = {**spawner.objects, "05-home": HOME}
    await asyncio.gather(lost.start(), known.start())
    database.know(known)
    config_file = tmp_path / "jupyterhub_config.py"
    config_file.write_text(
        f"c.MultiClusterKubeSpawner.clusters = {dict(lost.clusters)!r}\n"
        "c.MultiClusterKubeSpawner.hub_id = 'h'\n"
    )
    api = clusters["a"].api
    common = ["-f", str(config_file), "--database", database.url]

    async def gc(*words: str) -> tuple[int, Any]:
        code = await asyncio.to_thread(main, ["gc", "--json", *words, *common])
        (report,) = json.loads(capsys.readouterr().out)
        assert not report["problem"]
        return code, {(o["kind"], o["name"]): o["result"] for o in report["orphans"]}

    pod, claim = ("Pod", "h-jupyter-lost"), ("PersistentVolumeClaim", "h-jupyter-lost")
    assert await gc("--delete") == (1, {pod: "too young", claim: "too young"})
    assert await gc("--dry-run", "--older-than", "0") == (1, {pod: "found", claim: "data"})
    assert await gc("--delete", "--older-than", "0") == (1, {pod: "deleted", claim: "data"})

    async def server_is_gone() -> bool:
        return not [o for o in await objects(clusters, "a", namespace.name) if "lost" in o]

    await until(server_is_gone)
    assert await gc("--delete", "--data", "--older-than", "0") == (0, {claim: "deleted"})

    async def data_is_gone() -> bool:
        return await gc("--older-than", "0") == (0, {})

    await until(data_is_gone)
    assert [c["metadata"]["name"] for c in api.list(*CLAIM, namespace.name)] == ["h-jupyter-known"]
    await known.stop()


async def test_a_named_servers_own_data_goes_with_it_and_the_users_with_the_user(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    home = HOME.replace("name: {{key}}", "name: home-{{username}}")
    named, default = make(servername="two"), make()
    for spawner in (named, default):
        spawner.objects = {**spawner.objects, "05-own": HOME, "06-home": home}
        await spawner.start()
        await spawner.stop()

    def claims() -> set[str]:
        return {c["metadata"]["name"] for c in api.list(*CLAIM, namespace.name)}

    async def own_is_gone() -> bool:
        return "jupyter-ada--two" not in claims()

    async def gone() -> bool:
        return not claims()

    assert claims() == {"home-ada", "jupyter-ada", "jupyter-ada--two"}
    await named.delete_forever()
    await until(own_is_gone)
    assert claims() == {"home-ada", "jupyter-ada"}
    await default.delete_forever()
    await until(gone)


async def test_a_users_data_in_a_cluster_that_is_away_is_deleted_when_that_is_back(
    make: Make,
    api: KubernetesAPI,
    namespace: Namespace,
    breakable_clusters: LocalSet,
) -> None:
    spawner = make()
    share(Fleet(spawner, retry_after=1.0))
    spawner.objects = {**spawner.objects, "05-home": HOME}
    await spawner.start()
    await spawner.stop()
    saved = spawner.get_state()
    await asyncio.to_thread(breakable_clusters["a"].stop, "apiserver")
    again = make()
    again.load_state(saved)
    await again.delete_forever()
    await asyncio.to_thread(breakable_clusters["a"].start, "apiserver", reconnect=True)

    async def gone() -> bool:
        return not await asyncio.to_thread(api.list, *CLAIM, namespace.name)

    await until(gone, 90)
    assert state.load(again.get_state(), "").data == ()
