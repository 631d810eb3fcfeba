"""A newcomer's path, offline: the values that a hub has, the clusters, the switch, nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcks.core.cli import main
from tests.core import kubeconfigs
from tests.hub.chart import release
from tests.hub.chart.examples import HUBS, SWITCH, WEST

BESIDE_OFF = {
    "scheduling": {"userScheduler": {"enabled": False}, "podPriority": {"enabled": False}}
}


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "west")))


@pytest.mark.parametrize("name", HUBS)
def test_a_check_finds_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = release.write(tmp_path, release.NAMESPACE, HUBS[name], SWITCH, WEST, BESIDE_OFF)
    assert main(["check", "--offline", "--strict", "-f", str(file)]) == 0
    assert capsys.readouterr().out == "0 problems found\n"


def test_what_the_chart_makes_beside_the_hub_only_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {"imagePullSecret": {"create": True}}
    file = release.write(tmp_path, release.NAMESPACE, HUBS["node pools"], secret, SWITCH, WEST)
    assert main(["check", "--offline", "-f", str(file)]) == 0
    told = capsys.readouterr().out
    for value in ("scheduling.userScheduler.enabled", "scheduling.podPriority.enabled"):
        assert f"in the hub's own cluster only: set {value}: false" in told
    assert "only: set imagePullSecrets" in told


def test_without_the_switch_a_check_names_what_would_be_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    off = {"hub": {"config": {"MultiClusterKubeSpawner": {"read_kubespawner": False}}}}
    file = release.write(tmp_path, release.NAMESPACE, SWITCH, WEST, off)
    assert main(["check", "--offline", "-f", str(file)]) == 0
    assert "c.KubeSpawner.storage_pvc_ensure is ignored" in capsys.readouterr().out


def test_the_charts_own_address_of_the_hub_is_a_warning_for_another_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    west = {"context": "west", "ingress_public_url": "https://west.example.org"}
    only = {"hub": {"config": {"MultiClusterKubeSpawner": {"clusters": {"west": west}}}}}
    file = release.write(tmp_path, release.NAMESPACE, SWITCH, only)
    assert main(["check", "--offline", "-f", str(file)]) == 0
    told = capsys.readouterr().out
    assert "c.JupyterHub.hub_connect_url: 'hub' is known in the hub's own network at most" in told
