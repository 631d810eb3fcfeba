"""What KubeSpawner's section says is sorted, and what stands above it counts."""

from __future__ import annotations

from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.conversion import section
from tests.core.kubespawner.side_by_side import configuration


def said(config: Config) -> section.Said:
    return section.said(config, sample_spawner(config, "ada"))


def test_names_are_sorted_by_what_they_are() -> None:
    found = said(
        configuration(
            {"uid": 5, "mem_limit": "1G", "modify_pod_hook": print}
            | {"events_enabled": False, "nonsense": 1}
        )
    )
    assert (found.words, found.traits) == ({"uid": 5}, {"mem_limit": "1G"})
    assert found.hooks == ("modify_pod_hook",)
    assert (found.without_effect, found.unknown) == (("events_enabled",), ("nonsense",))


def test_what_a_higher_section_says_is_not_kubespawners() -> None:
    config = configuration({"mem_limit": "1G", "cpu_limit": 2})
    config.MultiClusterKubeSpawner.mem_limit = "3G"
    config.Spawner.cpu_limit = 1
    assert said(config).traits == {"cpu_limit": 2}


def test_what_is_added_on_either_side_is_joined() -> None:
    config = configuration({})
    config.KubeSpawner.environment.update({"A": "a"})
    config.MultiClusterKubeSpawner.environment.update({"B": "b"})
    assert said(config).traits == {"environment": {"A": "a", "B": "b"}}


def test_each_section_with_the_switch_is_named() -> None:
    config = configuration({})
    config.Spawner.read_kubespawner = True
    config.Spawner.cmd = ["x"]
    assert list(section.switches(config)) == ["MultiClusterKubeSpawner", "Spawner"]
    spawner_class = type(sample_spawner(config, "ada"))
    assert section.says(config, spawner_class, "cmd")
    assert not section.says(config, spawner_class, "image")
