"""A patch with an administrator's own value does what the word of KubeSpawner's does."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from traitlets.config import Config

from mcks.core.kubespawner.as_patch import as_patch
from mcks.core.objects import Manifest
from mcks.core.profiles.kubespawner_traits import TRAITS
from tests.core.kubespawner.configurations import ALONE
from tests.core.kubespawner.side_by_side import planned, the

PATCHED = {word for word, instead in TRAITS.items() if instead.patch}
CASES = {
    f"{case}: {word}": (word, value)
    for case, said in ALONE.items()
    for word, value in said.items()
    if word in PATCHED and as_patch(word, value)
}


async def pod(**values: Any) -> Manifest:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {
        "c": {"context": "x", "ingress_public_url": "http://192.0.2.1"}
    }
    config.MultiClusterKubeSpawner.update(values)
    return the("Pod", await planned(config, "ada", "gpu"))


@pytest.mark.parametrize("case", CASES)
async def test_a_patch_does_what_the_word_does(case: str) -> None:
    word, value = CASES[case]
    listed = [{"display_name": "x", "kubespawner_override": {word: value}}]
    by_patch = await pod(patches={"1": as_patch(word, value)})
    assert in_one_order(by_patch) == in_one_order(await pod(profile_list=listed))


def in_one_order(manifest: Manifest) -> Manifest:
    """*manifest* with its containers by name: a patch puts what is new in front."""
    for kind in ("containers", "initContainers"):
        if kind in manifest["spec"]:
            manifest["spec"][kind].sort(key=lambda container: container["name"])
    return manifest


def test_most_words_have_such_a_patch() -> None:
    assert len({word for word, _ in CASES.values()}) >= 30


def test_values_of_variables_are_not_shown() -> None:
    env = [{"name": "TOKEN", "value": "s3cret"}, {"name": "X", "valueFrom": {"fieldRef": {}}}]
    for word in ("extra_containers", "init_containers"):
        text = as_patch(word, [{"name": "x", "image": "i", "env": env}])
        assert "TOKEN" in text
        assert "s3cret" not in text
    assert "s3cret" not in as_patch("extra_container_config", {"env": env})


def test_fields_become_variables_of_templates() -> None:
    mounts = [{"name": "h", "mountPath": "/h", "subPath": "{username}/{userid}"}]
    text = as_patch("volume_mounts", mounts)
    assert "subPath: '{{ username }}/{{ userid }}'" in text
    assert yaml.safe_load(text.replace("{{key}}", "k"))["kind"] == "Pod"


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("uid", lambda spawner: 1),
        ("extra_labels", {"a": "{user_server}"}),
        ("extra_labels", {"a": "{% if x %}"}),
        ("extra_annotations", {"a": "{{literal}}"}),
        ("node_selector", ["x"]),
        ("tolerations", 5),
        ("uid", "many"),
        ("node_selector", {}),
        ("component_label", "mine"),
        ("service_account", None),
        ("extra_pod_config", {"x": object()}),
    ],
)
def test_what_no_patch_can_say_has_none(word: str, value: Any) -> None:
    assert as_patch(word, value) == ""
