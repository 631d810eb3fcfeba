"""What is configured for all is held once, and what one spawner changes is its own."""

from __future__ import annotations

import gc
import sys
from typing import Any

import pytest
from traitlets import Float, HasTraits, TraitError, Unicode, default
from traitlets.config import Config

from mcks.core.administrator.lending import is_lent, read
from mcks.core.checking.sample import sample_spawner
from mcks.core.manifests.defaults import DEFAULT_OBJECTS
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError
from tests.core.profiles.choosing.common import CLUSTERS, LISTED, spawner_of

LENT = ("clusters", "objects", "resources", "patches", "profile_list")


def configured() -> Config:
    config = Config()
    section = config.MultiClusterKubeSpawner
    section.clusters = {name: {**settings} for name, settings in CLUSTERS.items()}
    section.objects = {"07": "a: 1"}
    section.resources = {"08": "a: 1"}
    section.patches = {"01": "a: 1"}
    section.profile_list = [dict(entry) for entry in LISTED]
    return config


@pytest.mark.parametrize("read_kubespawner", [False, True])
def test_all_spawners_of_a_configuration_hold_one_value(read_kubespawner: bool) -> None:
    config = configured()
    config.MultiClusterKubeSpawner.read_kubespawner = read_kubespawner
    config.KubeSpawner.profile_list = config.MultiClusterKubeSpawner.pop("profile_list")
    config.MultiClusterKubeSpawner.profile_list = config.KubeSpawner.profile_list
    spawners = [sample_spawner(config, name) for name in ("ada", "bob")]
    for name in LENT:
        one, other = (read(spawner, name) for spawner in spawners)
        assert one is other
        assert one == config.MultiClusterKubeSpawner[name]
        assert one is not config.MultiClusterKubeSpawner[name]


def test_what_a_hook_changes_is_its_spawners_alone() -> None:
    config = configured()
    ada, bob = (sample_spawner(config, name) for name in ("ada", "bob"))
    ada.clusters["a"]["namespace"] = "ada"
    ada.profile_list.append({"display_name": "Mine"})
    ada.patches["02"] = "b: 2"
    assert ada.clusters["a"]["namespace"] == "ada"
    assert ada.known_clusters["a"]["namespace"] == "ada"
    assert len(ada.profile_list) == len(LISTED) + 1
    later = sample_spawner(config, "eve")
    for other in (bob, later):
        assert other.known_clusters == other.clusters == CLUSTERS
        assert other.profile_list == LISTED
        assert other.patches == {"01": "a: 1"}


def test_a_configuration_that_changes_is_the_next_spawners() -> None:
    config = configured()
    before = sample_spawner(config, "ada")
    config.MultiClusterKubeSpawner.clusters["a"]["namespace"] = "other"
    after = sample_spawner(config, "bob")
    assert "namespace" not in read(before, "clusters")["a"]
    assert read(after, "clusters")["a"]["namespace"] == "other"


def test_what_is_added_in_the_configuration_is_taken_as_before() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.objects.update({"05": "a: 1"})
    one, other = (sample_spawner(config, name) for name in ("ada", "bob"))
    one.objects["06"] = "b: 2"
    assert "05" in read(other, "objects")
    assert "06" not in read(other, "objects")


@pytest.mark.parametrize("name", LENT)
def test_a_value_of_a_wrong_kind_is_refused_each_time(name: str) -> None:
    config = Config()
    config.MultiClusterKubeSpawner[name] = 5
    for _ in range(2):
        with pytest.raises((TraitError, ConfigError), match=name):
            MultiClusterKubeSpawner(config=config)


async def test_a_profile_changes_one_spawner_and_its_lists_are_nobody_elses() -> None:
    listed: list[dict[str, Any]] = [
        {
            "display_name": "One",
            "cluster": "a",
            "spawner_override": {
                "clusters": {"a": {"namespace": "one"}},
                "args": ["--x"],
                "environment": {"A": {"name": "b"}},
            },
        }
    ]
    ada, bob = spawner_of(listed=listed), spawner_of(listed=listed)
    for spawner in (ada, bob):
        await spawner.apply_profile({"profile": "one"})
    assert ada.known_clusters["a"]["namespace"] == "one"
    ada.clusters["b"]["namespace"] = "changed"
    ada.args.append("--y")
    ada.environment["A"]["name"] = "c"
    assert bob.known_clusters["b"] == CLUSTERS["b"]
    assert bob.args == ["--x"]
    assert bob.environment["A"] == {"name": "b"}
    ada.clear_state()
    bob.clear_state()
    await bob.apply_profile({"profile": "one"})
    assert bob.args == ["--x"]
    assert is_lent(bob, "clusters")
    ada.clear_state()
    assert ada.known_clusters == CLUSTERS


def held(spawner: MultiClusterKubeSpawner) -> set[int]:
    """The containers that hang on one of its lent traits."""
    found: set[int] = set()
    left = [spawner._trait_values[name] for name in LENT]
    while left:
        value = left.pop()
        if isinstance(value, dict | list) and id(value) not in found:
            found.add(id(value))
            left += gc.get_referents(value)
    return found


def test_another_spawner_adds_nothing_however_many_profiles_and_clusters_there_are() -> None:
    config = configured()
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": f"P{n}", "spawner_override": {"environment": {"N": f"{n}"}}}
        for n in range(300)
    ]
    one, other = (sample_spawner(config, name) for name in ("ada", "bob"))
    assert held(one) == held(other)
    assert len(held(one)) > 900
    assert sys.getrefcount(read(one, "profile_list")) > 2


def test_a_look_at_a_default_leaves_nothing_with_the_spawner() -> None:
    spawner = sample_spawner(Config(), "ada")
    assert read(spawner, "objects") == DEFAULT_OBJECTS
    assert read(spawner, "resources") == read(spawner, "patches") == {}
    assert not spawner._trait_values.keys() & {"objects", "resources", "patches"}
    spawner.objects["05-more"] = "kind: ConfigMap"
    assert read(spawner, "objects") == {**DEFAULT_OBJECTS, "05-more": "kind: ConfigMap"}


class _Traits(HasTraits):
    image, ready_check, place_timeout = Unicode("i:1"), Unicode("hub"), Float(60.0, min=0.0)


class _Own(_Traits):
    """Says defaults of its own, in traitlets' three ways."""

    image = Unicode("own:1")

    @default("ready_check")
    def _own_ready_check(self) -> str:
        return "http"

    def _place_timeout_default(self) -> float:
        return 7.0


def test_a_look_gives_what_the_trait_gives_and_keeps_no_default_of_its_own() -> None:
    spawner = sample_spawner(Config(), "ada")
    looked = ("quota", "data", "ready_check", "place_timeout", "queue_timeout", "modify_pod_hook")
    seen = {name: read(spawner, name) for name in looked}
    assert not spawner._trait_values.keys() & {"quota", "data", "ready_check", "place_timeout"}
    assert seen == {name: getattr(spawner, name) for name in looked}
    spawner.place_timeout = 3.0
    assert read(spawner, "place_timeout") == 3.0


def test_a_look_gives_the_defaults_of_a_subclass() -> None:
    names = ("image", "ready_check", "place_timeout")
    assert [read(_Traits(), name) for name in names] == ["i:1", "hub", 60.0]
    assert [read(_Own(), name) for name in names] == ["own:1", "http", 7.0]


def test_each_spawner_is_told_its_own_dict_of_the_traits_that_may_be_configured() -> None:
    spawner = spawner_of()
    told = spawner.traits(config=True)
    assert told == type(spawner).class_traits(config=True)
    told.clear()
    assert spawner.traits(config=True) == type(spawner).class_traits(config=True)
    assert set(spawner.traits()) == set(spawner.trait_names())
    assert "hub" not in spawner.traits(config=True)


def test_a_subclass_has_the_traits_that_it_adds() -> None:
    spawner_of()

    class Own(MultiClusterKubeSpawner):
        extra = Unicode(config=True)

    config = Config()
    config.Own.extra = "more"
    own = Own(config=config, _deprecated_db_session=None)
    assert own.extra == "more"
    assert "extra" in own.traits(config=True)
