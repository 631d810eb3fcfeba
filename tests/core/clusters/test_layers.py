"""What a cluster says of its servers stands above the hub's word and below all others."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from mcks.core.cli import main
from mcks.core.clusters.layers import Layers
from mcks.core.clusters.pool import Pool
from mcks.core.manifests.defaults import DEFAULT_OBJECTS
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.core import kubeconfigs
from tests.core.profiles.choosing.common import spawner_of

LEVELS = ("hub", "cluster", "group", "profile", "choice", "hook")


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a", "ctx-b")))


def labelled(value: str) -> str:
    return f"kind: Pod\nmetadata: {{name: '{{{{key}}}}', labels: {{of: '{value}'}}}}"


def config_map(value: str) -> str:
    meta = f"{{name: '{{{{key}}}}-map', labels: {{of: '{value}'}}}}"
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {meta}"


def said(level: str, say: frozenset[str], trait: str) -> dict[str, Any]:
    texts = {"patches": labelled(level), "objects": config_map(level), "environment": level}
    return {trait: {"20": texts[trait]}} if level in say else {}


async def started(say: frozenset[str], trait: str, remove: str = "") -> MultiClusterKubeSpawner:
    """Do what the hub does before a start, where each level of *say* says the key "20"."""

    def of(level: str) -> dict[str, Any]:
        return {trait: {"20": None}} if level == remove else said(level, say, trait)

    clusters = {
        name: {"context": f"ctx-{name}", "ingress_public_url": "http://192.0.2.1", **more}
        for name, more in (("a", of("cluster")), ("b", {}))
    }
    choice = {"spawner_override": of("choice")}
    profile = {
        "display_name": "p",
        "cluster": "a",
        "spawner_override": of("profile"),
        "profile_options": {"o": {"choices": {"c": choice}}},
    }
    groups = {"1": {"groups": ["g"], "spawner_override": of("group")}}
    hub = {trait: {**_defaults(trait), **of("hub").get(trait, {})}}
    spawner = spawner_of("g", listed=[profile], clusters=clusters, group_overrides=groups, **hub)
    await spawner.apply_group_overrides()
    await spawner._run_apply_user_options({"profile": "p"})
    if of("hook"):
        setattr(spawner, trait, {**getattr(spawner, trait), **of("hook")[trait]})
    return spawner


def _defaults(trait: str) -> dict[str, Any]:
    return DEFAULT_OBJECTS if trait == "objects" else {}


def planned_in(spawner: MultiClusterKubeSpawner, cluster: str) -> Any:
    spawner.cluster = cluster
    pool = Pool(spawner.config, logging.getLogger("test"))
    return plan.make(spawner, spawner.configured(pool)).objects


def seen(trait: str, objects: Any) -> str | None:
    """The level whose word counts."""
    found = {manifest["kind"]: manifest for manifest in objects}
    if trait == "environment":
        value = found["Secret"]["stringData"].get("20")
    else:
        kind = "Pod" if trait == "patches" else "ConfigMap"
        value = found.get(kind, {"metadata": {}})["metadata"].get("labels", {}).get("of")
    return None if value is None else str(value)


@pytest.mark.parametrize("trait", ["patches", "objects", "environment"])
@pytest.mark.parametrize("highest", LEVELS)
async def test_a_level_counts_if_none_above_it_says_the_same(trait: str, highest: str) -> None:
    below = LEVELS[: LEVELS.index(highest) + 1]
    for say in (frozenset(below), frozenset({highest})):
        assert seen(trait, planned_in(await started(say, trait), "a")) == highest


@pytest.mark.parametrize("trait", ["patches", "objects", "environment"])
@pytest.mark.parametrize("remover", LEVELS[1:])
async def test_none_on_a_level_removes_what_those_below_it_say(trait: str, remover: str) -> None:
    below = frozenset(LEVELS[: LEVELS.index(remover)])
    assert seen(trait, planned_in(await started(below, trait, remover), "a")) is None


@pytest.mark.parametrize("trait", ["patches", "objects", "environment"])
async def test_in_the_next_cluster_nothing_is_left_of_what_the_first_one_says(trait: str) -> None:
    spawner = await started(frozenset({"hub", "cluster"}), trait)
    assert seen(trait, planned_in(spawner, "a")) == "cluster"
    assert seen(trait, planned_in(spawner, "b")) == "hub"
    assert seen(trait, planned_in(spawner, "a")) == "cluster"
    before = getattr(spawner, trait)
    planned_in(spawner, "a")
    assert getattr(spawner, trait) == before
    spawner.clear_state()
    assert getattr(spawner, trait) == {
        **_defaults(trait),
        **said("hub", frozenset({"hub"}), trait)[trait],
    }


@pytest.mark.parametrize("trait", ["patches", "objects", "environment"])
async def test_after_a_try_that_fails_the_next_cluster_finds_nothing_of_the_first(
    trait: str,
) -> None:
    spawner = await started(frozenset({"hub", "cluster"}), trait)

    def fail() -> None:
        with spawner.choosing.overrides.undone_if_it_fails():
            assert seen(trait, planned_in(spawner, "a")) == "cluster"
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert seen(trait, planned_in(spawner, "b")) == "hub"
    with spawner.choosing.overrides.undone_if_it_fails():
        assert seen(trait, planned_in(spawner, "a")) == "cluster"
    assert seen(trait, planned_in(spawner, "b")) == "hub"


async def test_what_a_profile_says_counts_even_if_the_hub_says_the_same() -> None:
    spawner = await started(frozenset({"hub", "cluster"}), "environment")
    spawner.choosing.overrides.set("environment", {"20": "hub"}, "profile")
    assert seen("environment", planned_in(spawner, "a")) == "hub"


async def test_a_hub_that_says_its_templates_under_resources_is_overridden_by_a_cluster() -> None:
    entry = {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"}
    clusters = {"a": {**entry, "objects": {"20": config_map("cluster"), "30": None}}}
    hubs = {"20": config_map("hub"), "30": config_map("hub").replace("-map", "-other")}
    spawner = spawner_of(listed=[], clusters=clusters, resources=hubs)
    await spawner.apply_group_overrides()
    await spawner._run_apply_user_options({})
    (made,) = (m for m in planned_in(spawner, "a") if m["kind"] == "ConfigMap")
    assert made["metadata"]["labels"]["of"] == "cluster"


def test_lists_keep_their_order_around_a_clusters_patches() -> None:
    layers = Layers("patches", ["hub"])
    layers.choose(["profile"])
    current = {"!00-000": "hub", "!01-000": "profile"}
    made = layers.in_cluster({"10": "cluster"}, current)
    assert [*made.values()] == ["hub", "cluster", "profile"]
    assert layers.in_cluster({}, made) == current


def test_a_reference_in_the_hubs_environment_is_not_mixed_with_a_hooks() -> None:
    layers = Layers("environment", {"A": {"valueFrom": {"fieldRef": {"fieldPath": "x"}}}})
    hooks = {"A": {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}}
    assert layers.in_cluster({"B": "1"}, hooks) == {**hooks, "B": "1"}


CONFIG = """
c.JupyterHub.spawner_class = "mcks"
c.JupyterHub.hub_connect_url = "https://hub.example.org"
S = c.MultiClusterKubeSpawner
S.read_kubespawner = READ
c.Spawner.environment = {"BRACES": "{username}"}
S.clusters = {
    "a": {
        "context": "ctx-a",
        "ingress_public_url": "http://192.0.2.1",
        "environment": {"DATA": "{username}", "CALLED": lambda spawner: spawner.user.name},
        "patches": {"50-pool": '''
            kind: Pod
            metadata: {name: "{{key}}"}
            spec: {nodeSelector: {pool: "{{cluster}}"}}
        '''},
    },
}
"""


@pytest.mark.parametrize("read", [False, True])
def test_render_shows_what_a_cluster_says_under_the_rules_of_the_hubs_word(
    read: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jupyterhub_config.py"
    path.write_text(CONFIG.replace("READ", str(read)))
    assert main(["render", "-f", str(path), "--user", "ada"]) == 0
    shown = capsys.readouterr().out
    value = "ada" if read else "'{username}'"
    assert f"BRACES: {value}" in shown
    assert f"DATA: {value}" in shown
    assert "CALLED: ada" in shown
    assert main(["render", "-f", str(path), "--user", "ada", "--diff"]) == 0
    assert "+    pool: a" in capsys.readouterr().out.partition("before patch '50-pool'")[2]


@pytest.mark.parametrize(
    ("was", "instead", "told"),
    [
        ("spec: {nodeSelector", "spec: {nodeSelectr", "nodeSelectr"),
        ('"{{key}}"', '"another"', "50-pool"),
        ('"patches": {', '"patches": {1: "x", ', "clusters['a'].patches"),
        ('"DATA": "{username}"', '"A B": "x"', "A B"),
        ("spawner.user.name", "spawner.nobody", "environment['CALLED']"),
    ],
)
def test_check_finds_what_is_wrong_in_what_a_cluster_says(
    was: str, instead: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jupyterhub_config.py"
    path.write_text(CONFIG.replace("READ", "False"))
    assert main(["check", "-f", str(path), "--offline"]) == 0
    assert told not in capsys.readouterr().out
    path.write_text(CONFIG.replace("READ", "False").replace(was, instead))
    main(["check", "-f", str(path), "--offline"])
    assert told in capsys.readouterr().out
