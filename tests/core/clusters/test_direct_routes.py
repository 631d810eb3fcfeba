"""Servers without a gateway: which clusters have them, what is made there, and what is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.checking import config_check
from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.configure import configure
from mcks.core.servers import plan
from mcks.core.servers.server import Plan, located
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError
from tests.core import kubeconfigs
from tests.fakes.own_pod import look_like_a_pod

ROOT = Path(__file__).parents[3]
GATEWAY = "http://192.0.2.1"


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    look_like_a_pod(monkeypatch, tmp_path)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfigs.write(tmp_path / "kc", "ctx")))


def config_of(entry: dict[str, Any], **settings: Any) -> Config:
    """A hub whose Service is called ``hub``; outside of a Pod its cluster is a context."""
    config = Config()
    if "KUBECONFIG" in os.environ:
        entry = {"context": "ctx"} | entry
    config.JupyterHub.update({"spawner_class": "mcks", "hub_connect_url": "http://hub:8081"})
    config.MultiClusterKubeSpawner.clusters = {"here": entry}
    config.MultiClusterKubeSpawner.update(settings)
    return config


def planned(config: Config) -> Plan:
    return plan_of(sample_spawner(config, "ada"))


def plan_of(spawner: MultiClusterKubeSpawner) -> Plan:
    configured = configure("here", spawner.clusters, spawner.config, spawner.log)
    return plan.make(spawner, configured)


def kinds(made: Plan) -> set[str]:
    return {manifest["kind"] for manifest in made.objects}


def hub_url(made: Plan) -> str:
    secret = next(m for m in made.objects if m["kind"] == "Secret")
    return str(secret["stringData"]["JUPYTERHUB_API_URL"])


@pytest.mark.usefixtures("inside")
def test_an_entry_without_a_word_is_the_hubs_own_cluster_and_needs_no_gateway() -> None:
    made = planned(config_of({}))
    assert made.target.url == "http://jupyter-ada.hubs.svc:8888"
    assert made.target.probe_url == "http://jupyter-ada.hubs.svc:8888/user/ada/api"
    assert made.target.route == "service"
    assert made.created.namespace == "hubs"
    assert kinds(made) == {"Secret", "ServiceAccount", "Pod", "Service"}
    assert hub_url(made) == "http://hub:8081/hub/api"
    assert config_check.problems(config_of({})) == []


@pytest.mark.usefixtures("inside")
def test_a_gateway_of_the_hubs_own_cluster_is_used_by_an_ingress_as_ever() -> None:
    entry = {"ingress_public_url": GATEWAY}
    for config in (config_of(entry), config_of({}, ingress_public_url=GATEWAY)):
        made = planned(config)
        assert (made.target.url, made.target.route) == (GATEWAY, "ingress")
        assert "Ingress" in kinds(made)


@pytest.mark.usefixtures("outside")
def test_another_cluster_needs_a_gateway_unless_its_entry_says_otherwise() -> None:
    with pytest.raises(ConfigError, match=r'no ingress_public_url.*route = "service" or "pod"'):
        planned(config_of({}))
    assert planned(config_of({"route": "service"})).target.url == "http://jupyter-ada.jhub.svc:8888"


@pytest.mark.usefixtures("outside")
def test_a_domain_stands_at_the_end_of_a_services_name() -> None:
    made = planned(config_of({"route": "service", "cluster_domain": "east.example.org"}))
    assert made.target.url == "http://jupyter-ada.jhub.svc.east.example.org:8888"


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    ("address", "url"),
    [("10.1.2.3", "http://10.1.2.3:8000"), ("fd00::3", "http://[fd00::3]:8000")],
)
def test_a_pod_is_asked_at_its_address_and_the_port_of_its_container(
    address: str, url: str
) -> None:
    made = planned(config_of({"route": "pod"}, port=8000))
    assert (made.target.url, made.target.route) == ("", "pod")
    assert "Ingress" not in kinds(made)
    pod = next(m for m in made.objects if m["kind"] == "Pod")
    assert located(made.target, {**pod, "status": {"podIP": address}}).url == url
    assert located(made.target, pod).url == ""
    assert located(made.target, None).url == ""


@pytest.mark.usefixtures("outside")
def test_a_base_url_and_a_subdomain_are_asked_for_as_through_a_gateway() -> None:
    config = config_of({"route": "service"})
    config.JupyterHub.base_url = "/jupyter/"
    probe_url = "http://jupyter-ada.jhub.svc:8888/jupyter/user/ada/api"
    assert planned(config).target.probe_url == probe_url
    config.JupyterHub.subdomain_host = "https://hub.example.org"
    target = planned(config).target
    assert target.probe_url == probe_url
    assert target.proxy_spec.startswith("ada.hub.example.org/")


@pytest.mark.usefixtures("outside")
def test_a_route_of_the_administrators_own_is_made_whatever_the_way() -> None:
    own = {"04-ingress": "{apiVersion: v1, kind: ConfigMap, metadata: {name: '{{key}}'}}"}
    made = planned(config_of({"route": "service"}, resources=own))
    assert "ConfigMap" in kinds(made)


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize(
    ("hub", "namespace", "url"),
    [
        ({"hub_connect_url": "http://hub:8081"}, "hubs", "http://hub:8081"),
        (
            {"hub_connect_url": "http://hub:8081"},
            "jupyter-{{username}}",
            "http://hub.hubs.svc:8081",
        ),
        ({"hub_ip": "0.0.0.0"}, "hubs", "http://10.1.0.7:8081"),
        ({"hub_bind_url": "http://:8082"}, "other", "http://10.1.0.7:8082"),
        ({"hub_connect_ip": "10.9.9.9"}, "hubs", "http://10.9.9.9:8081"),
    ],
)
def test_pods_of_the_hubs_own_cluster_are_told_where_they_find_the_hub(
    hub: dict[str, str], namespace: str, url: str
) -> None:
    config = config_of({"namespace": namespace})
    del config.JupyterHub.hub_connect_url
    config.JupyterHub.update(hub)
    assert hub_url(planned(config)) == f"{url}/hub/api"


@pytest.mark.usefixtures("inside")
def test_what_an_administrator_says_of_the_hubs_url_counts_before_what_mcks_finds() -> None:
    config = config_of({"namespace": "elsewhere"}, hub_connect_url="http://a:1")
    assert hub_url(planned(config)) == "http://a:1/hub/api"
    config = config_of({"namespace": "elsewhere", "hub_connect_url": "http://b:1"})
    assert hub_url(planned(config)) == "http://b:1/hub/api"


@pytest.mark.usefixtures("inside")
def test_a_hub_that_only_its_own_pod_reaches_is_told_before_anything_is_sent() -> None:
    config = config_of({})
    del config.JupyterHub.hub_connect_url
    (problem,) = config_check.problems(config)
    assert problem.startswith("cluster 'here': the hub is at http://127.0.0.1:8081/hub/")
    config.MultiClusterKubeSpawner.clusters = {"here": {"ingress_public_url": GATEWAY}}
    assert config_check.problems(config) == []


@pytest.mark.usefixtures("inside")
def test_an_address_of_the_hub_that_passes_with_its_pod_is_noted() -> None:
    config = config_of({})
    del config.JupyterHub.hub_connect_url
    config.JupyterHub.hub_ip = "0.0.0.0"
    found = config_check.check(config)
    assert found.problems == []
    (note,) = found.warnings
    assert note.startswith(
        "cluster 'here': servers reach the hub at http://10.1.0.7:8081, its Pod's"
    )


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("route", ["service", "pod"])
@pytest.mark.parametrize("profile", [False, True])
def test_a_gateway_and_a_way_without_one_exclude_each_other(route: str, profile: bool) -> None:
    gateway = {"ingress_public_url": GATEWAY}
    config = config_of({"route": route} | ({} if profile else gateway))
    if profile:
        config.MultiClusterKubeSpawner.profile_list = [
            {"display_name": "x", "spawner_override": gateway}
        ]
    problem = config_check.problems(config)[0]
    assert f"route = '{route}' has no gateway, but there is an ingress_public_url" in problem


EXTERNAL = """
    kind: Service
    metadata: {name: "{{key}}"}
    spec: {type: ExternalName, externalName: notebooks.example.org}
"""
NO_PORT = """
    kind: Pod
    metadata: {name: "{{key}}"}
    spec: {containers: [{name: notebook, ports: [{$patch: replace}]}]}
"""


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    ("entry", "settings", "message"),
    [
        ({"route": "services"}, {}, "unknown kind of route 'services'.*'service'"),
        ({"route": "service", "cluster_domain": ".local"}, {}, "cluster_domain '.local' is not a"),
        ({"route": "service", "cluster_domain": "a b"}, {}, "cluster_domain 'a b' is not a domain"),
        ({"route": "service"}, {"patches": {"1": EXTERNAL}}, "is of type ExternalName"),
        (
            {"route": "service"},
            {"resources": {"03-service": None}},
            "no Service named 'jupyter-ada'",
        ),
        ({"route": "pod"}, {"patches": {"1": NO_PORT}}, "'notebook' names no port"),
    ],
)
def test_what_cannot_lead_to_a_server_is_told_offline(
    entry: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        planned(config_of(entry, **settings))
    assert config_check.problems(config_of(entry, **settings))


@pytest.mark.usefixtures("outside")
def test_a_pod_needs_no_service() -> None:
    made = planned(config_of({"route": "pod"}, resources={"03-service": None}))
    assert kinds(made) == {"Secret", "ServiceAccount", "Pod"}


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("block", range(2))
def test_the_how_to_of_the_hubs_own_cluster_has_no_mistake(block: int, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "own-cluster.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    config = config_of({})
    exec(blocks[block], {"c": config})
    if far := config.MultiClusterKubeSpawner.clusters.get("far"):
        far["kubeconfig"] = str(kubeconfigs.write(tmp_path / "far", "far"))
        config.MultiClusterKubeSpawner.cluster = "here"
    assert config_check.check(config).found == []
    assert planned(config).target.url == "http://jupyter-ada.hubs.svc:8888"
