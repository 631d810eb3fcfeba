"""A real hub, a real proxy, two real clusters: what a user and an administrator rely on."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.cluster.fixtures import Clusters, Namespace
from tests.demo import kernel
from tests.demo.hub import Hub
from tests.hub.hubs import Start, start_server, stop_server
from tests.hub.servers import SERVER_KINDS, objects, until_empty
from tests.peers.original import DASK

pytestmark = pytest.mark.cluster


async def test_two_users_work_in_two_clusters_and_leave_nothing(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    async with start_hub() as hub:
        ada, bob = await asyncio.gather(
            start_server(hub, "ada", "a"), start_server(hub, "bob", "b")
        )
        for said in (ada, bob):
            assert said[-1].get("ready"), (said, hub.log.read_text()[-8000:])
        percents = [line["progress"] for line in ada]
        assert percents == sorted(percents)
        code = "import os; print(os.environ['CLUSTER_NAME'])"
        assert await kernel.run(hub, "ada", code) == "a\n"
        assert await kernel.run(hub, "bob", code) == "b\n"
        assert await objects(clusters, "a", namespace.name) == [
            f"{kind} jupyter-ada" for _, kind in [*SERVER_KINDS, ("v1", "ServiceAccount")]
        ]
        await asyncio.gather(stop_server(hub, "ada"), stop_server(hub, "bob"))
        await until_empty(clusters, namespace.name)


async def test_a_hub_that_crashed_finds_its_servers_again(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    async with start_hub("c.JupyterHub.cleanup_servers = False") as hub:
        await asyncio.gather(start_server(hub, "ada", "a"), start_server(hub, "bob", "b"))

        pods = [
            clusters[name].api.find("v1", "Pod", f"jupyter-{user}", namespace.name)
            for name, user in (("a", "ada"), ("b", "bob"))
        ]
        await hub.kill()
        await hub.start()
        async with asyncio.timeout(60):
            for user in ("ada", "bob"):
                while not await is_ready(hub, user):
                    await asyncio.sleep(0.2)
        for user, name, before in (("ada", "a", pods[0]), ("bob", "b", pods[1])):
            pod = clusters[name].api.find("v1", "Pod", f"jupyter-{user}", namespace.name)
            assert pod is not None
            assert before is not None
            assert pod["metadata"]["uid"] == before["metadata"]["uid"]
            assert await kernel.run(hub, user, "print(6 * 7)") == "42\n"
        await asyncio.gather(stop_server(hub, "ada"), stop_server(hub, "bob"))
        await until_empty(clusters, namespace.name)


async def is_ready(hub: Hub, user: str) -> bool:
    _, model = await hub.request("GET", f"users/{user}")
    return bool(model["servers"].get("", {}).get("ready"))


async def test_a_home_outlives_its_server(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    async with start_hub() as hub:
        await start_server(hub, "ada", "a")
        await kernel.run(hub, "ada", "open('/home/jovyan/note', 'w').write('kept')")
        await stop_server(hub, "ada")
        claim = clusters["a"].api.find("v1", "PersistentVolumeClaim", "jupyter-ada", namespace.name)
        assert claim is not None
        assert "ownerReferences" not in claim["metadata"]
        said = await start_server(hub, "ada", "a")
        assert said[-1].get("ready"), said
        assert await kernel.run(hub, "ada", "print(open('/home/jovyan/note').read())") == "kept\n"


BROKEN_IMAGE = """
c.MultiClusterKubeSpawner.patches["99-broken"] = '''
    kind: Pod
    metadata: {name: "{{key}}"}
    spec:
      containers:
      - {name: notebook, image: "localhost/no-such-image:1"}
'''
"""


async def test_an_image_that_does_not_exist_is_a_plain_sentence_and_leaves_nothing(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    async with start_hub(BROKEN_IMAGE) as hub:
        said = await start_server(hub, "ada", "a")
        assert said[-1]["failed"]
        assert "The image of this server could not be pulled." in said[-1]["message"]
        await until_empty(clusters, namespace.name)
        assert "no-such-image" in hub.log.read_text()


async def test_many_starts_of_an_image_that_does_not_exist_do_not_end_the_hub(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    limit = "c.Spawner.consecutive_failure_limit = 2\n"  # reached by the third user at the latest
    users = [f"user{number}" for number in range(7)]
    async with start_hub(limit + BROKEN_IMAGE) as hub:
        said = await asyncio.gather(*(start_server(hub, user, "a") for user in users))
        assert ["could not be pulled" in lines[-1]["message"] for lines in said] == [True] * 7
        await until_empty(clusters, namespace.name)
        log = hub.log.read_text()
        assert "consecutive spawn" not in log, log[-4000:]


MAY = """
import json, os, ssl, urllib.error, urllib.request
place = "/var/run/secrets/kubernetes.io/serviceaccount/"
token, space = open(place + "token").read(), open(place + "namespace").read()
tls = ssl.create_default_context(cafile=place + "ca.crt")
tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
host = os.environ["KUBERNETES_SERVICE_HOST"]
def ask(method, path, body=None):
    request = urllib.request.Request(f"https://{host}/{path}", method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    try:
        return urllib.request.urlopen(request, context=tls, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code
pods = f"api/v1/namespaces/{space}/pods"
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "worker"},
       "spec": {"containers": [{"name": "c", "image": "localhost/x:1"}]}}
print(json.dumps([ask("POST", pods, pod), ask("GET", pods), ask("DELETE", pods + "/worker"),
    ask("GET", f"api/v1/namespaces/{space}/secrets"), ask("GET", "api/v1/nodes"),
    ask("GET", "api/v1/namespaces/default/pods")]))
"""


async def test_the_dask_example_gives_a_server_its_rights_and_no_more(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    grant_roles(clusters, namespace.name)
    extra = f"c.MultiClusterKubernetesSpawner.objects.update({DASK!r})"
    async with start_hub(extra) as hub:
        said = await start_server(hub, "ada", "a")
        assert said[-1].get("ready"), said
        assert json.loads(await kernel.run(hub, "ada", MAY)) == [201, 200, 200, 403, 403, 403]


async def test_without_the_dask_example_a_server_has_no_rights(start_hub: Start) -> None:
    async with start_hub() as hub:
        await start_server(hub, "ada", "a")
        assert json.loads(await kernel.run(hub, "ada", MAY)) == [403] * 6


def grant_roles(clusters: Clusters, namespace: str) -> None:
    """What docs/how-to/prepare-a-cluster.md says of objects beyond the default ones."""
    group = "rbac.authorization.k8s.io"
    rule = {
        "apiGroups": [group],
        "resources": ["roles", "rolebindings"],
        "verbs": ["create", "delete", "get"],
    }
    meta = {"name": "hub-roles"}
    account = {"kind": "ServiceAccount", "name": "hub", "namespace": "jupyterhub"}
    for cluster in clusters:
        cluster.api.apply(
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
            namespace,
        )
        cluster.api.apply(
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": meta,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": "hub-roles"},
                "subjects": [account],
            },
            namespace,
        )


MISTAKES = """
c.MultiClusterKubeSpawner.clusters.update({
    "typo": {"context": "lokal-a", "ingress_public_url": "http://g"},
    "path": {"context": "local-a", "ingress_public_url": "http://g/path"},
})
c.MultiClusterKubeSpawner.profile_list += [
    {"display_name": "typo", "cluster": "typo"},
    {"display_name": "path", "cluster": "path"},
    {"display_name": "nowhere", "cluster": "aa"},
    {"display_name": "trait", "cluster": "a", "spawner_override": {"mem_limitt": "1G"}},
    {"display_name": "patch", "cluster": "a", "spawner_override": {
        "patches": {"50": "kind: Pod\\nmetadata: {name: {{kee}}}"}}},
]
"""
SHOWN = {
    "typo": "lokal-a",
    "path": "has a path",
    "nowhere": "unknown cluster 'aa'. Did you mean 'a'",
    "trait": "unknown trait 'mem_limitt'. Did you mean 'mem_limit'",
    "patch": "patch '50' at line 2",
}


async def test_a_mistake_in_the_configuration_is_shown_where_servers_start(
    start_hub: Start,
) -> None:
    async with start_hub(MISTAKES) as hub:
        for profile, words in SHOWN.items():
            said = await start_server(hub, "ada", profile)
            assert "configuration has a mistake" in said[-1]["message"], said
            assert words in said[-1]["message"]
        said = await start_server(hub, "ada", "other")
        assert "unknown profile 'other'. Did you mean" in said[-1]["message"]
