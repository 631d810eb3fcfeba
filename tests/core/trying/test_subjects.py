"""Which clusters ``mcks check`` asks: those that anything in a configuration names."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from mcks.core.trying.subjects import subjects
from mcks.errors import ConfigError, UnknownCluster


def test_contexts_and_urls_that_only_profiles_name_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"one": {"ingress_public_url": "http://192.0.2.1"}}
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": "a", "cluster": "one"},
        {
            "display_name": "b",
            "cluster": "one",
            "spawner_override": {"ingress_public_url": "http://192.0.2.2", "mem_limit": len},
        },
        {
            "display_name": "c",
            "spawner_override": {
                "kubernetes_context": "gke",
                "ingress_public_url": "http://192.0.2.3",
            },
        },
    ]
    found = {subject.name: subject.urls for subject in subjects(config)}
    assert found == {
        "one": ("http://192.0.2.1", "http://192.0.2.2"),
        "context:gke": ("http://192.0.2.3",),
    }
    assert [subject.name for subject in subjects(config, ["gke"])] == ["context:gke"]
    with pytest.raises(UnknownCluster, match=r"'on'. Did you mean 'one'\? Known: gke, one"):
        subjects(config, ["on"])


def test_clusters_and_urls_that_only_a_choice_names_are_found() -> None:
    other = {"kubernetes_context": "eks", "ingress_public_url": "http://192.0.2.4", "no_trait": 1}
    choices = {
        "near": {"display_name": "near", "spawner_override": {}},
        "far": {"display_name": "far", "spawner_override": other},
    }
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"one": {"ingress_public_url": "http://192.0.2.1"}}
    config.MultiClusterKubeSpawner.profile_list = [
        {
            "display_name": "a",
            "cluster": "one",
            "profile_options": {"where": {"display_name": "Where", "choices": choices}},
        }
    ]
    found = {subject.name: subject.urls for subject in subjects(config)}
    assert found == {"one": ("http://192.0.2.1",), "context:eks": ("http://192.0.2.4",)}


def test_a_function_as_profile_list_is_not_called() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"one": {}}
    config.MultiClusterKubeSpawner.profile_list = lambda _spawner: pytest.fail("called")
    assert [subject.name for subject in subjects(config)] == ["one"]


def test_a_configuration_that_cannot_be_read_at_all_is_an_error() -> None:
    config = Config()
    config.MultiClusterKubeSpawner.clusters = "one"
    with pytest.raises(ConfigError, match="clusters"):
        subjects(config)
