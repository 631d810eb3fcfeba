"""One spawner on a real cluster: start, cancel, stop, poll and adoption, and what each leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcks.core.hub.sharing import fleet_of
from mcks.core.objects import Manifest, Ref
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.hub.servers import HOME, Make, connection, pod_of, until, until_empty

pytestmark = pytest.mark.cluster

PAUSE = {"name": "c", "image": "localhost/none:1", "imagePullPolicy": "Never"}


async def test_requests_are_objects_and_one_more_and_nothing_for_a_poll(
    make: Make, clusters: Clusters, namespace: Namespace
) -> None:
    await make("warm").start()
    spawner = make()
    client = (await connection(spawner)).client
    before = client.requests
    await spawner.start()
    assert client.requests - before == 6
    for _ in range(10):
        assert await spawner.poll() is None
    assert client.requests - before == 6
    await spawner.stop()
    assert client.requests - before == 8
    assert await spawner.poll() == 0


@pytest.mark.parametrize("after", range(7))
async def test_a_start_that_is_cancelled_leaves_nothing(
    make: Make, clusters: Clusters, namespace: Namespace, after: int
) -> None:
    spawner = make()
    client = (await connection(spawner)).client
    before = client.requests
    start = asyncio.create_task(spawner.start())

    async def so_far() -> bool:
        return start.done() or client.requests - before >= after

    await until(so_far)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert await spawner.poll() == 0
    await until_empty(clusters, namespace.name)


async def test_what_a_crashed_hub_left_is_replaced_and_not_used_again(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    await make().start()
    before = await pod_of(api, namespace)
    again = make()
    await again.start()
    now = await pod_of(api, namespace)
    assert before is not None
    assert now is not None
    assert before["metadata"]["uid"] != now["metadata"]["uid"]
    secret = api.find("v1", "Secret", "jupyter-ada", namespace.name)
    assert secret is not None
    assert [o["uid"] for o in secret["metadata"]["ownerReferences"]] == [now["metadata"]["uid"]]
    await again.stop()


async def test_an_object_of_somebody_else_is_named_and_left_alone(
    make: Make, api: KubernetesAPI, clusters: Clusters, namespace: Namespace
) -> None:
    foreign = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "jupyter-ada"},
        "spec": {"ports": [{"port": 80}]},
    }
    api.apply(foreign, namespace.name)
    with pytest.raises(
        Exception, match=r"Service jupyter-ada in namespace .* is not this server's"
    ):
        await make().start()
    assert api.find("v1", "Service", "jupyter-ada", namespace.name) is not None
    await until_empty(clusters, namespace.name)


@pytest.mark.parametrize("kind", ["Secret", "Pod"])
async def test_a_foreign_secret_or_pod_survives_the_failed_start(
    make: Make, api: KubernetesAPI, clusters: Clusters, namespace: Namespace, kind: str
) -> None:
    foreign: Manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "jupyter-ada"}}
    if kind == "Pod":
        foreign["spec"] = {"containers": [{"name": "c", "image": "localhost/x:1"}]}
    api.create(foreign, namespace.name)
    with pytest.raises(Exception, match="is not this server's"):
        await make().start()
    assert api.find("v1", kind, "jupyter-ada", namespace.name) is not None
    await until_empty(clusters, namespace.name)


async def test_a_pod_that_somebody_deletes_takes_everything_with_it(
    make: Make, api: KubernetesAPI, clusters: Clusters, namespace: Namespace
) -> None:
    spawner = make()
    await spawner.start()
    api.delete("v1", "Pod", "jupyter-ada", namespace.name)

    async def ended() -> bool:
        return await spawner.poll() is not None

    await until(ended)
    assert await spawner.poll() in (0, 1)  # the server's own code, if the watch showed its end
    await until_empty(clusters, namespace.name)


async def test_stopping_twice_or_after_the_end_is_fine(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    spawner = make()
    await spawner.start()
    await asyncio.gather(spawner.stop(), spawner.stop())
    await spawner.stop()
    await spawner.start()
    api.delete("v1", "Pod", "jupyter-ada", namespace.name)
    await spawner.stop()
    assert await spawner.poll() == 0


async def test_a_server_may_be_started_again_at_once_many_times(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    uids = set()
    for _ in range(5):
        spawner = make()
        await spawner.start()
        pod = await pod_of(api, namespace)
        assert pod is not None
        uids.add(pod["metadata"]["uid"])
        await spawner.stop()
    assert len(uids) == 5


async def test_data_outlives_the_server_and_keeps_its_name_when_the_user_is_renamed(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    spawner = make()
    spawner.objects = {**spawner.objects, "05-home": HOME}
    await spawner.start()
    await spawner.stop()
    claim = api.find("v1", "PersistentVolumeClaim", "jupyter-ada", namespace.name)
    assert claim is not None
    assert "ownerReferences" not in claim["metadata"]
    spawner.clear_state()
    renamed = make("countess")
    renamed.objects = spawner.objects
    renamed.load_state(spawner.get_state())
    renamed.clear_state()
    await renamed.start()
    assert await pod_of(api, namespace, "ada") is not None
    assert len(api.list("v1", "PersistentVolumeClaim", namespace.name)) == 1
    await renamed.stop()


async def test_a_users_servers_share_data_and_other_users_are_refused(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    home = HOME.replace("name: {{key}}", "name: home-{{username}}")
    first, second = make(), make(servername="two")
    for spawner in (first, second):
        spawner.objects = {**spawner.objects, "05-home": home}
        await spawner.start()
    (claim,) = api.list("v1", "PersistentVolumeClaim", namespace.name)
    assert claim["metadata"]["name"] == "home-ada"
    thief = make("bob")
    thief.objects = {**thief.objects, "05-home": home.replace("{{username}}", "ada")}
    with pytest.raises(Exception, match=r"PersistentVolumeClaim home-ada .* is not this server's"):
        await thief.start()
    await asyncio.gather(first.stop(), second.stop())
    assert api.find("v1", "PersistentVolumeClaim", "home-ada", namespace.name) is not None


async def test_what_the_original_spawner_started_can_be_polled_and_stopped(
    make: Make, api: KubernetesAPI, clusters: Clusters, namespace: Namespace
) -> None:
    meta = {"name": "jupyter-ada", "labels": {"mcks.hub.jupyter.org/key": "jupyter-ada"}}
    for manifest in (
        {"apiVersion": "v1", "kind": "ServiceAccount"},
        {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 8888}]}},
        {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [PAUSE]}},
    ):
        api.create({**manifest, "metadata": dict(meta)}, namespace.name)
    spawner = make()
    spawner.load_state(
        {
            "key": "jupyter-ada",
            "kubernetes_context": clusters["a"].context,
            "ingress_public_url ": clusters["a"].gateway_url,
            "created_resources": [
                {
                    "apiVersion": "v1",
                    "kind": kind,
                    "metadata": {**meta, "namespace": namespace.name},
                }
                for kind in ("ServiceAccount", "Pod", "Service")
            ],
        }
    )
    assert await spawner.poll() is None
    await spawner.stop()
    await until_empty(clusters, namespace.name)


async def test_a_gateway_that_never_shows_the_server_is_a_failed_start_with_the_reason(
    make: Make, clusters: Clusters, namespace: Namespace
) -> None:
    spawner = make(start_timeout=12)
    objects: dict[str, Any] = {**spawner.objects, "04-ingress": None}
    spawner.objects = objects
    with pytest.raises(Exception, match="gateway does not show it"):
        await spawner.start()
    await until_empty(clusters, namespace.name)


async def test_a_new_hub_finds_a_server_by_its_state_and_can_stop_it(
    make: Make, clusters: Clusters, namespace: Namespace
) -> None:
    first = make()
    url = await first.start()
    saved = first.get_state()
    await fleet_of(first).close()
    second = make()
    second.load_state(saved)
    assert await second.poll() is None
    assert await second.get_url() == url
    assert await second.poll() is None
    await second.stop()
    await until_empty(clusters, namespace.name)


async def test_a_new_hub_learns_that_a_server_is_gone(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    first = make()
    url = await first.start()
    saved = first.get_state()
    await first.stop()
    await fleet_of(first).close()
    second = make()
    second.load_state(saved)
    assert await second.get_url() == url
    assert await second.poll() == 1


async def test_a_new_hub_waits_for_a_gateway_that_is_away(
    make: Make, breakable_clusters: LocalSet
) -> None:
    first = make()
    url = await first.start()
    saved = first.get_state()
    await asyncio.to_thread(breakable_clusters["a"].stop, "envoy")
    second = make()
    second.load_state(saved)
    asked = asyncio.create_task(second.get_url())
    done, _ = await asyncio.wait({asked}, timeout=2)
    assert not done
    await asyncio.to_thread(breakable_clusters["a"].start, "envoy")
    async with asyncio.timeout(60):
        assert await asked == url
    await second.stop()


MISSES = """
    kind: Pod
    metadata: {name: '{{key}}'}
    spec:
      containers:
      - name: notebook
        envFrom: [{configMapRef: {name: tools}}]
"""


async def test_a_pod_that_misses_an_object_fails_at_once_and_says_which(
    make: Make, clusters: Clusters, namespace: Namespace, caplog: pytest.LogCaptureFixture
) -> None:
    spawner = make(start_timeout=120)
    spawner.patches = {**spawner.patches, "20": MISSES}
    with pytest.raises(Exception, match="needs something that its cluster does not have"):
        await spawner.start()
    assert 'configmap "tools" not found' in caplog.text
    await until_empty(clusters, namespace.name)


async def test_a_pod_that_seems_to_miss_an_object_is_waited_for_if_the_object_is_there(
    make: Make, api: KubernetesAPI, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner = make(start_timeout=120)
    spawner.patches = {**spawner.patches, "20": MISSES}
    tools = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tools"}}
    client = (await connection(spawner)).client
    look, looked = client.get, []

    async def late(where: Ref) -> Manifest:
        if where.kind == "ConfigMap":
            looked.append(where.name)
            api.create(tools, namespace.name)  # after the kubelet has missed it
        return await look(where)

    monkeypatch.setattr(client, "get", late)
    await spawner.start()
    assert looked == ["tools"]
    await spawner.stop()
