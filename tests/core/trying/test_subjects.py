"""Which clusters ``mcks check`` asks: those that anything in a configuration names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

from mcks.core.cli import main
from mcks.core.trying.subjects import Way, subjects
from mcks.errors import ConfigError, UnknownCluster
from tests.core import kubeconfigs
from tests.fakes.own_pod import look_like_a_pod


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


def role_of(tmp_path: Path, capsys: pytest.CaptureFixture[str], entry: str) -> set[str]:
    """Return the resources in the Role that ``mcks rbac`` prints."""
    configuration = tmp_path / "jupyterhub_config.py"
    configuration.write_text(f"c.MultiClusterKubeSpawner.clusters = {{'one': {entry}}}")
    assert main(["rbac", "one", "-f", str(configuration), "--user", "hub"]) == 0
    role = next(yaml.safe_load_all(capsys.readouterr().out))
    return {resource for rule in role["rules"] for resource in rule["resources"]}


def test_a_cluster_without_a_gateway_needs_no_right_to_ingresses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx")))
    context = "'context': 'ctx'"
    with_gateway = role_of(tmp_path, capsys, f"{{{context}, 'ingress_public_url': 'http://g'}}")
    assert "ingresses" in with_gateway
    for route in ("service", "pod"):
        without = role_of(tmp_path, capsys, f"{{{context}, 'route': '{route}'}}")
        assert without == with_gateway - {"ingresses"}


def test_an_entry_of_the_hubs_own_cluster_has_a_way_without_a_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_like_a_pod(monkeypatch, tmp_path)
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"here": {}}
    (subject,) = subjects(config)
    assert (subject.urls, subject.direct) == ((), (Way("service"),))
    config.MultiClusterKubeSpawner.clusters = {"here": {"ingress_public_url": "http://192.0.2.1"}}
    (subject,) = subjects(config)
    assert (subject.urls, subject.direct) == (("http://192.0.2.1",), ())


def test_a_profile_with_a_surprise_in_it_leaves_the_others_to_be_tried() -> None:
    pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: "{{key}}"}
        spec: {containers: [a text]}
    """
    config = Config()
    config.MultiClusterKubeSpawner.clusters = {"one": {"ingress_public_url": "http://192.0.2.1"}}
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": "a", "spawner_override": {"resources": {"02-pod": pod}}},
        {"display_name": "b"},
    ]
    (found,) = subjects(config)
    assert [sample.choice for sample in found.samples] == ["profile 'b'"]
