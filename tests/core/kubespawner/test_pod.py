"""The Pod that KubeSpawner's words make is the one that KubeSpawner makes of them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mcks.core.kubespawner.fields import expand_word, fields_of
from mcks.core.kubespawner.pod import shaped
from mcks.core.kubespawner.words import KubeSpawnerWords
from mcks.core.objects import Manifest
from mcks.errors import ConfigError
from tests.core.kubespawner.configurations import ALONE
from tests.core.kubespawner.side_by_side import USER, as_sent, theirs

WORDS = list(KubeSpawnerWords.class_traits())


def words_of(spawner: Any) -> dict[str, Any]:
    values = {name: copy.deepcopy(getattr(spawner, name)) for name in WORDS}
    return {
        name: value(spawner) if callable(value) and not name.endswith("_hook") else value
        for name, value in values.items()
    }


def skeleton(spawner: Any) -> Manifest:
    """What mcks' own templates make of the traits that are no words."""
    requests = {"cpu": spawner.cpu_guarantee, "memory": spawner.mem_guarantee}
    limits = {"cpu": spawner.cpu_limit, "memory": spawner.mem_limit}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": spawner.pod_name},
        "spec": {
            "restartPolicy": "OnFailure",
            "containers": [
                {
                    "name": "notebook",
                    "image": spawner.image,
                    **({"args": [*spawner.cmd, *spawner.get_args()]} if spawner.cmd else {}),
                    "ports": [{"name": "notebook-port", "containerPort": spawner.port}],
                    "resources": {
                        "requests": {k: v for k, v in requests.items() if v},
                        "limits": {k: v for k, v in limits.items() if v},
                    },
                }
            ],
        },
    }


def compared(pod: Manifest) -> Manifest:
    """Without what mcks does otherwise: the environment is in a Secret, labels of its own.

    KubeSpawner writes some fields although they are empty, which says the same.
    """
    pod = copy.deepcopy(pod)
    spec, container = pod["spec"], pod["spec"]["containers"][0]
    container.pop("env", None)
    for place, names in (
        (container, ("volumeMounts", "lifecycle")),
        (spec, ("volumes", "imagePullSecrets")),
    ):
        for name in names:
            if not place.get(name):
                place.pop(name, None)
    meta = pod["metadata"]
    for kind in ("labels", "annotations"):
        meta[kind] = {k: v for k, v in meta[kind].items() if not k.startswith("hub.jupyter.org/")}
    return pod


@pytest.mark.parametrize("name", ALONE)
async def test_each_trait_alone_makes_the_same_pod(name: str) -> None:
    spawner = theirs(copy.deepcopy(ALONE[name]))
    where = fields_of(7, USER, "", scheme=spawner.slug_scheme, hub_namespace="default")
    where |= {"pvc_name": spawner.pvc_name, "pod_name": spawner.pod_name}
    ours = shaped(skeleton(spawner), words_of(spawner), where)
    assert compared(ours) == compared(as_sent(await spawner.get_pod_manifest()))


def test_a_word_that_is_not_there_changes_nothing() -> None:
    spawner = theirs({})
    before = skeleton(spawner)
    after = shaped(before, {}, {})
    assert after["spec"] == before["spec"]


async def test_the_secret_for_images_may_be_a_text_as_in_kubespawner() -> None:
    words = {"image_pull_secrets": "registry"}
    with pytest.warns(DeprecationWarning, match="image_pull_secrets"):
        own = as_sent(await theirs(words).get_pod_manifest())
    ours = shaped(skeleton(theirs({})), words, {})
    expected = [{"name": "registry"}]
    assert ours["spec"]["imagePullSecrets"] == own["spec"]["imagePullSecrets"] == expected
    without = shaped(skeleton(theirs({})), {"image_pull_secrets": ""}, {})
    assert "imagePullSecrets" not in without["spec"]


def test_what_is_not_in_kubernetes_words_is_refused_with_the_word() -> None:
    words = {"pod_security_context": {"run_as_user": 1}}
    with pytest.raises(ConfigError, match=r"pod_security_context: 'run_as_user'.*'runAsUser'"):
        shaped(skeleton(theirs({})), words, {})


def test_an_unknown_field_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"unknown field '\{user\}'.*username"):
        shaped(skeleton(theirs({})), {"working_dir": "/home/{user}"}, {"username": "ada"})


def test_braces_that_are_no_field_are_told_with_their_place_and_without_the_value() -> None:
    said = {"DASHBOARD": "/user/{JUPYTERHUB_USER}/proxy"}
    told = r"environment: DASHBOARD: unknown field.*If no field is meant: \{\{JUPYTERHUB_USER\}\}$"
    with pytest.raises(ConfigError, match=told):
        expand_word("environment", said, {"username": "ada"})
    told = r"environment: PASSWORD: .*write a brace of its own twice"
    with pytest.raises(ConfigError, match=told) as failure:
        expand_word("environment", {"PASSWORD": "secret{"}, {})
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    "spec", [None, {}, {"containers": []}, {"containers": [{"image": "i"}]}], ids=str
)
def test_a_pod_without_the_servers_container_is_left_to_what_refuses_it(spec: Any) -> None:
    pod = {"kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
    assert shaped(pod, {"uid": 1, "tolerations": [{"key": "a"}]}, {}) == pod
