"""What KubeSpawner would read elsewhere than in its own section is read there."""

from __future__ import annotations

from typing import Any

import pytest
from jupyterhub.spawner import LocalProcessSpawner
from kubespawner import KubeSpawner
from traitlets.config import Config

from mcks.core.conversion.predecessor import Before, as_kubespawner
from mcks.core.spawner import MultiClusterKubeSpawner

OURS = MultiClusterKubeSpawner.class_trait_names(config=True)


class Theirs(KubeSpawner):  # type: ignore[misc]
    """A class in which an administrator has changed something."""


class OfTheirs(Theirs):
    """A class of that."""


def before(config: Config, found: type | None = None) -> Before:
    return as_kubespawner(config, found, OURS)


def hub(spawner_class: Any, **sections: dict[str, Any]) -> Config:
    return Config(JupyterHub={"spawner_class": spawner_class}, **sections)


@pytest.mark.parametrize("name", ["kubespawner.KubeSpawner", "kubernetes", "kubespawner"])
def test_kubespawner_itself_leaves_nothing_to_do(name: str) -> None:
    found = before(hub(name, KubeSpawner={"uid": 5}), KubeSpawner)
    assert (found.left, found.notes, found.config.KubeSpawner) == ([], [], {"uid": 5})
    assert before(Config()).left == []


def test_sections_of_classes_made_of_kubespawner_stand_above_its_own() -> None:
    config = hub(OfTheirs, KubeSpawner={"uid": 1, "gid": 1, "fs_gid": 1})
    config.Theirs.update({"gid": 2, "fs_gid": 2})
    config.OfTheirs.fs_gid = 3
    config.OfTheirs.volumes.append({"name": "x"})
    config.KubeSpawner.volumes = [{"name": "y"}]
    found = before(config, OfTheirs)
    said = found.config.KubeSpawner
    assert (said.uid, said.gid, said.fs_gid) == (1, 2, 3)
    assert said.volumes == [{"name": "y"}, {"name": "x"}]
    assert found.notes == [
        "c.Theirs is read as if c.KubeSpawner said it",
        "c.OfTheirs is read as if c.KubeSpawner said it",
    ]
    assert found.left == [
        "c.JupyterHub.spawner_class is the class OfTheirs: what its code does is not converted"
    ]
    assert "volumes" in config.OfTheirs  # what is given is not changed
    assert config.KubeSpawner.volumes == [{"name": "y"}]


def test_traits_of_a_class_alone_are_left_to_do() -> None:
    config = hub(Theirs, Theirs={"local_home": True, "mem_limit": "1G", "modify_pod_hook": print})
    found = before(config, Theirs)
    assert found.left[1] == (
        "c.Theirs.local_home: a trait of that class alone: what its code makes of it is not "
        "converted"
    )
    assert found.config.KubeSpawner == {"mem_limit": "1G", "modify_pod_hook": print}


def test_a_class_that_is_not_installed_here_is_known_by_its_name() -> None:
    config = hub("mine.MyKubeSpawner", MyKubeSpawner={"uid": 5})
    found = before(config)
    assert found.config.KubeSpawner.uid == 5
    (left,) = found.left
    assert "'mine.MyKubeSpawner', which is not installed here: what its code does" in left


@pytest.mark.parametrize(
    ("said", "found", "told"),
    [
        ("dockerspawner.DockerSpawner", None, "what it and its section say is not converted"),
        (LocalProcessSpawner, LocalProcessSpawner, "which is not made of KubeSpawner"),
        ("simple", LocalProcessSpawner, "what c.LocalProcessSpawner says is not converted"),
    ],
)
def test_another_spawner_is_told_and_its_section_is_not_taken_for_kubespawners(
    said: Any, found: type | None, told: str
) -> None:
    config = hub(said, DockerSpawner={"image": "x"}, LocalProcessSpawner={"shell_cmd": ["x"]})
    read = before(config, found)
    assert "image" not in read.config.KubeSpawner
    assert told in read.left[0]


def test_names_of_old_become_those_of_today_as_in_kubespawner() -> None:
    override = {"singleuser_uid": 1, "uid": 2, "image_spec": "{value}"}
    unlisted = {"enabled": True, "kubespawner_override": override}
    choices = {"a": {"kubespawner_override": {"image_spec": "b"}}}
    options = {"image": {"choices": choices, "unlisted_choice": unlisted}}
    profile = {"kubespawner_override": {"image_spec": "a"}, "profile_options": options}
    said = {"image_spec": "old", "image": "new", "singleuser_fs_gid": 3, "profile_list": [profile]}
    (made, *_), expected = (before(Config(KubeSpawner=said)), KubeSpawner._deprecated_traits)
    assert {"image_spec", "singleuser_fs_gid"} <= expected.keys()
    read = made.KubeSpawner
    assert (read.image, read.fs_gid) == ("new", 3)
    (listed,) = read.profile_list
    assert listed["kubespawner_override"] == {"image": "a"}
    choice = listed["profile_options"]["image"]["choices"]["a"]
    assert choice["kubespawner_override"] == {"image": "b"}
    text = listed["profile_options"]["image"]["unlisted_choice"]
    assert text["kubespawner_override"] == {"uid": 2, "image": "{value}"}


def test_profiles_that_a_function_gives_stay() -> None:
    assert (
        before(Config(KubeSpawner={"profile_list": print})).config.KubeSpawner.profile_list is print
    )
