"""What of a choice, and of what was posted beside it, reaches the objects."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mcks.core.clusters.pool import Pool
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.core.profiles.choosing.common import CLUSTERS, spawner_of, start


async def test_templates_see_the_chosen_options() -> None:
    patch = "kind: Pod\nmetadata: {name: '{{key}}', annotations: {x: '{{ options.image }}'}}"
    spawner = spawner_of(patches={"1": patch})
    await start(spawner, {"profile": "large", "image--unlisted-choice": "mine"})
    planned = plan.make(spawner, spawner.configured(Pool(spawner.config, logging.getLogger("t"))))
    (pod,) = (m for m in planned.objects if m["kind"] == "Pod")
    assert pod["metadata"]["annotations"]["x"] == "mine"


IMAGE_OF_THE_OPTION = """
kind: Pod
metadata:
  name: "{{key}}"
  annotations: {raw: "{{ unchecked_options.get('image', 'none') }}", profile: "{{ profile }}"}
spec:
  containers:
  - name: notebook
    {% if options.image is defined %}
    image: {{ options.image }}
    {% endif %}
"""


def pod_of(spawner: MultiClusterKubeSpawner) -> Any:
    planned = plan.make(spawner, spawner.configured(Pool(spawner.config, logging.getLogger("t"))))
    (pod,) = (m for m in planned.objects if m["kind"] == "Pod")
    return pod


@pytest.mark.parametrize(
    "posted",
    [
        {"profile": "small", "image": "evil:1"},
        {"profile": "small", "image--unlisted-choice": "evil:1", "image": "evil:1"},
        {"image": "evil:1"},
    ],
)
async def test_a_posted_word_that_the_profile_does_not_ask_for_is_no_option(
    posted: dict[str, Any],
) -> None:
    spawner = spawner_of(patches={"1": IMAGE_OF_THE_OPTION})
    await start(spawner, posted)
    pod = pod_of(spawner)
    assert pod["spec"]["containers"][0]["image"] == "pangeo/pangeo-notebook:latest"
    assert pod["metadata"]["annotations"] | {"raw": "evil:1"} == pod["metadata"]["annotations"]


async def test_without_profiles_nothing_that_is_posted_counts_as_checked() -> None:
    clusters = {"a": CLUSTERS["a"]}
    spawner = spawner_of(listed=[], clusters=clusters, patches={"1": IMAGE_OF_THE_OPTION})
    spawner.choosing.profile = "of-a-former-list"
    await start(spawner, {"profile": "staff", "image": "evil:1"})
    pod = pod_of(spawner)
    assert pod["spec"]["containers"][0]["image"] == "pangeo/pangeo-notebook:latest"
    assert pod["metadata"]["annotations"]["profile"] == ""


async def test_without_a_cmd_the_images_own_runs_with_the_arguments() -> None:
    listed = [{"display_name": "x", "cluster": "a", "spawner_override": {"cmd": None}}]
    for how in ({"listed": listed}, {"cmd": None}):
        spawner = spawner_of(**how, args=["--debug"])
        await start(spawner, {})
        (container,) = pod_of(spawner)["spec"]["containers"]
        assert "command" not in container
        assert container["args"] == ["--debug"]


async def test_references_go_across_all_levels_of_the_environment() -> None:
    def sets(**values: str) -> dict[str, Any]:
        return {"spawner_override": {"environment": values}}

    choice = sets(OF_CHOICE="$(OF_PROFILE)/c")
    options = {"o": {"choices": {"c": choice}}}
    profile = sets(OF_PROFILE="$(OF_GROUP)/p", PLAIN="text")
    listed = [{"display_name": "x", "cluster": "a", "profile_options": options, **profile}]
    group = {"1": {"groups": ["g"], **sets(OF_GROUP="$(OF_HUB)/g")}}
    said = {"OF_HUB": "s3://b/$(JUPYTERHUB_USER)", "LAST": "$(OF_CHOICE)"}
    spawner = spawner_of("g", listed=listed, group_overrides=group, environment=said)
    await spawner.apply_group_overrides()
    await start(spawner, {})
    (container,) = pod_of(spawner)["spec"]["containers"]
    assert [(e["name"], e["value"]) for e in container["env"]] == [
        ("OF_HUB", "s3://b/$(JUPYTERHUB_USER)"),
        ("OF_GROUP", "$(OF_HUB)/g"),
        ("OF_PROFILE", "$(OF_GROUP)/p"),
        ("OF_CHOICE", "$(OF_PROFILE)/c"),
        ("LAST", "$(OF_CHOICE)"),
    ]


@pytest.mark.parametrize("level", ["hub", "profile", "both"])
async def test_none_in_resources_removes_an_object_that_ships_with_mcks(level: str) -> None:
    removed = {"01-sa": None}
    hub = {} if level == "profile" else {"resources": removed}
    override = {"resources": {"x": ""} if level == "both" else removed}
    said = {} if level == "hub" else {"spawner_override": override}
    profile = {"display_name": "p", "cluster": "a", **said}
    spawner = spawner_of(**hub, profile_list=[profile])
    await start(spawner, {"profile": "p"})
    planned = plan.make(spawner, spawner.configured(Pool(spawner.config, logging.getLogger("t"))))
    assert "ServiceAccount" not in {manifest["kind"] for manifest in planned.objects}
