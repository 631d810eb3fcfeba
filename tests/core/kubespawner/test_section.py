"""The section ``c.KubeSpawner``: whether it counts, and what in it changes nothing."""

from __future__ import annotations

from traitlets.config import Config
from traitlets.config.loader import KVArgParseConfigLoader

from mcks.core.checking.sample import sample_spawner
from mcks.core.kubespawner import section
from mcks.core.spawner import MultiClusterKubeSpawner

OURS = set(MultiClusterKubeSpawner.class_trait_names(config=True))


def said(switch: bool, **values: object) -> Config:
    config = Config(KubeSpawner=values)
    config.MultiClusterKubeSpawner.read_kubespawner = switch
    return config


def test_the_section_is_read_only_if_it_is_said() -> None:
    assert section.is_read(said(True))
    assert not section.is_read(said(False))
    assert not section.is_read(Config(KubeSpawner={"uid": 1}))


def test_a_switch_on_the_command_line_counts() -> None:
    said = ["--MultiClusterKubeSpawner.read_kubespawner=True", "--KubeSpawner.uid=7"]
    config = KVArgParseConfigLoader(said).load_config()
    assert section.is_read(config)
    assert sample_spawner(config, "ada").words()["uid"] == 7


def test_without_the_switch_each_key_is_ignored() -> None:
    config = said(False, uid=1, mem_limit="1G")
    assert list(section.ignored(config, OURS)) == [("uid", False), ("mem_limit", False)]


def test_with_the_switch_only_what_has_no_meaning_or_is_unknown_is_ignored() -> None:
    config = said(True, uid=1, mem_limit="1G", events_enabled=False, node_selecter={})
    assert list(section.ignored(config, OURS)) == [
        ("events_enabled", False),
        ("node_selecter", True),
    ]


def test_a_word_that_says_what_holds_anyway_is_not_told() -> None:
    assert list(section.ignored(said(True, events_enabled=True), OURS)) == []
    assert list(section.ignored(said(False, events_enabled=True), OURS)) != []


def test_what_was_only_looked_at_is_not_said() -> None:
    config = said(True)
    assert config.KubeSpawner.extra_labels is not None
    assert list(section.ignored(config, OURS)) == []


def test_a_near_miss_and_an_old_name_are_told_with_the_right_one() -> None:
    assert section.advice("node_selecter", OURS) == (
        "c.KubeSpawner.node_selecter is no trait: did you mean 'node_selector'?"
    )
    assert "write 'uid'" in section.advice("singleuser_uid", OURS)
    assert "write 'storage_class'" in section.advice("user_storage_class", OURS)
