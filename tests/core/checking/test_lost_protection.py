"""``mcks check`` warns of clusters that protect servers less than KubeSpawner did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking import config_check
from tests.core import kubeconfigs
from tests.core.kubespawner.side_by_side import HUB

ENTRY = {"context": "ctx-a", "ingress_public_url": "http://192.0.2.1"}


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx-a")))


def said(switch: bool, **values: Any) -> Config:
    config = Config(KubeSpawner=values)
    config.JupyterHub.update(HUB)
    config.MultiClusterKubeSpawner.clusters = {"c": ENTRY}
    config.MultiClusterKubeSpawner.read_kubespawner = switch
    return config


def warnings_of(config: Config) -> list[str]:
    found = config_check.check(config)
    assert found.problems == []
    assert {f.code for f in found.found if f.severity == "warning"} <= {"MCKS014", "MCKS110"}
    return [str(f) for f in found.found if f.code == "MCKS110"]


def of_clusters(switch: bool, clusters: dict[str, Any], **values: Any) -> list[str]:
    """What is warned of with these *clusters*; what is said of each is added to its entry."""
    config = said(switch, **values)
    config.MultiClusterKubeSpawner.clusters = {n: ENTRY | more for n, more in clusters.items()}
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": name, "cluster": name} for name in clusters
    ]
    return warnings_of(config)


def test_each_cluster_that_loses_something_is_told_in_a_sentence_and_no_other() -> None:
    clusters = {"west": {}, "east": {"isolate": True}, "north": {"isolate": False}}
    assert of_clusters(False, clusters, uid=1000) == [
        f"servers in cluster {name!r} are not kept from gaining privileges, a token for the "
        "Kubernetes API, as they were with KubeSpawner: write 'isolate': True into its entry"
        for name in ("west", "north")
    ]


def test_a_section_that_is_read_keeps_what_it_says_but_not_the_charts_policy() -> None:
    labels = {"hub.jupyter.org/network-access-hub": "true"}
    block = {"name": "b", "image": "i:1", "args": ["--destination", "169.254.169.254"]}
    assert of_clusters(True, {"west": {}}, uid=1000) == []
    (told,) = of_clusters(True, {"west": {}}, extra_labels=labels, init_containers=[block])
    assert "kept from requests of others than the hub's users, as" in told


def test_profiles_in_kubespawners_words_tell_where_a_hub_comes_from() -> None:
    config = said(False)
    config.MultiClusterKubeSpawner.profile_list = [{"display_name": "a"}]
    assert warnings_of(config) == []
    choices = {"x": {"display_name": "x", "kubespawner_override": {"cpu_limit": 1}}}
    options = {"o": {"display_name": "o", "choices": choices}}
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": "a", "profile_options": options}
    ]
    (told,) = warnings_of(config)
    assert "gaining privileges, a token for the Kubernetes API" in told


def test_patches_that_say_the_same_leave_nothing_to_tell() -> None:
    config = said(False)
    config.MultiClusterKubeSpawner.profile_list = [
        {"display_name": "a", "kubespawner_override": {"cpu_limit": 1}}
    ]
    config.MultiClusterKubeSpawner.patches = {
        "1": """
            kind: Pod
            metadata: {name: "{{key}}"}
            spec:
              automountServiceAccountToken: false
              containers:
              - {name: notebook, securityContext: {allowPrivilegeEscalation: false}}
        """
    }
    assert warnings_of(config) == []


def test_a_profile_list_that_is_a_function_hides_nothing_of_the_section() -> None:
    config = said(False, uid=1)
    config.MultiClusterKubeSpawner.profile_list = lambda _: []
    (told,) = warnings_of(config)
    assert told.startswith("servers in cluster 'c' are not kept from gaining privileges")
