"""``mcks check`` and the hub's log name what ``c.KubeSpawner`` says in vain."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking import config_check
from mcks.core.checking.sample import sample_spawner
from mcks.core.hub.fleet import Fleet
from tests.core import kubeconfigs

CLUSTERS = {
    "c": {
        "context": "ctx-a",
        "ingress_public_url": "http://192.0.2.1",
        "hub_connect_url": "http://192.0.2.2",
    }
}


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a")))


def said(switch: bool, **values: Any) -> Config:
    config = Config(KubeSpawner=values)
    config.MultiClusterKubeSpawner.clusters = CLUSTERS
    config.MultiClusterKubeSpawner.read_kubespawner = switch
    return config


def test_without_the_switch_each_ignored_key_is_a_note() -> None:
    found = config_check.check(said(False, uid=1, mem_limit="1G"))
    assert found.problems == []
    assert [note.partition(" is ignored: ")[0] for note in found.notes] == [
        "c.KubeSpawner.uid",
        "c.KubeSpawner.mem_limit",
    ]


def test_with_the_switch_what_has_no_meaning_is_a_note_and_a_near_miss_a_problem() -> None:
    found = config_check.check(said(True, uid=1, events_enabled=False, node_selecter={}))
    assert found.notes == [
        "c.KubeSpawner.events_enabled has no effect. Here it is nothing: mcks does without it"
    ]
    assert found.problems == [
        "c.KubeSpawner.node_selecter is no trait: did you mean 'node_selector'?"
    ]


def test_a_hook_that_cannot_be_called_is_a_problem() -> None:
    (problem,) = config_check.check(said(True, modify_pod_hook=lambda _, pod: pod)).problems
    assert "c.KubeSpawner.modify_pod_hook cannot be called here" in problem


def test_a_value_of_the_wrong_type_is_a_problem() -> None:
    (problem,) = config_check.check(said(True, node_selector=["x"])).problems
    assert "node_selector" in problem


def test_an_unknown_field_is_a_problem() -> None:
    (problem,) = config_check.check(said(True, extra_labels={"a": "{nobody}"})).problems
    assert "unknown field '{nobody}'" in problem


@pytest.mark.parametrize("name", ["uid", "pod_security_context"])
def test_a_function_that_wants_a_real_user_is_a_note_of_one_line(name: str) -> None:
    async def real(spawner: Any) -> Any:
        return spawner.user.nobody_has_this

    found = config_check.check(said(True, **{name: real}))
    assert found.problems == []
    (note,) = found.notes
    assert note.startswith(f"{name}: the function ")
    assert note.endswith(": what it gives is not checked")
    assert "\n" not in note


def test_a_word_of_a_profile_without_meaning_is_a_note_and_a_near_miss_a_problem() -> None:
    listed = [{"display_name": "x", "kubespawner_override": {"services_enabled": True}}]
    found = config_check.check(said(True, profile_list=listed))
    assert found.problems == []
    assert "'services_enabled' has no effect" in found.notes[0]
    listed[0]["kubespawner_override"] = {"tolerationz": []}
    (problem,) = config_check.check(said(True, profile_list=listed)).problems
    assert "Did you mean 'tolerations'?" in problem


def test_the_hub_tells_it_once_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    async def first() -> None:
        await Fleet(sample_spawner(said(False, uid=1), "ada")).close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(first())
    assert [r.getMessage() for r in caplog.records if "c.KubeSpawner.uid is" in r.getMessage()]
