"""ClusterProfiles are read from a cluster each time the hub asks; what cannot be used is told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import mcks
from mcks.errors import ConfigError, MCKSError
from tests.fakes.loopback import FakeAPIServer, status
from tests.fakes.loopback_servers import LoopbackHub

GROUP = "/apis/multicluster.x-k8s.io/v1alpha1"
RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "multicluster.x-k8s.io/v1alpha1",
    "resources": [{"name": "clusterprofiles", "kind": "ClusterProfile", "namespaced": True}],
}


def put(server: FakeAPIServer, name: str, namespace: str = "ns", **more: Any) -> None:
    """Let a cluster manager write a profile of a cluster of Google's."""
    said = {"name": "google", "cluster": {"server": f"https://{name}.example.org"}}
    profile = {
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": "ClusterProfile",
        "metadata": {"name": name, "namespace": namespace, "labels": {"site": name}},
        "spec": {"clusterManager": {"name": "ours"}},
        "status": {"accessProviders": [said]} | more,
    }
    server.put(f"{GROUP}/namespaces/{namespace}/clusterprofiles/{name}", profile)


@pytest.fixture
def server(loopback_hub: LoopbackHub) -> FakeAPIServer:
    loopback_hub.server.objects[GROUP] = RESOURCES
    return loopback_hub.server


HERE = {"context": "loopback"}


async def test_each_call_reads_what_there_is_now_in_the_contexts_namespace(
    server: FakeAPIServer,
) -> None:
    named = mcks.cluster_profiles(cluster=HERE, settings={"ingress_public_url": "https://gw"})
    put(server, "one")
    put(server, "elsewhere", "other")
    found = await named()
    assert list(found) == ["one"]
    assert found["one"]["ingress_public_url"] == "https://gw"
    assert found["one"]["backend"] == "generic-kubeconfig"
    put(server, "two")
    assert sorted(await named()) == ["one", "two"]
    assert list(await mcks.cluster_profiles("other", cluster=HERE)()) == ["elsewhere"]


async def test_the_selector_is_the_api_servers_affair(server: FakeAPIServer) -> None:
    put(server, "one")
    await mcks.cluster_profiles(selector="site=one", cluster=HERE)()
    assert {q.get("labelSelector") for q in server.queries} == {None, "site=one"}


async def test_settings_may_be_made_for_each_cluster_or_leave_it_out(
    server: FakeAPIServer,
) -> None:
    def settings(profile: Any) -> Any:
        name = profile["metadata"]["name"]
        return None if name == "two" else {"ingress_public_url": f"https://{name}.gw"}

    for name in ("one", "two", "three"):
        put(server, name)
    found = await mcks.cluster_profiles(cluster=HERE, settings=settings)()
    assert {name: entry["ingress_public_url"] for name, entry in found.items()} == {
        "one": "https://one.gw",
        "three": "https://three.gw",
    }


async def test_a_backend_in_the_settings_takes_the_place_of_the_profiles_way_in(
    server: FakeAPIServer,
) -> None:
    put(server, "one", accessProviders=[])
    settings = {"backend": "gke", "cluster": "one"}
    assert await mcks.cluster_profiles(cluster=HERE, settings=settings)() == {"one": settings}


async def test_a_cluster_that_its_manager_calls_unhealthy_takes_no_new_servers(
    server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    sick = {"type": "ControlPlaneHealthy", "status": "False", "message": "etcd is away"}
    put(server, "sick", conditions=[sick])
    named = mcks.cluster_profiles(cluster=HERE)
    for _ in range(2):
        assert (await named())["sick"]["drain"] == "It is not healthy at the moment."
    told = "Cluster 'sick' takes no new servers: its manager says that it is not healthy: etcd is"
    assert caplog.text.count(told) == 1
    own = mcks.cluster_profiles(cluster=HERE, settings={"drain": False})
    assert (await own())["sick"]["drain"] is False
    put(server, "sick", conditions=[{**sick, "status": "True"}])
    assert "drain" not in (await named())["sick"]


async def test_what_cannot_be_used_is_left_out_and_told_once(
    server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    put(server, "good")
    put(server, "strange", accessProviders=[{"name": "x", "cluster": {"server": "https://x"}}])
    named = mcks.cluster_profiles(cluster=HERE)
    for _ in range(2):
        assert list(await named()) == ["good"]
    told = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    (sentence,) = told
    assert sentence == (
        "The cluster of ClusterProfile 'strange' is left out: its access providers are x, and the "
        "hub knows google, aws, azure: say in providers by which program it logs in"
    )
    put(server, "strange")
    assert sorted(await named()) == ["good", "strange"]


async def test_settings_of_another_kind_leave_the_cluster_out(
    server: FakeAPIServer, caplog: pytest.LogCaptureFixture
) -> None:
    put(server, "one")
    assert await mcks.cluster_profiles(cluster=HERE, settings=lambda _: "x")() == {}
    assert "settings give str for it: they must give a dict" in caplog.text


async def test_a_cluster_without_the_api_and_one_that_refuses_are_told(
    loopback_hub: LoopbackHub,
) -> None:
    with pytest.raises(ConfigError, match=r"knows no ClusterProfile of multicluster\.x-k8s"):
        await mcks.cluster_profiles(cluster=HERE)()
    loopback_hub.server.objects[GROUP] = RESOURCES
    loopback_hub.server.answer_next(status(403, "Forbidden", "clusterprofiles is forbidden"))
    with pytest.raises(MCKSError, match="clusterprofiles is forbidden"):
        await mcks.cluster_profiles(cluster=HERE)()


def test_a_mistake_in_the_providers_is_told_when_the_configuration_is_read() -> None:
    with pytest.raises(ConfigError, match="has no name"):
        mcks.cluster_profiles(providers=[{"execConfig": {"command": "/bin/x"}}])
