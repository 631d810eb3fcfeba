"""A server's URL without a gateway follows from its Service, or from its Pod."""

from __future__ import annotations

from typing import Any

import pytest

from mcks.core.clusters import addresses
from mcks.errors import ConfigError

NOTEBOOK: dict[str, Any] = {
    "name": "notebook",
    "ports": [{"name": "notebook-port", "containerPort": 8888}],
}
SIDE_DOOR: dict[str, Any] = {
    "name": "notebook",
    "ports": [{"name": "metrics", "containerPort": 9090}, *NOTEBOOK["ports"]],
}


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 8888, "targetPort": 8888}]
    return {"kind": "Service", "metadata": {"name": "jupyter-ada"}, "spec": {"ports": ports} | spec}


@pytest.mark.parametrize(
    ("spec", "domain", "url"),
    [
        ({}, "", "http://jupyter-ada.ns.svc:8888"),
        ({}, "cluster.local", "http://jupyter-ada.ns.svc.cluster.local:8888"),
        ({"ports": [{"port": 80, "targetPort": 8888}]}, "", "http://jupyter-ada.ns.svc:80"),
        (
            {"ports": [{"port": 9090}, {"port": 80, "targetPort": "notebook-port"}]},
            "",
            "http://jupyter-ada.ns.svc:80",
        ),
        ({"ports": [{"port": 7000}, {"port": 7001}]}, "", "http://jupyter-ada.ns.svc:7000"),
        (
            {"clusterIP": "None", "ports": [{"port": 80, "targetPort": 8888}]},
            "",
            "http://jupyter-ada.ns.svc:8888",
        ),
        (
            {"clusterIP": "None", "ports": [{"port": 80, "targetPort": "notebook-port"}]},
            "",
            "http://jupyter-ada.ns.svc:8888",
        ),
        ({"clusterIP": "None", "ports": [{"port": 80}]}, "", "http://jupyter-ada.ns.svc:80"),
    ],
)
def test_a_services_url_is_its_name_in_dns_and_the_port_that_leads_to_the_server(
    spec: dict[str, Any], domain: str, url: str
) -> None:
    assert addresses.of_service(service(**spec), SIDE_DOOR, "ns", domain) == url


def test_a_service_that_names_its_namespace_is_asked_there() -> None:
    elsewhere = service()
    elsewhere["metadata"]["namespace"] = "other"
    assert addresses.of_service(elsewhere, NOTEBOOK, "ns") == "http://jupyter-ada.other.svc:8888"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"type": "ExternalName", "externalName": "x.org"}, "is of type ExternalName"),
        ({"ports": []}, "'jupyter-ada' has no ports"),
    ],
)
def test_a_service_that_leads_to_no_server_is_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        addresses.of_service(service(**spec), NOTEBOOK, "ns")


@pytest.mark.parametrize(
    ("status", "url"),
    [
        ({"podIP": "10.1.2.3"}, "http://10.1.2.3:8888"),
        ({"podIP": "fd00:1::3"}, "http://[fd00:1::3]:8888"),
        ({"podIP": "fd00:1::3", "podIPs": [{"ip": "fd00:1::3"}]}, "http://[fd00:1::3]:8888"),
        ({"podIP": ""}, ""),
        ({}, ""),
    ],
)
def test_a_pods_url_is_its_address_if_it_has_one(status: dict[str, Any], url: str) -> None:
    assert addresses.of_pod({"kind": "Pod", "status": status}, SIDE_DOOR) == url


def test_of_several_ports_the_one_with_the_servers_name_counts_else_the_first() -> None:
    assert addresses.port_of(SIDE_DOOR) == 8888
    assert addresses.port_of({"ports": [{"containerPort": 80}, {"containerPort": 81}]}) == 80


def test_a_container_without_ports_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'notebook' names no port: .* needs `ports: "):
        addresses.port_of({"name": "notebook"})
