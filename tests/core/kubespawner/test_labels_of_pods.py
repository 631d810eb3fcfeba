"""A Pod has the labels by which tools of the community find it, and no policy's of a chart."""

from __future__ import annotations

import copy

import pytest
from traitlets.config import Config

from tests.core.kubespawner.side_by_side import USER, configuration, planned, the, theirs

OF_TOOLS = (
    *("app", "component", "hub.jupyter.org/username", "hub.jupyter.org/servername"),
    *("app.kubernetes.io/name", "app.kubernetes.io/component"),
)
INSTANCE = "app.kubernetes.io/instance"


def without_switch(hub_id: str = "") -> Config:
    config = copy.deepcopy(configuration({}))
    config.MultiClusterKubeSpawner.read_kubespawner = False
    config.MultiClusterKubeSpawner.hub_id = hub_id
    return config


async def labels(config: Config, username: str = USER, servername: str = "") -> dict[str, str]:
    found: dict[str, str] = the("Pod", await planned(config, username, servername))["metadata"][
        "labels"
    ]
    return found


@pytest.mark.parametrize("servername", ["", "gpu", "A long name, with a comma"])
@pytest.mark.parametrize("username", ["ada", USER, "x" * 70, "Zoë"])
async def test_they_are_kubespawners_with_and_without_its_section(
    username: str, servername: str
) -> None:
    pod = await theirs({}, username, servername).get_pod_manifest()
    expected = {name: pod.metadata.labels[name] for name in OF_TOOLS}
    for config in (without_switch(), configuration({})):
        found = await labels(config, username, servername)
        assert {name: found[name] for name in OF_TOOLS} == expected


async def test_the_instance_is_the_hubs_own() -> None:
    assert (await labels(without_switch()))[INSTANCE] == "mcks-servers"
    assert (await labels(without_switch("west")))[INSTANCE] == "west-servers"
    assert len((await labels(without_switch("h" * 63)))[INSTANCE]) <= 63


@pytest.mark.parametrize("release", ["mcks", "jupyterhub", "hub", "west"])
async def test_a_charts_policy_for_its_own_pods_does_not_select_them(release: str) -> None:
    of_release = {"release": release, INSTANCE: release}
    for hub_id in ("", release):
        found = await labels(without_switch(hub_id))
        assert not of_release.items() & found.items()


async def test_what_a_template_a_word_or_a_cluster_says_wins() -> None:
    config = without_switch()
    config.Cluster.labels = {"app": "of-the-cluster"}
    pod = """
        apiVersion: v1
        kind: Pod
        metadata:
          name: {{key}}
          labels: {component: of-the-template, app: of-the-template}
        spec:
          containers: [{name: notebook, image: x}]
    """
    config.MultiClusterKubeSpawner.resources = {"02-pod": pod}
    found = await labels(config)
    assert (found["component"], found["app"]) == ("of-the-template", "of-the-cluster")
    config = configuration({"common_labels": {"app": "mine", "release": "r"}})
    found = await labels(config)
    assert (found["app"], found["release"]) == ("mine", "r")
    assert INSTANCE not in found


async def test_other_pods_and_other_objects_have_none_of_them() -> None:
    config = without_switch()
    worker = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{key}}-w'}\n"
        "spec: {containers: [{name: w, image: x}]}\n"
    )
    config.MultiClusterKubeSpawner.resources = {"09": worker}
    for manifest in await planned(config, "ada"):
        if manifest["metadata"]["name"] != "jupyter-ada" or manifest["kind"] != "Pod":
            assert "app" not in manifest["metadata"]["labels"]
