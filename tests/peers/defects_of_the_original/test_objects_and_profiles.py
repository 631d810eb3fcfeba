"""What goes wrong with objects and profiles of the original does not with mcks."""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points
from typing import Any

import pytest

from mcks.core.labels import HUB_LABEL
from mcks.core.names import is_dns_label
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import BadPatch, ConfigError, NotAllowed, UnknownProfile
from tests.core.profiles.test_options_form import Page
from tests.peers.defects_of_the_original.common import (
    KEY,
    notebook,
    patch,
    planned,
    spawner_of,
    the,
)


@pytest.mark.parametrize(
    "user", ["ada", "a" * 200, "a" * 200 + "b", "Ünïcødé@" + "x" * 60, "1-", "-"]
)
def test_13_every_name_and_label_is_valid_and_says_of_which_hub(user: str) -> None:
    """Long names were refused by Kubernetes, and two hubs used the same ones."""
    names = set()
    for hub_id in ("", "one", "two"):
        launch = planned(spawner_of(user, hub_id=hub_id))
        for manifest in launch.objects:
            meta = manifest["metadata"]
            assert is_dns_label(meta["name"])
            assert meta["labels"].get(HUB_LABEL, "") == hub_id
            assert all(len(value) <= 63 for value in meta["labels"].values())
        names.add(launch.created.key)
    names.add(planned(spawner_of(user + "z")).created.key)
    assert len(names) == 4


def test_14_a_users_traffic_reaches_only_the_pod_of_the_server() -> None:
    """The Service selected by a label that each of the server's objects had."""
    worker = "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{key}}-worker'}\nspec: {}"
    spawner = spawner_of()
    spawner.objects = {**spawner.objects, "10-worker": worker}
    launch = planned(spawner)
    selector = the(launch, "Service")["spec"]["selector"].items()
    pods = [m["metadata"] for m in launch.objects if m["kind"] == "Pod"]
    assert len(pods) == 2
    assert [meta["name"] for meta in pods if selector <= meta["labels"].items()] == [KEY]


async def test_15_a_profile_may_choose_key_and_namespace() -> None:
    """Both were computed before the profile was applied."""
    override = {"cluster": "b", "key_template": "gpu-{{username}}"}
    spawner = spawner_of(profile_list=[{"display_name": "gpu", "spawner_override": override}])
    await spawner.apply_profile({"profile": "gpu"})
    created = planned(spawner).created
    assert (created.key, created.namespace) == ("gpu-ada", "b-users")


async def test_16_a_profiles_patches_are_added_to_those_of_all_profiles() -> None:
    """A profile's dict took the place of the global one."""
    mine = {"02": patch("Pod", "spec: {hostname: profile}"), "03": None}
    all_profiles = {
        "01": patch("Pod", "spec: {nodeName: all}"),
        "02": patch("Pod", "spec: {hostname: all}"),
        "03": patch("Pod", "spec: {subdomain: all}"),
    }
    override = {"patches": mine, "environment": {"OWN": "1"}}
    spawner = spawner_of(
        patches=all_profiles,
        environment={"ALL": "1"},
        profile_list=[{"display_name": "x", "spawner_override": override}],
    )
    await spawner.apply_profile({})
    launch = planned(spawner)
    spec = the(launch, "Pod")["spec"]
    assert (spec["nodeName"], spec["hostname"]) == ("all", "profile")
    assert "subdomain" not in spec
    assert {"ALL", "OWN"} <= the(launch, "Secret")["stringData"].keys()


async def test_17_a_saved_profile_that_is_gone_locks_nobody_out() -> None:
    """It was an error 500, none was preselected, and names were shown as HTML."""
    listed = [
        {"display_name": "<b>Small</b> & new", "slug": "small"},
        {"display_name": "Secret", "allowed_groups": ["insiders"]},
    ]
    spawner = spawner_of(profile_list=listed)
    saved = {"profile": "gone-since"}
    spawner.user_options = saved
    spawner.choosing.remember(saved)
    html = await spawner.get_options_form()
    assert [(r["value"], "checked" in r) for r in Page(html).radios] == [("small", True)]
    assert "<b>" not in html
    assert "&lt;b&gt;Small&lt;/b&gt; &amp; new" in html
    await spawner.apply_profile(saved)
    assert spawner.choosing.profile == "small"
    with pytest.raises(NotAllowed):
        await spawner.apply_profile({"profile": "secret"})
    with pytest.raises(UnknownProfile, match="Known: small"):
        await spawner.apply_profile({"profile": "no-such"})


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_18_the_list_of_profiles_may_be_a_function_async_or_not(asynchronous: bool) -> None:
    """An async function was called and never awaited."""

    async def later(spawner: Any) -> Any:
        await asyncio.sleep(0)
        return {"x": {"display_name": spawner.user.name, "spawner_override": {"image": "i"}}}

    def now(spawner: Any) -> Any:
        return [{"display_name": spawner.user.name, "spawner_override": {"image": "i"}}]

    spawner = spawner_of(profile_list=later if asynchronous else now)
    assert 'value="ada"' in await spawner.get_options_form()
    await spawner.apply_profile({"profile": "ada"})
    assert spawner.image == "i"


ROUTE = """
    apiVersion: example.org/v1
    kind: Route
    metadata: {name: "{{key}}"}
    spec: {hosts: [a, b], port: 80}
"""


def test_19_a_patch_finds_its_object_or_says_which_there_are() -> None:
    """An unknown object was a KeyError; later documents and custom resources were not patched."""
    pod_twice = notebook("env: [{name: A, value: x}]") + "\n---\n" + notebook("tty: true")
    route = patch("Route", "spec: {hosts: [c]}").replace(
        "'}", "', annotations: {mcks.hub.jupyter.org/patch-type: merge}}"
    )
    spawner = spawner_of(patches={"01": pod_twice, "02": route})
    spawner.objects = {**spawner.objects, "20-route": ROUTE}
    launch = planned(spawner)
    (container,) = the(launch, "Pod")["spec"]["containers"]
    assert container["tty"] is True
    assert {"name": "A", "value": "x"} in container["env"]
    assert the(launch, "Route")["spec"] == {"hosts": ["c"], "port": 80}
    for wrong, said in (
        (patch("Pod", "", name="other"), "(?s)'01'.*other.*jupyter-ada"),
        ("apiVersion: v2\n" + patch("Pod", "spec: {}"), "(?s)'01'.*v2"),
    ):
        spawner.patches = {"01": wrong}
        with pytest.raises(BadPatch, match=said):
            planned(spawner)


def test_20_a_container_without_name_env_or_whole_cpus_is_no_crash() -> None:
    """Each of these was a Python error in the middle of a start."""
    spawner = spawner_of(cpu_limit=1.5, environment={"A": "1"})
    spawner.patches = {
        "01": notebook("env: null, envFrom: null, resources: {requests: {cpu: '1.5'}}")
    }
    launch = planned(spawner)
    texts = the(launch, "Secret")["stringData"]
    assert (texts["A"], texts["CPU_LIMIT"], texts["CPU_GUARANTEE"]) == ("1", "1.5", "1.5")
    (container,) = the(launch, "Pod")["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": KEY}}]
    rename = "spec: {containers: [{name: main, image: i}, {name: notebook, $patch: delete}]}"
    spawner.patches = {"01": patch("Pod", rename)}
    with pytest.raises(ConfigError, match="no container named 'notebook'; it has: main"):
        planned(spawner)


@pytest.mark.parametrize(
    "user",
    ["x', hostNetwork: true, y: '", 'x"\nspec: {hostNetwork: true}\n#', "{{ 7 * 7 }}", "yes", "*a"],
)
def test_21_a_users_name_cannot_change_the_structure_of_an_object(user: str) -> None:
    """Names were pasted into YAML as they were."""
    text = """
        kind: Pod
        metadata:
          name: {{key}}
          annotations:
            bare: {{unescaped_username}}
            quoted: '{{unescaped_username}}'
    """
    found = the(planned(spawner_of(user, patches={"01": text})), "Pod")
    plain = the(planned(spawner_of(user)), "Pod")
    annotations = found["metadata"].pop("annotations")
    theirs = plain["metadata"].pop("annotations")
    assert annotations == {**theirs, "bare": user, "quoted": user}
    assert found == plain


async def test_22_the_hub_finds_the_spawner_by_name_and_hears_what_it_can_and_cannot() -> None:
    """No entry point, no progress, and no word on settings that cannot work."""
    (entry,) = (e for e in entry_points(group="jupyterhub.spawners") if e.name == "mcks")
    assert entry.load() is MultiClusterKubeSpawner
    spawner = spawner_of()
    spawner.internal_ssl = True
    start = asyncio.create_task(spawner.start())
    await asyncio.sleep(0)
    assert [line async for line in spawner.progress()] == []
    with pytest.raises(Exception, match="internal_ssl cannot work"):
        await start
