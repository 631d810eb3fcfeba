"""ClusterClient against a real API server, as the hub's ServiceAccount with the least Role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import yaml

from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.core.api.client import ClusterClient
from mcks.core.objects import Manifest, Ref, Selector
from mcks.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from tests.backends.reading import client_of
from tests.cluster.fixtures import Clusters, Namespace
from tests.hub.servers import until

pytestmark = pytest.mark.cluster


@pytest.fixture
def backend(clusters: Clusters, namespace: Namespace) -> GenericKubeconfigBackend:
    config = yaml.safe_load(namespace.kubeconfig.read_text())
    return GenericKubeconfigBackend(
        cluster_name="real",
        kubeconfig=str(namespace.kubeconfig),
        context=config["contexts"][0]["name"],
    )


@pytest.fixture
async def client(backend: GenericKubeconfigBackend) -> AsyncIterator[ClusterClient]:
    client = await client_of(backend)
    yield client
    await client.close()
    await backend.close()


def secret(namespace: Namespace, name: str = "s", **more: object) -> Manifest:
    meta = {"name": name, "namespace": namespace.name, "labels": {"key": "k"}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta,
        "stringData": {"x": "hidden"},
    } | more


def ref_of(manifest: Manifest) -> Ref:
    meta = manifest["metadata"]
    return Ref(manifest["apiVersion"], manifest["kind"], meta["name"], meta["namespace"])


async def test_the_context_names_the_namespace(
    backend: GenericKubeconfigBackend, namespace: Namespace
) -> None:
    assert backend.namespace_hint() == namespace.name
    assert backend.problems() == []


async def test_an_object_lives_and_goes(client: ClusterClient, namespace: Namespace) -> None:
    made = (await client.create(secret(namespace))).json()
    where = ref_of(made)
    with pytest.raises(Conflict, match="already exists"):
        await client.create(secret(namespace))
    owner = {"apiVersion": "v1", "kind": "Secret", "name": "s", "uid": made["metadata"]["uid"]}
    patched = (await client.patch(where, {"metadata": {"ownerReferences": [owner]}})).json()
    assert patched["metadata"]["ownerReferences"] == [owner]
    assert await client.delete(where, uid="00000000-0000-0000-0000-000000000000") is False
    assert await client.delete(where, uid=made["metadata"]["uid"]) is True
    assert await client.delete(where) is False
    with pytest.raises(NotFound):
        await client.get(where)


async def test_unknown_fields_are_refused_by_name(
    client: ClusterClient, namespace: Namespace
) -> None:
    with pytest.raises(Invalid, match='unknown field "stringDta"'):
        await client.create(secret(namespace, stringDta={"x": "hidden"}))
    with pytest.raises(Invalid, match=r"data\[a b\]") as failure:
        await client.create(secret(namespace, stringData={"a b": "hidden"}))
    assert "hidden" not in str(failure.value)


async def test_a_dry_run_leaves_nothing(client: ClusterClient, namespace: Namespace) -> None:
    made = (await client.create(secret(namespace), dry_run=True)).json()
    with pytest.raises(NotFound):
        await client.get(ref_of(made))


async def test_what_the_role_does_not_say_is_forbidden(
    client: ClusterClient, namespace: Namespace
) -> None:
    with pytest.raises(Forbidden, match="cannot list resource"):
        await client.list(Selector("v1", "Secret", "kube-system"))
    assert await client.review("create", resource="pods", namespace=namespace.name)
    assert not await client.review("create", resource="pods", namespace="kube-system")
    assert (await client.whoami()).startswith("system:serviceaccount:")


def pod(namespace: Namespace, name: str) -> Manifest:
    meta = {"name": name, "namespace": namespace.name, "labels": {"key": name}}
    spec = {
        "nodeName": "no-such-node",
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "c", "image": "example.test/none"}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


async def test_a_list_in_pieces_leads_into_a_watch(
    client: ClusterClient, namespace: Namespace
) -> None:
    for number in range(3):
        await client.create(pod(namespace, f"p{number}"))
    selection = Selector("v1", "Pod", namespace.name)
    items, version = await client.list(selection, limit=2)
    assert [item["metadata"]["name"] for item in items] == ["p0", "p1", "p2"]
    assert items[0]["kind"] == "Pod"
    only, _ = await client.list(selection, metadata_only=True)
    assert "spec" not in only[0]
    await client.create(pod(namespace, "late"))
    events = [event async for event in client.watch(selection, version, timeout=2)]
    # Whether a bookmark comes, too, is the server's decision.
    assert (events[0].type, events[0].object["metadata"]["name"]) == ("ADDED", "late")
    assert {event.type for event in events[1:]} <= {"BOOKMARK"}
    selected, _ = await client.list(Selector("v1", "Pod", namespace.name, "key=p1"))
    assert [item["metadata"]["name"] for item in selected] == ["p1"]


async def test_a_watch_from_the_distant_past_is_gone(
    client: ClusterClient, clusters: Clusters, namespace: Namespace
) -> None:
    """An API server that began just now may know its own kinds' past, but not that of others."""
    group = "gateway.networking.k8s.io"
    rule = {"apiGroups": [group], "resources": ["httproutes"], "verbs": ["watch"]}
    await asyncio.to_thread(clusters.prepare_namespace, namespace.name, [rule])
    routes = Selector(f"{group}/v1", "HTTPRoute", namespace.name)

    async def permitted() -> bool:
        try:
            async for _ in client.watch(routes, "1", timeout=2):
                pass
        except Forbidden:
            return False  # the API server learns of the rule in a moment
        return True

    with pytest.raises(Gone):
        await until(permitted)


async def test_a_watch_can_be_left(client: ClusterClient, namespace: Namespace) -> None:
    selection = Selector("v1", "Pod", namespace.name)
    _, version = await client.list(selection)
    async with asyncio.timeout(10), aclosing(client.watch(selection, version)) as events:
        await client.create(pod(namespace, "one"))
        async for event in events:
            assert event.type == "ADDED"
            break


async def test_a_refused_token_is_read_again_and_nobody_notices(
    namespace: Namespace, tmp_path: Path
) -> None:
    config = yaml.safe_load(namespace.kubeconfig.read_text())
    good = config["users"][0]["user"]["token"]
    file = tmp_path / "token"
    file.write_text("revoked")
    config["users"][0]["user"] = {"tokenFile": str(file)}
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    backend = GenericKubeconfigBackend(
        cluster_name="real", kubeconfig=str(path), context=config["contexts"][0]["name"]
    )
    client = await client_of(backend)
    file.write_text(good)
    assert await client.whoami()
    assert client.requests == 2, "refused once, repeated once"
    await client.close()
    await backend.close()


async def test_discovery_finds_kinds_that_are_not_built_in(client: ClusterClient) -> None:
    assert await client.namespaced("projectcontour.io/v1", "HTTPProxy")
    with pytest.raises(NotFound, match="custom resource definitions"):
        await client.namespaced("example.test/v1", "Nothing")
