"""A Pod as hooks see it has the types that it has in KubeSpawner, and comes back as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from kubernetes_asyncio import client

from mcks.core.kubespawner.models import plain
from mcks.core.kubespawner.pod_model import as_model, merged
from tests.core.kubespawner.configurations import ALONE, WHOLE
from tests.core.kubespawner.side_by_side import configuration, planned, the, theirs

ALL = ALONE | WHOLE
IN_MODELS = ("block-cloud-metadata", "host_path")
OF_DICTS = [name for name, said in ALL.items() if not any(part in str(said) for part in IN_MODELS)]
"""Configurations without a model in a model, which an administrator may have made."""
PLAIN = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "x"},
    "spec": {
        "futureField": {"a": 1},
        "containers": [{"name": "notebook", "image": "i", "futureField": 2}],
    },
}


def types(value: Any) -> Any:
    """The names of the types of *value* and of all that is in it."""
    if hasattr(value, "attribute_map"):
        fields = {name: getattr(value, name) for name in value.attribute_map}
        said = {name: types(field) for name, field in fields.items() if field not in (None, [], {})}
        return type(value).__name__, said
    if isinstance(value, list):
        return [types(item) for item in value]
    return type(value).__name__ if isinstance(value, dict) else "plain"


def without_what_differs(model: Any) -> Any:
    """Take out what mcks says otherwise (tests/core/kubespawner/differences.py)."""
    model.spec.enable_service_links = model.spec.termination_grace_period_seconds = None
    for container in model.spec.containers:
        if container.name == "notebook":
            container.env = container.env_from = None
    return model


@pytest.mark.parametrize("name", OF_DICTS)
async def test_what_is_a_model_and_what_a_dict_is_as_in_kubespawner(name: str) -> None:
    own = await theirs(copy.deepcopy(ALL[name])).get_pod_manifest()
    ours = as_model(the("Pod", await planned(configuration(ALL[name]))), client)
    assert types(without_what_differs(ours)) == types(without_what_differs(own))


@pytest.mark.parametrize("name", ALL)
async def test_what_a_hook_does_not_change_comes_back_as_it_was(name: str) -> None:
    pod = the("Pod", await planned(configuration(ALL[name])))
    before = plain(as_model(pod, client))
    assert merged(pod, before, plain(as_model(pod, client))) is pod


def changed(change: Any) -> Any:
    model = as_model(PLAIN, client)
    before = plain(model)
    change(model)
    return merged(PLAIN, before, plain(model))


def test_what_the_models_do_not_know_stays() -> None:
    def change(pod: Any) -> None:
        pod.spec.containers[0].image = "other"

    spec = changed(change)["spec"]
    assert spec["futureField"] == {"a": 1}
    assert spec["containers"] == [{"name": "notebook", "image": "other", "futureField": 2}]


def test_what_hooks_append_to_is_there_and_gone_again_if_nothing_was_appended() -> None:
    def look(pod: Any) -> None:
        notebook = pod.spec.containers[0]
        for items in (pod.spec.volumes, pod.spec.image_pull_secrets):
            assert items == []
        assert (notebook.env, notebook.volume_mounts) == ([], [])
        notebook.resources.limits["example.org/x"] = "1"
        pod.metadata.labels["a"] = "b"

    pod = changed(look)
    assert pod["metadata"] == {"name": "x", "labels": {"a": "b"}}
    assert pod["spec"].keys() == {"futureField", "containers"}
    assert pod["spec"]["containers"][0]["resources"] == {"limits": {"example.org/x": "1"}}


def test_what_a_hook_takes_away_is_gone() -> None:
    def remove(pod: Any) -> None:
        pod.spec.containers[0].image = None

    assert "image" not in changed(remove)["spec"]["containers"][0]


def test_two_items_of_one_name_are_as_the_hook_says() -> None:
    def twice(pod: Any) -> None:
        mount = {"name": "v", "mountPath": "/a"}
        pod.spec.containers[0].volume_mounts += [mount, {**mount, "mountPath": "/b"}]

    mounts = changed(twice)["spec"]["containers"][0]["volumeMounts"]
    assert [mount["mountPath"] for mount in mounts] == ["/a", "/b"]


def test_what_a_template_says_with_nothing_behind_is_there_for_hooks_to_add_to() -> None:
    pod = copy.deepcopy(PLAIN)
    pod["metadata"]["labels"] = pod["spec"]["volumes"] = None  # type: ignore[index]
    pod["spec"]["containers"][0]["resources"] = None  # type: ignore[index]
    model = as_model(pod, client)
    before = plain(model)
    model.metadata.labels["a"] = "b"
    model.spec.volumes.append({"name": "v"})
    model.spec.containers[0].resources.limits["cpu"] = "1"
    changed = merged(pod, before, plain(model))
    assert changed["metadata"]["labels"] == {"a": "b"}
    assert changed["spec"]["volumes"] == [{"name": "v"}]
    assert changed["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1"}
