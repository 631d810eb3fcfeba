"""A hub's namespace becomes that of the clusters that have none of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcks.core.checking.sample import sample_spawner
from mcks.core.conversion.clusters import namespaces
from mcks.core.writing.marks import Marks
from tests.core import kubeconfigs
from tests.core.kubespawner.side_by_side import configuration

GATEWAY = {"ingress_public_url": "http://192.0.2.1"}


def found(words: dict[str, Any], **clusters: dict[str, str]) -> dict[str, str]:
    config = configuration(words)
    config.MultiClusterKubeSpawner.clusters = {n: {**GATEWAY, **c} for n, c in clusters.items()}
    return namespaces(config, sample_spawner(config, "ada"), words, Marks())


def test_none_is_said_if_none_is_needed() -> None:
    assert found({}) == found({"namespace": "default"}) == {}


def test_all_clusters_get_it_if_none_has_one() -> None:
    everywhere = {"c.Cluster.namespace": "jhub"}
    assert found({"namespace": "jhub"}) == everywhere
    assert found({"namespace": "jhub"}, west={"context": "nowhere"}) == everywhere


def test_a_clusters_own_and_its_kubeconfigs_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx")))
    assert found(
        {"namespace": "theirs"},
        own={"context": "nowhere", "namespace": "mine"},
        said={"context": "ctx"},
        lacking={"context": "nowhere"},
    ) == {"c.MultiClusterKubeSpawner.clusters['lacking'][\"namespace\"]": "theirs"}


def test_a_namespace_of_each_user_is_a_template() -> None:
    words = {"enable_user_namespaces": True, "user_namespace_template": "{hubnamespace}-{username}"}
    assert found(words) == {
        "c.Cluster.namespace": "{{hub_namespace if hub_namespace != 'default' else 'user'}}"
        "-{{safe_username}}"
    }
