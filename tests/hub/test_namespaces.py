"""A namespace for each user: made with the first server, deleted with the user."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import pytest

from mcks.core.labels import KEY_LABEL
from mcks.core.trying import hub_role
from tests.cluster.access import HUB_ACCOUNT, HUB_NAMESPACE
from tests.cluster.api import KubernetesAPI
from tests.hub.servers import HOME, Make, connection, until

pytestmark = [pytest.mark.cluster, pytest.mark.alone]  # the hub has more rights here


@pytest.fixture
def prefix(api: KubernetesAPI) -> Iterator[str]:
    """The hub may make namespaces; those that begin like this are taken away afterwards."""
    name = f"test-{secrets.token_hex(4)}"
    subject = {"kind": "ServiceAccount", "name": HUB_ACCOUNT, "namespace": HUB_NAMESPACE}
    granted = hub_role.role_and_binding(name, None, subject)
    try:
        for manifest in granted:
            api.apply(manifest)
        yield name
    finally:
        for namespace in api.list("v1", "Namespace"):
            if namespace["metadata"]["name"].startswith(name):
                api.delete("v1", "Namespace", namespace["metadata"]["name"])
        for manifest in granted:
            api.delete(manifest["apiVersion"], manifest["kind"], name)


async def test_each_user_has_a_namespace_that_goes_with_them(
    make: Make, api: KubernetesAPI, prefix: str
) -> None:
    async def gone(name: str) -> bool:
        found = await asyncio.to_thread(api.find, "v1", "Namespace", name)
        return found is None or "deletionTimestamp" in found["metadata"]

    ada, two, bob = make(), make(servername="two"), make("bob")
    for spawner in (ada, two, bob):
        entry = {**spawner.clusters["a"], "namespace": f"{prefix}-{{{{username}}}}"}
        spawner.clusters = {"a": entry}
        spawner.objects = {**spawner.objects, "05-home": HOME}
        await spawner.start()
        assert await spawner.poll() is None
    namespace, bobs = f"{prefix}-ada", f"{prefix}-bob"
    pods = {p["metadata"]["name"]: p["metadata"]["namespace"] for p in api.list("v1", "Pod")}
    assert pods["jupyter-ada"] == pods["jupyter-ada--two"] == namespace
    assert pods["jupyter-bob"] == bobs
    at_a = await connection(ada)
    assert at_a.namespace is None
    seen = [p["metadata"]["namespace"] for p in at_a.pods_of(None).values()]
    assert sorted(n for n in seen if n.startswith(prefix)) == [namespace, namespace, bobs]

    for spawner in (ada, two, bob):
        await spawner.stop()
        assert await spawner.poll() == 0
    renamed = make("countess")
    renamed.clusters, renamed.objects = ada.clusters, ada.objects
    renamed.load_state(ada.get_state())
    await renamed.start()
    assert api.find("v1", "Pod", "jupyter-ada", namespace) is not None
    await renamed.stop()

    assert KEY_LABEL in api.get("v1", "Namespace", namespace)["metadata"]["labels"]
    await two.delete_forever()
    assert not await gone(namespace)
    await renamed.delete_forever()
    await until(lambda: gone(namespace))
    assert not await gone(bobs)
