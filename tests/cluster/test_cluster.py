"""The local clusters do what real ones do; each test brings its own namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from mcks.core.trying.hub_role import Needs, hub_role_rules
from tests.cluster import access, local_set, network, workloads
from tests.cluster.api import APIAnswer, KubernetesAPI
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet

pytestmark = pytest.mark.cluster

Fetch = Callable[[str], Awaitable[Any]]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def _eventually(browser: aiohttp.ClientSession, url: str, seconds: float = 20.0) -> Any:
    """The JSON at the URL, once it answers 200."""
    async with asyncio.timeout(seconds):
        while True:
            async with browser.get(url) as response:
                if response.status == 200:
                    return await response.json(content_type=None)
            await asyncio.sleep(0.05)


def _prefix(namespace: Namespace) -> str:
    return f"/{namespace.name}/"  # the gateway is one for all namespaces


def _hub(cluster: LocalCluster) -> KubernetesAPI:
    return cluster.hub_api(access.token(cluster.api))


@pytest.mark.parametrize("route", [workloads.ingress, workloads.http_route])
@pytest.mark.parametrize("name", ["a", "b"])
async def test_a_pod_is_reached_through_the_gateway_and_by_websocket(
    local_clusters: LocalSet,
    namespace: Namespace,
    browser: aiohttp.ClientSession,
    name: str,
    route: Callable[[str, str], dict[str, Any]],
) -> None:
    cluster, prefix = local_clusters[name], _prefix(namespace)
    await asyncio.to_thread(
        workloads.serve, cluster, namespace.name, "server", route("server", prefix)
    )

    page = await _eventually(browser, f"{cluster.gateway_url}{prefix}page")
    async with browser.ws_connect(f"{cluster.gateway_url}{prefix}ws") as socket:
        await socket.send_str("hello")
        echo = await socket.receive_str()

    assert page == {"path": f"{prefix}page", "uid": 1000, "cluster": name, "note": None}
    assert echo == "echo hello"


async def test_a_pod_adds_no_link_to_this_machine(
    local_clusters: LocalSet, namespace: Namespace
) -> None:
    """A browser on it would drop what it is loading."""
    admin, before = local_clusters["a"].admin(), network.links()
    await admin.create(workloads.server_pod("server", "a"), namespace.name)
    await admin.wait_pod_ready("server", namespace.name)

    assert network.links() == before


async def test_what_a_pod_wrote_into_its_claim_is_there_for_the_next_pod(
    local_clusters: LocalSet, namespace: Namespace, browser: aiohttp.ClientSession
) -> None:
    cluster = local_clusters["a"]
    admin, place = cluster.admin(), namespace.name
    url = f"{cluster.gateway_url}{_prefix(namespace)}"
    await admin.create(workloads.claim("home"), place)
    await admin.create(workloads.service("server"), place)
    await admin.create(workloads.ingress("server", _prefix(namespace)), place)
    pod = workloads.server_pod("server", "a", claim="home")
    await admin.create(pod, place)
    await admin.wait_pod_ready("server", place)
    await _eventually(browser, url)
    async with browser.put(url, data="remember") as response:
        assert response.status == 200

    await admin.delete("v1", "Pod", "server", place)
    await admin.wait_gone("v1", "Pod", "server", place)
    await admin.create(pod, place)
    await admin.wait_pod_ready("server", place)

    assert (await _eventually(browser, url))["note"] == "remember"


async def test_a_volume_can_be_claimed_again_after_its_claim_is_gone(
    breakable_clusters: LocalSet, namespace: Namespace
) -> None:
    cluster = breakable_clusters["b"]

    def bound() -> list[str]:
        volumes = cluster.api.list("v1", "PersistentVolume")
        return [v["metadata"]["name"] for v in volumes if v["status"]["phase"] != "Available"]

    cluster.api.create(workloads.claim("home"), namespace.name)
    cluster.api.wait("the claim is bound", lambda: bool(bound()))
    cluster.api.delete("v1", "PersistentVolumeClaim", "home", namespace.name)
    cluster.api.wait_gone("v1", "PersistentVolumeClaim", "home", namespace.name)
    cluster.refill_storage()

    cluster.api.wait("all volumes are free", lambda: not bound())


async def test_the_hub_may_do_nothing_outside_its_namespaces(
    local_clusters: LocalSet, namespace: Namespace
) -> None:
    for cluster in local_clusters:
        hub = _hub(cluster)
        assert hub.list("v1", "Pod", namespace.name) == []
        more = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "more"}}
        for refused in (
            partial(hub.list, "v1", "Pod", "kube-system"),
            partial(hub.list, "v1", "Pod"),
            partial(hub.list, "v1", "Node"),
            partial(hub.delete, "v1", "Namespace", namespace.name),
            partial(hub.create, more),
        ):
            with pytest.raises(APIAnswer) as caught:
                refused()
            assert caught.value.status == 403


async def test_the_hub_may_do_in_its_namespace_what_the_role_says_and_nothing_else(
    local_clusters: LocalSet, namespace: Namespace
) -> None:
    hub = _hub(local_clusters["a"])
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace.name},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    granted = hub.request("POST", path, review)["status"]["resourceRules"]

    def pairs(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
        return {
            (group, resource, verb)
            for rule in rules
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    reviews = {"authentication.k8s.io", "authorization.k8s.io"}  # what everyone may ask
    own = {pair for pair in pairs(granted) if pair[0] not in reviews}
    assert own == pairs(hub_role_rules(Needs(isolates=True)))


async def test_pods_go_on_serving_while_the_api_server_is_away(
    breakable_clusters: LocalSet, namespace: Namespace, browser: aiohttp.ClientSession
) -> None:
    cluster, place = breakable_clusters["a"], namespace.name
    url = f"{cluster.gateway_url}{_prefix(namespace)}"
    route = workloads.ingress("server", _prefix(namespace))
    await asyncio.to_thread(workloads.serve, cluster, place, "server", route)
    await _eventually(browser, url)
    before = cluster.api.get("v1", "Pod", "server", place)["status"]["containerStatuses"]

    await asyncio.to_thread(cluster.stop, "apiserver", kill=True)
    assert cluster.stopped() == ["apiserver"]
    assert not cluster.api.ready()
    during = [(await browser.get(url)).status for _ in range(20)]
    await asyncio.to_thread(cluster.start, "apiserver")

    after = cluster.api.get("v1", "Pod", "server", place)["status"]["containerStatuses"]
    assert during == [200] * 20
    assert after == before


async def test_new_pods_start_soon_after_an_outage_of_etcd(
    breakable_clusters: LocalSet, namespace: Namespace
) -> None:
    cluster, place = breakable_clusters["b"], namespace.name
    await asyncio.to_thread(cluster.stop, "etcd", kill=True)
    await asyncio.to_thread(cluster.start, "etcd", reconnect=True)

    cluster.api.create(workloads.server_pod("late", "b"), place)

    await cluster.admin().wait_pod_ready("late", place, 20.0)


async def test_a_route_made_while_contour_is_away_works_when_it_is_back(
    breakable_clusters: LocalSet, namespace: Namespace, browser: aiohttp.ClientSession
) -> None:
    cluster, place = breakable_clusters["b"], namespace.name
    await asyncio.to_thread(cluster.stop, "contour")
    route = workloads.http_route("server", _prefix(namespace))
    await asyncio.to_thread(workloads.serve, cluster, place, "server", route)
    url = f"{cluster.gateway_url}{_prefix(namespace)}"
    async with browser.get(url) as response:
        assert response.status == 404

    await asyncio.to_thread(cluster.start, "contour")

    assert (await _eventually(browser, url))["cluster"] == "b"


async def test_the_api_server_takes_extra_flags_and_loses_them_again(
    breakable_clusters: LocalSet,
) -> None:
    cluster = breakable_clusters["a"]
    await asyncio.to_thread(cluster.restart_apiserver, ["--anonymous-auth=false"])
    anonymous = cluster.hub_api("")
    with pytest.raises(APIAnswer) as refused:
        anonymous.request("GET", "/version")

    await asyncio.to_thread(cluster.restore)

    assert refused.value.status == 401
    assert anonymous.request("GET", "/version")["gitVersion"].startswith("v1.")


_REACH = """
import os, socket, ssl, urllib.request
def reaches(address, port):
    try:
        socket.create_connection((address, int(port)), 3).close()
    except OSError:
        return False
    return True
for name in ("OWN", "OTHER", "HOST"):
    print(name, reaches(*os.environ[name].split(":")))
place = "/var/run/secrets/kubernetes.io/serviceaccount/"
trust = ssl.create_default_context(cafile=place + "ca.crt")
api = "https://" + os.environ["KUBERNETES_SERVICE_HOST"]
with urllib.request.urlopen(api + "/version", context=trust) as answer:
    print("API", answer.status == 200)
"""


async def test_a_pod_reaches_its_cluster_and_this_machine_but_not_the_other_cluster(
    local_clusters: LocalSet, namespace: Namespace
) -> None:
    place = namespace.name
    addresses = {}
    for cluster in local_clusters:
        cluster.api.create(workloads.server_pod("server", cluster.name), place)
    for cluster in local_clusters:
        ready = await cluster.admin().wait_pod_ready("server", place)
        addresses[cluster.name] = f"{ready['status']['podIP']}:{workloads.PORT}"
    cluster = local_clusters["a"]
    pod = workloads.python_pod("probe", _REACH, "a")
    pod["spec"]["restartPolicy"] = "Never"
    pod["spec"]["containers"][0]["env"] += [
        {"name": "OWN", "value": addresses["a"]},
        {"name": "OTHER", "value": addresses["b"]},
        {"name": "HOST", "value": f"{cluster.bridge_ip}:{cluster.state.ports['apiserver']}"},
    ]
    cluster.api.create(pod, place)

    def ended() -> bool:
        phase = cluster.api.get("v1", "Pod", "probe", place)["status"].get("phase")
        return phase in {"Succeeded", "Failed"}

    await asyncio.to_thread(cluster.api.wait, "the probe ended", ended)

    printed = cluster.api.logs("probe", place).split("\n")
    assert printed[:4] == ["OWN True", "OTHER False", "HOST True", "API True"]


def test_a_set_that_runs_is_taken_as_it_is(local_clusters: LocalSet) -> None:
    before = {cluster.name: cluster.daemons.running("apiserver") for cluster in local_clusters}

    again = local_set.up(local_clusters.state.set_name, keep=False)

    assert {c.name: c.daemons.running("apiserver") for c in again} == before
    assert None not in before.values()
