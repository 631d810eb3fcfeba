"""KubeSpawner's hooks give the Pod that they give there, and cannot take away what mcks needs."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes_asyncio.client import models
from kubespawner import KubeSpawner
from tornado import web
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.hub import pod_hooks
from mcks.core.hub.sharing import fleet_of
from mcks.core.objects import Manifest
from mcks.core.servers.server import Created, Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, FunctionFailed
from tests.core import kubernetes_schemas
from tests.core.kubespawner.differences import without_differences
from tests.core.kubespawner.hooks import HOOKS, WHERE, Hook
from tests.core.kubespawner.side_by_side import (
    USER,
    as_sent,
    configuration,
    plan_of,
    planned,
    the,
    theirs,
)

ENV = {"name": "WHO", "value": "ada"}


def hooked(hook: Any, **values: Any) -> Config:
    return configuration({**WHERE, "modify_pod_hook": hook, **values})


async def plan(config: Config, username: str = USER) -> Plan:
    spawner = sample_spawner(config, username)
    return await pod_hooks.modified(spawner, await plan_of(spawner))


async def pod_of(config: Config, username: str = USER) -> Manifest:
    return the("Pod", list((await plan(config, username)).objects))


async def kubespawners(hook: Hook) -> Manifest:
    spawner: KubeSpawner = theirs(copy.deepcopy(WHERE), user_id=1)
    spawner.user_options = {}
    pod = hook(spawner, await spawner.get_pod_manifest())
    return as_sent(await pod if inspect.isawaitable(pod) else pod)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
async def test_a_hook_gives_the_pod_that_it_gives_in_kubespawner(hook: Hook) -> None:
    ours = await pod_of(hooked(hook))
    kubernetes_schemas.validate(ours)
    assert without_differences(ours) == without_differences(await kubespawners(hook))


async def test_without_a_hook_the_plan_is_the_same() -> None:
    spawner = sample_spawner(configuration({}), "ada")
    made = await plan_of(spawner)
    assert await pod_hooks.modified(spawner, made) is made


async def test_a_hook_that_changes_nothing_changes_nothing() -> None:
    config = configuration(WHERE)
    assert await pod_of(hooked(lambda _, pod: pod)) == the("Pod", await planned(config))


# -- what a hook sees ------------------------------------------------------------------------


async def test_the_hook_is_the_last_word_after_patches() -> None:
    def hook(_: Any, pod: Any) -> Any:
        assert pod.spec.node_selector == {"a": "of a patch"}
        pod.spec.node_selector["a"] = "of the hook"
        return pod

    config = hooked(hook)
    patch = "kind: Pod\nmetadata: {name: '{{key}}'}\nspec: {nodeSelector: {a: of a patch}}\n"
    config.MultiClusterKubeSpawner.patches = {"1": patch}
    assert (await pod_of(config))["spec"]["nodeSelector"] == {"a": "of the hook"}


async def test_a_hook_finds_the_names_of_its_start_on_the_spawner() -> None:
    seen: list[Any] = []

    def hook(spawner: Any, pod: Any) -> Any:
        seen.extend((spawner.namespace, spawner.pod_name, spawner.pvc_name))
        seen.append(spawner._expand_user_properties("{username}"))
        seen.append(spawner._expand_user_properties("{username}", slug_scheme="escape"))
        seen.append(spawner._expand_all([{"a": "{pod_name}"}]))
        return pod

    config = hooked(hook)
    config.Cluster.namespace = "servers"
    spawner = sample_spawner(config, "A")
    await pod_hooks.modified(spawner, await plan_of(spawner))
    slug = KubeSpawner._expand_user_properties(theirs({}, "A"), "{username}")
    pod_name = f"jupyter-{slug}"
    expected = ["servers", pod_name, f"claim-{slug}", slug, "-41", [{"a": pod_name}]]
    assert seen == expected
    spawner.clear_state()
    assert (spawner.namespace, spawner.pvc_name) == ("", "")


async def test_what_a_hook_adds_to_the_environment_reaches_the_container() -> None:
    def hook(_: Any, pod: Any) -> Any:
        field = models.V1ObjectFieldSelector(field_path="status.podIP")
        source = models.V1EnvVarSource(field_ref=field)
        pod.spec.containers[0].env.append(models.V1EnvVar(name="POD_IP", value_from=source))
        pod.spec.containers[0].env.append(ENV)
        pod.spec.containers[0].env_from.append({"configMapRef": {"name": "more"}})
        return pod

    container = (await pod_of(hooked(hook), "ada"))["spec"]["containers"][0]
    env = {entry["name"]: entry for entry in container["env"]}
    assert env["POD_IP"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert env["WHO"] == ENV
    assert "MEM_LIMIT" in env
    assert container["envFrom"] == [
        {"secretRef": {"name": "jupyter-ada"}},
        {"configMapRef": {"name": "more"}},
    ]


async def test_a_hook_may_be_set_by_a_profile_and_by_another_hook() -> None:
    def hook(_: Any, pod: Any) -> Any:
        pod.metadata.labels["a"] = "b"
        return pod

    listed = [{"display_name": "x", "kubespawner_override": {"modify_pod_hook": lambda _: hook}}]
    config = configuration({"profile_list": listed})
    config.MultiClusterKubeSpawner.read_kubespawner = False
    config.MultiClusterKubeSpawner.profile_list = listed
    assert (await pod_of(config))["metadata"]["labels"]["a"] == "b"
    spawner = sample_spawner(configuration({}), "ada")
    spawner.modify_pod_hook = hook
    made = await pod_hooks.modified(spawner, await plan_of(spawner))
    assert the("Pod", list(made.objects))["metadata"]["labels"]["a"] == "b"


async def test_a_subclass_may_use_the_name_for_its_own() -> None:
    class Own(MultiClusterKubeSpawner):
        def modify_pod_hook(self) -> None:
            raise AssertionError

    config = configuration({})
    config.JupyterHub.spawner_class = Own
    spawner = sample_spawner(config, "ada")
    made = await plan_of(spawner)
    assert await pod_hooks.modified(spawner, made) is made


# -- what mcks needs -------------------------------------------------------------------------


async def test_what_mcks_wrote_on_the_pod_is_put_back() -> None:
    def hook(_: Any, pod: Any) -> Any:
        pod.metadata.labels = {"mine": "x", "app.kubernetes.io/component": "singleuser-server"}
        pod.metadata.annotations = None
        pod.spec.containers[0].env_from = None
        return pod

    config = hooked(hook)
    config.MultiClusterKubeSpawner.hub_id = "h"
    pod = await pod_of(config, "ada")
    assert pod["metadata"]["labels"] == {
        "mine": "x",
        "app.kubernetes.io/component": "singleuser-server",
        "app.kubernetes.io/managed-by": "mcks",
        "mcks.hub.jupyter.org/key": "h-jupyter-ada",
        "mcks.hub.jupyter.org/hub": "h",
    }
    assert pod["metadata"]["annotations"]["hub.jupyter.org/username"] == "ada"
    container = pod["spec"]["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "h-jupyter-ada"}}]


def change(name: str, value: Any) -> Callable[[Any, Any], Any]:
    def hook(_: Any, pod: Any) -> Any:
        *path, last = name.split(".")
        place = pod
        for part in path:
            place = place[int(part)] if part.isdigit() else getattr(place, part)
        setattr(place, last, value)
        return pod

    return hook


WRONG = [
    (change("metadata.name", "other"), "changes the Pod's name to 'other', by which mcks finds it"),
    (change("metadata.name", None), "changes the Pod's name to None"),
    (change("metadata.namespace", "x"), "moves the Pod to the namespace 'x', away from its Secret"),
    (change("kind", "Job"), "changes kind to 'Job': keep the Pod's"),
    (change("spec.containers.0.name", "x"), "the Pod has no container named 'notebook'"),
    (change("spec.containers", []), "the Pod has no container named 'notebook'"),
    (change("spec", None), "the Pod has no container named 'notebook'"),
    (change("metadata.annotations", {"a": 1}), "metadata.annotations.a is no text, as Kubernetes"),
    (
        change("metadata.labels", {}),
        "takes the label app.kubernetes.io/component=",
    ),
    (lambda _, pod: None, "gives nothing: it must return the Pod"),
    (lambda _, pod: "x", "gives a str: it must return the Pod"),
    (lambda _, pod: pod.spec, "gives a dict: it must return the Pod"),
]


@pytest.mark.parametrize(("hook", "words"), WRONG)
async def test_what_cannot_be_a_servers_pod_is_refused_by_name(hook: Hook, words: str) -> None:
    with pytest.raises(ConfigError, match=r"^modify_pod_hook") as caught:
        await pod_of(hooked(hook))
    assert words in str(caught.value)


async def test_a_hook_that_fails_is_named_with_its_line() -> None:
    def hook(_: Any, pod: Any) -> Any:
        raise KeyError("nothing")

    with pytest.raises(FunctionFailed, match=r"^modify_pod_hook: the function .*hook raised"):
        await pod_of(hooked(hook))


async def test_a_hook_that_is_none_is_no_hook() -> None:
    config = hooked(None)
    assert await pod_of(config) == the("Pod", await planned(configuration(WHERE)))


# -- afterwards ------------------------------------------------------------------------------


async def test_the_other_hook_gets_the_pod_of_the_cluster_as_a_dict_of_its_own() -> None:
    seen: list[Any] = []

    async def hook(spawner: Any, pod: Any) -> None:
        seen.append((spawner.pod_name, spawner.namespace, pod["metadata"]["uid"]))
        pod["metadata"].clear()

    spawner = sample_spawner(configuration({"after_pod_created_hook": hook}), "ada")
    pod = {"metadata": {"uid": "u", "name": "jupyter-ada", "namespace": "n"}}
    await pod_hooks.created(spawner, Created("jupyter-ada", "n"), pod)
    assert seen == [("jupyter-ada", "n", "u")]
    assert pod["metadata"]["uid"] == "u"
    await pod_hooks.created(sample_spawner(configuration({}), "a"), Created("k", "n"), pod)


async def test_its_failure_is_named() -> None:
    spawner = sample_spawner(configuration({"after_pod_created_hook": lambda s, p: p["x"]}), "ada")
    with pytest.raises(FunctionFailed, match=r"^after_pod_created_hook: the function"):
        await pod_hooks.created(spawner, Created("k", "n"), {"metadata": {}})


@pytest.mark.parametrize("word", ["modify_pod_hook", "uid"])
async def test_a_refusal_with_words_of_the_administrators_own_is_shown_as_it_is(word: str) -> None:
    def refuse(*_: Any) -> Any:
        raise web.HTTPError(403, "no licence")

    spawner = sample_spawner(configuration({word: refuse}), "ada")
    with pytest.raises(web.HTTPError) as caught:
        await spawner.start()
    assert (caught.value.status_code, caught.value.log_message) == (403, "no licence")
    await fleet_of(spawner).close()
