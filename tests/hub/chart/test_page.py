"""What the page on Zero to JupyterHub recommends: its values, its files, its remedies, offline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets.config import Config

from mcks.core.cli import main
from mcks.core.objects import Manifest
from tests.core import kubeconfigs, kubernetes_schemas
from tests.core.kubespawner.side_by_side import planned, the
from tests.fakes.own_pod import HUB_POD, look_like_a_pod
from tests.hub.chart import release
from tests.hub.chart.examples import TYPICAL, Values, clusters
from tests.hub.chart.hub_configuration import value

TEXT = (release.ROOT / "docs" / "how-to" / "zero-to-jupyterhub.md").read_text()
FILES = release.PAGE.parent
CHART = yaml.safe_load(release.DEFAULTS.read_text())["Chart"]
PAGE = yaml.safe_load(release.PAGE.read_text())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def in_the_hubs_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_like_a_pod(monkeypatch, tmp_path)
    kubeconfigs.write(tmp_path / "kubeconfig", "west")


@pytest.fixture
def local(tmp_path: Path) -> Values:
    """Where the file lies that the page mounts."""
    return clusters(west={"kubeconfig": str(tmp_path / "kubeconfig")})


def config_of(*layers: Values) -> Config:
    return release.hub_config(PAGE, *layers)


# -- the files --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "language"), [("values.yaml", "yaml"), ("Dockerfile", "docker")])
def test_the_page_shows_the_file(name: str, language: str) -> None:
    assert (FILES / name).read_text() in blocks(language)


def test_the_role_is_the_one_that_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    command = "rbac --namespace jhub --serviceaccount jhub:hub"
    assert f"mcks {command} |" in TEXT
    assert main(command.split()) == 0
    assert (FILES / "role.yaml").read_text() == capsys.readouterr().out


def test_image_and_values_are_of_the_charts_version() -> None:
    tag = PAGE["hub"]["image"]["tag"]
    assert tag == CHART["Version"]
    assert f"FROM quay.io/jupyterhub/k8s-hub:{tag}\n" in (FILES / "Dockerfile").read_text()
    assert f"--version {tag}" in TEXT


# -- the values ---------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{}, TYPICAL], ids=["alone", "over a hub's own"])
def test_a_check_of_the_values_finds_nothing(
    values: Values, local: Values, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = release.write(tmp_path, HUB_POD.namespace, values, PAGE, local)
    assert main(["check", "--offline", "--strict", "-f", str(file)]) == 0
    assert capsys.readouterr().out == "0 problems found\n"


def environment(objects: list[Manifest]) -> dict[str, Any]:
    found: dict[str, Any] = the("Secret", objects)["stringData"]
    return found


def test_what_the_chart_makes_may_be_named_in_the_hubs_own_cluster(
    local: Values, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scheduler = {"scheduling": {"userScheduler": {"enabled": True}}}
    gateway = clusters(here={"ingress_public_url": "https://here.example.org"})
    file = release.write(tmp_path, HUB_POD.namespace, PAGE, local, scheduler, gateway)
    assert main(["check", "--offline", "--strict", "-f", str(file)]) == 0
    assert capsys.readouterr().out == "0 problems found\n"


async def test_a_profile_without_a_cluster_is_for_the_hubs_own_by_the_charts_names(
    local: Values,
) -> None:
    objects = await planned(config_of(local))
    assert {manifest["kind"] for manifest in objects} == {
        *("Pod", "Secret", "Service", "PersistentVolumeClaim"),
    }
    assert environment(objects)["JUPYTERHUB_API_URL"] == "http://hub:8081/hub/api"


async def test_a_server_in_another_cluster_has_a_route_and_the_hubs_public_address(
    local: Values,
) -> None:
    profiles = {"singleuser": {"profileList": [{"display_name": "w", "cluster": "west"}]}}
    objects = await planned(config_of(local, profiles), profile="w")
    assert the("Ingress", objects)
    api = environment(objects)["JUPYTERHUB_API_URL"]
    assert api == "https://hub.example.org/hub/api"


async def test_the_charts_policy_lets_hub_and_proxy_reach_a_server_beside_them(
    local: Values,
) -> None:
    pod = the("Pod", await planned(config_of(local)))
    selected = {"app": "jupyterhub", "release": "jhub", "component": "singleuser-server"}
    assert selected.items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["labels"]["hub.jupyter.org/network-access-hub"] == "true"
    (port,) = pod["spec"]["containers"][0]["ports"]
    assert port == {"name": "notebook-port", "containerPort": 8888}


async def test_no_scheduler_or_priority_of_the_chart_is_named(local: Values) -> None:
    spec = the("Pod", await planned(config_of(local)))["spec"]
    assert "schedulerName" not in spec
    assert "priorityClassName" not in spec


# -- the obstacles ------------------------------------------------------------------------------


MORE = [yaml.safe_load(block) for block in blocks("yaml") if block != release.PAGE.read_text()]
"""What the page adds to its values, for some hubs."""


def said(key: str) -> Any:
    """What the page adds at *key* of the values, at one place."""
    (found,) = [there for more in MORE if (there := value(more, key)) is not None]
    return found


@pytest.mark.parametrize("more", MORE)
def test_a_check_of_what_is_added_finds_nothing(
    more: Values, local: Values, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = release.write(tmp_path, HUB_POD.namespace, PAGE, more, local)
    assert main(["check", "--offline", "--strict", "-f", str(file)]) == 0
    assert capsys.readouterr().out == "0 problems found\n"


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("hub.networkPolicy.egress", "egress"),
        ("proxy.chp.networkPolicy.egress", "egress"),
        ("singleuser.networkPolicy.ingress", "ingress"),
    ],
)
def test_the_rules_for_policies_are_such(key: str, field: str) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "x"},
        "spec": {"podSelector": {}, field: said(key)},
    }
    kubernetes_schemas.validate(policy)


async def test_objects_that_are_added_stand_beside_the_default_ones(local: Values) -> None:
    (more,) = [more for more in MORE if "resources" in str(more)]
    config = config_of(more, local)
    objects = await planned(config)
    assert the("ConfigMap", objects)["data"] == {"cluster": "here"}
    assert {"Pod", "Secret"} <= {manifest["kind"] for manifest in objects}
    assert callable(config.MultiClusterKubeSpawner.clusters["west"]["allow"])
