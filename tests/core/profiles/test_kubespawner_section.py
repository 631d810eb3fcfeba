"""``mcks check`` and the hub's log name what ``c.KubeSpawner`` says in vain."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from tornado import web
from traitlets.config import Config

from mcks.core.checking import config_check
from mcks.core.checking import servers as servers_check
from mcks.core.checking.config_check import Findings
from mcks.core.checking.sample import sample_spawner
from mcks.core.hub.fleet import Fleet
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.core import kubeconfigs
from tests.core.kubespawner.side_by_side import HUB

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
    config.JupyterHub.update(HUB)
    config.Cluster.isolate = True
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
    assert found.notes == ["c.KubeSpawner.events_enabled has no effect: mcks does without it"]
    assert found.problems == [
        "c.KubeSpawner.node_selecter is no trait: did you mean 'node_selector'?"
    ]


def test_a_hook_is_called_and_what_it_breaks_is_a_problem() -> None:
    assert config_check.check(said(True, modify_pod_hook=lambda _, pod: pod)) == Findings()
    (problem,) = config_check.check(said(True, modify_pod_hook=lambda _, pod: None)).problems
    assert problem == "modify_pod_hook gives nothing: it must return the Pod"


def test_a_hook_that_wants_a_real_user_or_a_real_pod_is_a_note() -> None:
    def real(spawner: Any, pod: Any) -> Any:
        pod.metadata.labels["x"] = spawner.user.nobody_has_this

    def refusing(spawner: Any, pod: Any) -> Any:
        raise web.HTTPError(403, "not for ada")

    for hook, words in ((real, "raised AttributeError"), (refusing, "raised HTTPError")):
        found = config_check.check(said(True, modify_pod_hook=hook, after_pod_created_hook=hook))
        assert found.problems == []
        assert found.notes[0].startswith("modify_pod_hook: the function ")
        assert words in found.notes[0]
        assert found.notes[0].endswith(": what it gives is not checked")
        assert found.notes[1:] == [servers_check.NOT_CALLED]


def test_a_hook_that_nobody_reads_is_told() -> None:
    (note,) = config_check.check(said(False, modify_pod_hook=lambda _, pod: pod)).notes
    assert note.startswith("c.KubeSpawner.modify_pod_hook is ignored: ")


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


def test_what_packages_write_into_the_section_counts_without_the_switch_too() -> None:
    def hook(_: Any) -> None:
        pass

    for switch in (True, False):
        config = said(switch, pre_spawn_hook=hook, additional_profile_form_template_paths=["/x"])
        config.Spawner.pre_spawn_hook = lambda _: None
        spawner = sample_spawner(config, "ada")
        assert spawner.pre_spawn_hook is hook
        assert spawner.additional_profile_form_template_paths == ["/x"]
        assert config_check.check(config).notes == []


def test_mcks_own_section_stands_above_what_packages_write() -> None:
    config = said(False, additional_profile_form_template_paths=["/x"], image="x:1")
    config.MultiClusterKubeSpawner.additional_profile_form_template_paths = ["/y"]
    spawner = sample_spawner(config, "ada")
    assert spawner.additional_profile_form_template_paths == ["/y"]
    assert spawner.image == MultiClusterKubeSpawner.image.default_value


def test_a_word_in_mcks_own_section_gets_a_patch_with_its_own_value() -> None:
    config = said(False)
    config.MultiClusterKubeSpawner.node_selector = {"disk": "mine"}
    config.MultiClusterKubeSpawner.tolerations.append({"key": "appended"})
    config.MultiClusterKubeSpawner.extra_labels.update({"team": "updated"})
    selector, tolerations, labels = config_check.check(config).problems
    assert selector.startswith("c.MultiClusterKubeSpawner: 'node_selector' is KubeSpawner's.")
    for problem, own in ((selector, "mine"), (tolerations, "appended"), (labels, "updated")):
        assert f": {own}\n" in problem
