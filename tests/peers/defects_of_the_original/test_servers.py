"""What goes wrong with servers of jupyterhub-multicluster-kubespawner does not with mcks."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

import mcks
from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import LIFETIME
from mcks.errors import ConfigError
from tests.cluster.api import KubernetesAPI, condition_of
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.fakes.loopback import event
from tests.fakes.loopback_servers import PODS, TERMINATED, LoopbackHub, pod, start_with, until
from tests.hub.hubs import Start, start_server, stop_server
from tests.hub.servers import SERVER_KINDS, Make, connection, objects, until_empty
from tests.hub.servers import until as until_on_cluster
from tests.peers.defects_of_the_original.common import KEY, notebook, patch, planned, spawner_of

PROBE = """
    kind: Pod
    metadata: {name: "{{key}}"}
    spec:
      containers:
      - name: notebook
        readinessProbe: {httpGet: {path: /healthy, port: 8888}, periodSeconds: 1,
                         failureThreshold: 1}
"""
WATCHED = """
import sys

def tell(event, arguments):
    if event in {"subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.forkpty"}:
        print("starts a process:", *map(str, arguments[:1]), flush=True)

sys.addaudithook(tell)
c.JupyterHub.log_level = "DEBUG"
"""


# -- state ------------------------------------------------------------------------------------


@pytest.mark.cluster
async def test_01_after_a_restart_of_the_hub_a_server_still_has_its_gateways_url(
    make: Make, clusters: Clusters
) -> None:
    """The URL was saved under a key with a space behind it, and read under one without."""
    first = make()
    url = await first.start()
    saved = json.loads(json.dumps(first.get_state()))
    settings = {"context": clusters["a"].context, "ingress_public_url": "http://192.0.2.9"}
    second = make(clusters={"a": settings})
    second.load_state(saved)
    async with asyncio.timeout(60):
        assert await second.get_url() == url
    assert second.get_state() == saved
    await second.stop()


async def test_02_a_server_is_looked_for_in_the_namespace_where_it_was_started(
    loopback_hub: LoopbackHub,
) -> None:
    """The namespace was not saved: after a change of the configuration others were asked."""
    server = loopback_hub.server
    old = f"/api/v1/namespaces/old/pods/{KEY}"
    server.put(f"{PODS}/{KEY}", pod(KEY))
    ended = pod(KEY, **TERMINATED)
    ended["metadata"]["namespace"] = "old"
    server.put(old, ended)
    spawner = loopback_hub.spawner()
    spawner.load_state({"cluster": "a", "namespace": "old", "key": KEY, "url": "http://192.0.2.1"})
    assert spawner.get_state()["namespace"] == "old"
    server.watch_held.set()
    await loopback_hub.watched()
    async with asyncio.timeout(20):
        while old in server.objects:
            assert await spawner.poll() is None
            await asyncio.sleep(0.01)
        server.watch_lines = [event("DELETED", ended)]
        while await spawner.poll() is None:
            await asyncio.sleep(0.01)
    assert await spawner.poll() == 3
    assert f"{PODS}/{KEY}" in server.objects


async def test_03_what_was_saved_of_a_former_server_decides_nothing_about_the_next() -> None:
    """Cluster and key were restored for ever: a profile that named none got the former ones."""
    spawner = spawner_of(
        key_template="new-{{username}}", profile_list=[{"display_name": "says no cluster"}]
    )
    spawner.load_state({"cluster": "b", "namespace": "n", "key": "old-ada", "url": "http://u"})
    spawner.clear_state()
    await spawner.apply_profile({})
    launch = planned(spawner)
    assert (launch.target.url, launch.created.key) == ("http://192.0.2.1", "new-ada")
    spawner.cluster = ""
    with pytest.raises(ConfigError, match="no cluster is chosen"):
        planned(spawner)


@pytest.mark.cluster
async def test_04_the_token_is_in_the_secret_and_nowhere_else(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    """Manifests with the token were in the database, the log, annotations and command lines."""
    async with start_hub(WATCHED) as hub:
        await start_server(hub, "ada", "a")
        api = clusters["a"].api
        secret = api.find("v1", "Secret", KEY, namespace.name)
        assert secret is not None
        token = base64.b64decode(secret["data"]["JUPYTERHUB_API_TOKEN"]).decode()
        assert len(token) > 20
        del secret["data"]
        assert token not in json.dumps(secret)
        for api_version, kind in [*SERVER_KINDS, ("v1", "ServiceAccount"), ("v1", "Event")]:
            if kind != "Secret":
                listed = api.list(api_version, kind, namespace.name)
                assert listed
                assert token not in json.dumps(listed)
        _, model = await hub.request("GET", "users/ada?include_stopped_servers")
        assert token not in json.dumps(model)
        await stop_server(hub, "ada")
        log = hub.log.read_text()
        assert token not in log
        (proxy,) = [line for line in log.splitlines() if line.startswith("starts a process:")]
        assert proxy.endswith("/node")  # no kubectl, no cloud's command


# -- poll -------------------------------------------------------------------------------------


async def test_05_a_poll_is_a_look_into_memory(loopback_hub: LoopbackHub) -> None:
    """Each poll of each server ran kubectl and a credential plugin, and could block for 30 s."""
    spawners = [loopback_hub.running(f"u{n}") for n in range(50)]

    def polled() -> Iterator[int | None]:
        for spawner in spawners:
            with pytest.raises(StopIteration) as done:
                spawner.poll().send(None)  # it ends without ever having waited
            yield done.value.value

    assert set(polled()) == {None}
    assert loopback_hub.server.seen == []
    await loopback_hub.watched()
    asked = len(loopback_hub.server.seen)
    assert set(polled()) == {None}
    await asyncio.sleep(0)
    assert len(loopback_hub.server.seen) == asked


@pytest.mark.cluster
async def test_06_a_server_that_is_unready_or_out_of_sight_counts_as_running(
    make: Make, breakable_clusters: LocalSet, api: KubernetesAPI, namespace: Namespace
) -> None:
    """Not ready for a moment, or an API server that was away, meant dead: pods were orphaned."""
    spawner = make()
    spawner.patches = {**spawner.patches, "20-probe": PROBE}
    url = await spawner.start()

    async def is_unready() -> bool:
        found = await asyncio.to_thread(api.get, "v1", "Pod", KEY, namespace.name)
        return not condition_of(found, "Ready")

    sick = URL(f"{url}{spawner.proxy_spec}sick")
    answer = await (await connection(spawner)).http.ask(sick, {}, within=30.0)
    assert answer.status == 200
    await until_on_cluster(is_unready)
    assert await spawner.poll() is None
    saved = spawner.get_state()
    await asyncio.to_thread(breakable_clusters["a"].stop, "apiserver")
    assert await spawner.poll() is None
    await fleet_of(spawner).close()
    second = make()
    second.load_state(saved)
    asked = asyncio.create_task(second.get_url())
    done, _ = await asyncio.wait({asked}, timeout=2)
    assert not done
    assert await second.poll() is None
    await asyncio.to_thread(breakable_clusters["a"].start, "apiserver")
    async with asyncio.timeout(90):
        assert await asked == url
    assert await second.poll() is None
    await second.stop()
    assert api.find("v1", "Pod", KEY, namespace.name) is None


@pytest.mark.cluster
async def test_07_a_server_that_ended_has_its_own_exit_code_once_it_is_cleared_away(
    make: Make, clusters: Clusters, namespace: Namespace
) -> None:
    """The exit code was kubectl's."""
    spawner = make()
    spawner.patches = {**spawner.patches, "20": patch("Pod", "spec: {restartPolicy: Never}")}
    url = await spawner.start()
    http = (await connection(spawner)).http
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        answer = await http.ask(URL(f"{url}{spawner.proxy_spec}exit"), {}, within=30.0)
        assert answer.status >= 500

    async def ended() -> bool:
        return await spawner.poll() is not None

    await until_on_cluster(ended)
    assert await spawner.poll() == 3
    assert not await objects(clusters, "a", namespace.name)


# -- start and stop ---------------------------------------------------------------------------


@pytest.mark.cluster
async def test_08_a_server_that_never_gets_ready_is_not_reported_as_started(
    make: Make, clusters: Clusters, namespace: Namespace
) -> None:
    """Whether the pod had become ready was asked, and the answer ignored."""
    spawner = make(start_timeout=8)
    never = PROBE.replace("8888", "1")
    spawner.patches = {**spawner.patches, "20-probe": never}
    with pytest.raises(Exception, match="runs, but its cluster's gateway does not show it"):
        await spawner.start()
    assert await spawner.poll() == 0
    await until_empty(clusters, namespace.name)


def tasks_of_mcks() -> set[asyncio.Task[Any]]:
    """The tasks of this loop that run functions of mcks; others are the loopback server's."""
    place = str(Path(mcks.__file__).parent)
    codes = {task: getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()}
    return {task for task, code in codes.items() if code and code.co_filename.startswith(place)}


def commands_below() -> set[str]:
    """What this process has started and what still runs."""
    children = Path("/proc/thread-self/children").read_text().split()
    return {Path(f"/proc/{child}/cmdline").read_text() for child in children}


@pytest.mark.slow
async def test_09_a_start_gives_up_before_the_hub_does_and_leaves_no_work_behind(
    loopback_hub: LoopbackHub,
) -> None:
    """It waited as long as the hub: no error of its own, and kubectl was left running."""
    await loopback_hub.watched()
    before, others = tasks_of_mcks(), commands_below()
    told = asyncio.create_task(start_with(loopback_hub, {}, start_timeout=4))
    await until(lambda: ("POST", PODS) in loopback_hub.server.seen)
    await until(lambda: ("DELETE", f"{PODS}/{KEY}") in loopback_hub.server.seen, seconds=4)
    assert "found no place for your server in time" in await told
    await until(lambda: tasks_of_mcks() <= before)
    assert not [command for command in commands_below() - others if "kubectl" in command]


@pytest.mark.cluster
async def test_10_a_start_that_fails_halfway_leaves_nothing_in_the_way_of_the_next(
    make: Make, clusters: Clusters, namespace: Namespace, caplog: pytest.LogCaptureFixture
) -> None:
    """What had been applied stayed, and the next start met a pod that cannot be changed."""
    spawner = make()
    patches = spawner.patches
    spawner.patches = {**patches, "20": patch("Service", "spec: {type: Nonsense}")}
    with pytest.raises(Exception, match="refused to start your server"):
        await spawner.start()
    spawner.patches = {**patches, "20": patch("Ingress", "spec: {rules: [{host: No_Host}]}")}
    with pytest.raises(Exception, match="refused to start your server"):
        await spawner.start()
    assert "Nonsense" in caplog.text
    assert "No_Host" in caplog.text
    await until_empty(clusters, namespace.name)
    spawner.patches = {**patches, "20": notebook("env: [{name: OTHER, value: pod}]")}
    await spawner.start()
    await spawner.stop()


@pytest.mark.cluster
async def test_11_a_stop_does_not_mind_what_is_gone_already(
    make: Make, api: KubernetesAPI, clusters: Clusters, namespace: Namespace
) -> None:
    """One object that somebody had deleted made the stop fail; it knew no grace and no ``now``."""
    spawner = make()
    grace = patch("Pod", "spec: {terminationGracePeriodSeconds: 3}")
    spawner.patches = {**spawner.patches, "20": grace}
    await spawner.start()
    running = api.get("v1", "Pod", KEY, namespace.name)
    assert running["spec"]["terminationGracePeriodSeconds"] == 3
    for api_version, kind in SERVER_KINDS:
        if kind != "Pod":
            api.delete(api_version, kind, KEY, namespace.name)
    async with asyncio.timeout(60):
        await spawner.stop(now=True)
    assert await spawner.poll() == 0
    await until_empty(clusters, namespace.name)


async def test_12_no_namespace_is_made_and_what_a_template_makes_goes_with_the_server(
    loopback_hub: LoopbackHub,
) -> None:
    """Each user got a namespace that nobody removed."""
    own = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: '{}', annotations: {{{}: {}}}}}"
    templates = {
        "05-own": own.format("{{key}}", LIFETIME, "server"),
        "06-kept": own.format("team", LIFETIME, "keep"),
    }
    spawner = loopback_hub.spawner()
    assert "Namespace" not in {m["kind"] for m in planned(spawner).objects}
    await start_with(loopback_hub, TERMINATED, objects={**spawner.objects, **templates})
    namespaces = [path for path in loopback_hub.server.objects if path.startswith("/api/v1/namesp")]
    assert [path for path in namespaces if path.count("/") == 4] == ["/api/v1/namespaces/team"]
    assert ("POST", "/api/v1/namespaces") in loopback_hub.server.seen


# -- the server in its cluster ------------------------------------------------------------------


@pytest.mark.cluster
async def test_23_a_servers_account_has_no_rights_and_its_token_can_be_left_out(
    make: Make, api: KubernetesAPI, namespace: Namespace
) -> None:
    """Each pod had an identity in the cluster, and nothing said so or switched it off."""
    spawner = make()
    off = patch("Pod", "spec: {automountServiceAccountToken: false}")
    spawner.patches = {**spawner.patches, "20": off}
    await spawner.start()
    running = api.get("v1", "Pod", KEY, namespace.name)
    assert "serviceAccountToken" not in json.dumps(running["spec"])
    user = f"system:serviceaccount:{namespace.name}:{running['spec']['serviceAccountName']}"
    for verb, resource in (("get", "secrets"), ("list", "pods"), ("create", "pods")):
        asked = {"namespace": namespace.name, "verb": verb, "resource": resource}
        answer = api.request(
            "POST",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {"spec": {"user": user, "resourceAttributes": asked}},
        )
        assert not answer["status"]["allowed"], (verb, resource)
    await spawner.stop()


@pytest.mark.cluster
async def test_24_a_server_is_reached_whatever_its_users_name_is(make: Make) -> None:
    """A percent-encoded path in the Ingress did not match with every controller."""
    odd = ["ada lovelace", "åsa@example.org", "o'brien+1", "50%", "a;b,c=d:e&f!(g)", "a\\b"]
    spawners = [make(user) for user in odd]
    async with asyncio.timeout(120):
        await asyncio.gather(*(spawner.start() for spawner in spawners))
    await asyncio.gather(*(spawner.stop() for spawner in spawners))
