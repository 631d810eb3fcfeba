"""Packages and hooks of KubeSpawner's hubs on a real hub, with its proxy, on a real cluster."""

from __future__ import annotations

import sys

import aiohttp
import pytest
import yarl

from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.demo.hub import Hub
from tests.hub.hubs import Start, expect_stopped, start_server, stop_server
from tests.hub.servers import pod_of, until, until_empty

pytestmark = pytest.mark.cluster

CULLER = f"""
c.JupyterHub.load_roles.append(
    {{
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }}
)
c.JupyterHub.services.append(
    {{
        "name": "idle-culler",
        "command": [
            {sys.executable!r}, "-m", "jupyterhub_idle_culler", "--timeout=5", "--cull-every=1"
        ],
    }}
)
"""


async def test_the_idle_culler_ends_a_server_and_nothing_of_it_is_left(
    start_hub: Start, clusters: Clusters, namespace: Namespace
) -> None:
    async with start_hub(CULLER) as hub:
        lines = await start_server(hub, "ada", "a")
        assert lines[-1].get("ready"), lines[-1]
        await expect_stopped(hub, "ada")
        await until_empty(clusters, namespace.name)
        log = hub.log.read_text()
    assert "Culling server ada" in log
    assert "Traceback" not in log


FANCY = """
from jupyterhub_fancy_profiles import setup_ui

setup_ui(c)
labels = {"label": {"kubespawner_override": {"extra_labels": {"chosen": "of-a-choice"}}}}
own = {
    "enabled": True,
    "validation_regex": "[a-z-]+",
    "kubespawner_override": {"extra_labels": {"chosen": "{value}"}},
}
options = {"what": {"display_name": "What", "choices": labels, "unlisted_choice": own}}
clusters = dict(c.MultiClusterKubeSpawner.clusters)
c.MultiClusterKubeSpawner.profile_list = [
    {"display_name": "Plain", "cluster": sorted(clusters)[0]},
    {"display_name": "Options", "cluster": sorted(clusters)[0], "profile_options": options},
]
"""
FIELD = "profile-option-options--what"


async def post_form(hub: Hub, user: str, fields: dict[str, str]) -> None:
    """Log in as *user* and post *fields* as the script of the page does."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:

        def xsrf() -> str:
            # the hub's own paths have cookies of the same name
            return jar.filter_cookies(yarl.URL(f"{hub.url}hub/spawn"))["_xsrf"].value

        async with session.get(f"{hub.url}hub/login") as response:
            assert response.status == 200
        data = {"username": user, "password": "any", "_xsrf": xsrf()}
        async with session.post(f"{hub.url}hub/login", data=data) as response:
            assert response.status == 200
        async with session.get(f"{hub.url}hub/spawn") as response:
            html = await response.text()
        path = yarl.URL(hub.url).path
        script = f"{path}hub/fancy-profiles/static/dist/form.js"
        assert f'src="{script}"' in html
        async with session.get(yarl.URL(hub.url).with_path(script)) as response:
            assert (response.status, response.history) == (200, ())
        data = {**fields, "_xsrf": xsrf()}
        async with session.post(f"{hub.url}hub/spawn", data=data) as response:
            assert response.status == 200, await response.text()


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ({FIELD: "label"}, "of-a-choice"),
        ({f"{FIELD}--unlisted-choice": "of-my-own"}, "of-my-own"),
    ],
    ids=["choice", "unlisted"],
)
async def test_what_the_form_of_fancy_profiles_posts_is_what_starts_below_a_base_url(
    start_hub: Start,
    api: KubernetesAPI,
    namespace: Namespace,
    answer: dict[str, str],
    chosen: str,
) -> None:
    async with start_hub(FANCY) as hub:
        await post_form(hub, "ada", {"profile": "options", **answer})

        async def is_ready() -> bool:
            _, user = await hub.request("GET", "users/ada")
            return bool(user["servers"][""]["ready"])

        await until(is_ready)
        found = await pod_of(api, namespace)
        assert found is not None
        assert found["metadata"]["labels"]["chosen"] == chosen
        await stop_server(hub, "ada")


# -- hooks -----------------------------------------------------------------------------------

HOOKS = """
from kubernetes_asyncio.client.models import V1Volume, V1VolumeMount
from tornado import web


async def modify(spawner, pod):
    pod.spec.volumes.append(V1Volume(name="scratch", empty_dir={}))
    mount = V1VolumeMount(name="scratch", mount_path="/scratch")
    pod.spec.containers[0].volume_mounts.append(mount)
    pod.metadata.annotations["example.org/pod"] = f"{spawner.namespace}/{spawner.pod_name}"
    return pod


async def after(spawner, pod):
    spawner.log.info("created %s %s", pod["metadata"]["name"], pod["metadata"]["uid"])
    if spawner.user.name == "eve":
        raise web.HTTPError(403, "eve has no licence", reason="licence")
    if spawner.user.name == "mallory":
        raise KeyError("s3cret")


c.MultiClusterKubeSpawner.read_kubespawner = True
c.KubeSpawner.modify_pod_hook = modify
c.KubeSpawner.after_pod_created_hook = after
"""


async def test_both_hooks_are_called_and_a_failing_one_fails_the_start_and_leaves_nothing(
    start_hub: Start, clusters: Clusters, api: KubernetesAPI, namespace: Namespace
) -> None:
    async with start_hub(HOOKS) as hub:
        lines = await start_server(hub, "ada", "a")
        assert lines[-1].get("ready"), lines[-1]
        pod = await pod_of(api, namespace)
        assert pod is not None
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        assert f"created {name} {uid}" in hub.log.read_text()
        place = f"{namespace.name}/{name}"
        assert pod["metadata"]["annotations"]["example.org/pod"] == place
        mounts = pod["spec"]["containers"][0]["volumeMounts"]
        assert {"name": "scratch", "mountPath": "/scratch"} in mounts
        await stop_server(hub, "ada")
        eve = await start_server(hub, "eve", "a")
        assert "eve has no licence" in str(eve[-1])
        mallory = await start_server(hub, "mallory", "a")
        assert "Reference: " in str(mallory[-1])
        assert "s3cret" not in str(mallory[-1])
        await until_empty(clusters, namespace.name)
        log = hub.log.read_text()
    assert "after_pod_created_hook: the function after raised KeyError" in log
