"""Other Pods of the hub's cluster are told an address of the hub that they can use."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from mcks.core.clusters import hub_pod
from mcks.core.clusters.hub_pod import HubPod, HubURL, url_for_pods
from mcks.errors import ConfigError
from tests.fakes.own_pod import HUB_POD


@pytest.mark.parametrize(
    ("said", "namespace", "domain", "url"),
    [
        ("http://hub:8081/hub/", "hubs", "", "http://hub:8081"),
        ("http://hub:8081/hub/", "jupyter-ada", "", "http://hub.hubs.svc:8081"),
        ("http://hub/hub/", "other", "cluster.local", "http://hub.hubs.svc.cluster.local"),
        ("https://hub.example.org/hub/", "jupyter-ada", "", "https://hub.example.org"),
        ("http://10.9.9.9:8081/hub/", "jupyter-ada", "", "http://10.9.9.9:8081"),
        ("http://[fd00::9]:8081/hub/", "jupyter-ada", "", "http://[fd00::9]:8081"),
    ],
)
def test_a_bare_service_name_gets_its_namespace_where_it_needs_one(
    said: str, namespace: str, domain: str, url: str
) -> None:
    assert url_for_pods(said, HUB_POD, namespace, domain, named=True) == HubURL(url)


@pytest.mark.parametrize(
    ("address", "url"),
    [("10.1.0.7", "http://10.1.0.7:8081"), ("fd00::7", "http://[fd00::7]:8081")],
)
def test_the_pods_own_name_becomes_its_address_which_is_passing(address: str, url: str) -> None:
    hub = HubPod("Hub-7d9f", address, "hubs")
    said = "http://Hub-7d9f:8081/hub/"
    assert url_for_pods(said, hub, "hubs", named=False) == HubURL(url, passing=True)


def test_a_service_may_be_called_as_the_hubs_pod_is() -> None:
    hub = HubPod("hub", "10.1.0.7", "hubs")
    assert url_for_pods("http://hub:8081/", hub, "hubs", named=True) == HubURL("http://hub:8081")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_hub_that_listens_to_itself_alone_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match=r'hub_ip = "0\.0\.0\.0"'):
        url_for_pods(f"http://{host}:8081/hub/", HUB_POD, "hubs", named=False)


@pytest.mark.parametrize("service", ["10.0.0.1", "fd00::1"])
def test_a_pod_finds_its_name_and_an_address_that_others_can_use(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", service)
    found = hub_pod.find("hubs")
    assert (found.hostname, found.namespace) == (socket.gethostname(), "hubs")
    assert not found.address or not ipaddress.ip_address(found.address).is_unspecified


def test_a_pod_without_a_network_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_pod, "_AFAR", {socket.AF_INET: "255.255.255.255"})
    assert hub_pod.find("hubs").address == ""
    nowhere = HubPod("h", "", "hubs")
    assert url_for_pods("http://h:1", nowhere, "hubs", named=False) == HubURL("http://h:1")


def test_a_kernel_without_ipv6_has_no_address_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refuse)
    assert hub_pod.find("hubs").address == ""
