"""Where requests to an isolated server come from: said, known, or refused."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.clusters.configure import configure
from mcks.core.gateways.gateway_peers import known, peers
from mcks.errors import ConfigError


def of_namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def cluster(**entry: Any) -> ConfiguredCluster:
    clusters = {"west": {"context": "x", "namespace": "ns"} | entry}
    return configure("west", clusters, Config(), logging.getLogger("test"))


def accepted(**entry: Any) -> list[dict[str, Any]]:
    found = cluster(**entry)
    return found.gateway_peers(found.route("https://gateway.example.org"))


@pytest.mark.parametrize(
    ("said", "peer"),
    [
        ("ingress-nginx", of_namespace("ingress-nginx")),
        ("1st", of_namespace("1st")),
        ("10.0.0.0/16", {"ipBlock": {"cidr": "10.0.0.0/16"}}),
        ("10.0.3.4/16", {"ipBlock": {"cidr": "10.0.0.0/16"}}),
        ("2001:db8::1", {"ipBlock": {"cidr": "2001:db8::1/128"}}),
        ({"podSelector": {}}, {"podSelector": {}}),
        ({"ipBlock": {"cidr": "::/0"}}, {"ipBlock": {"cidr": "::/0"}}),
    ],
)
def test_a_namespace_addresses_and_kubernetes_own_words_are_understood(
    said: Any, peer: dict[str, Any]
) -> None:
    assert peers([said]) == [peer]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "is neither a namespace nor addresses"),
        ("10.0.0.0/33", "is neither a namespace nor addresses"),
        ("gateways/public", "is neither a namespace nor addresses"),
        ("Gateways", "is neither a namespace nor addresses"),
        ({}, "is no NetworkPolicyPeer"),
        ({"namespace": "x"}, "is no NetworkPolicyPeer"),
        ({"ipBlock": {"cidr": "::/0"}, "podSelector": {}}, "is no NetworkPolicyPeer"),
    ],
)
@pytest.mark.parametrize("isolate", [True, False])
def test_what_is_none_of_these_is_refused_with_its_place(
    said: Any, told: str, isolate: bool
) -> None:
    with pytest.raises(ConfigError, match=rf"^clusters\['west'\]\.accept_from: .*{told}"):
        cluster(accept_from=[said], isolate=isolate)


@pytest.mark.parametrize(
    ("entry", "namespace"),
    [
        ({}, "projectcontour"),
        ({"route": "httproute", "route_gateway": "gateways/public"}, "gateways"),
    ],
)
def test_the_namespace_of_a_known_gateway_need_not_be_said(
    entry: dict[str, Any], namespace: str
) -> None:
    assert accepted(isolate=True, **entry) == [of_namespace(namespace)]


UNKNOWN = [
    {"route_class": "nginx"},
    {"route_class": ""},
    {"route": "httproute", "route_gateway": "public"},
    {"route": "none"},
]


@pytest.mark.parametrize("entry", UNKNOWN)
def test_another_gateway_must_be_named_before_anything_is_isolated_from_it(
    entry: dict[str, Any],
) -> None:
    assert accepted(**entry) == []
    with pytest.raises(ConfigError, match=r"^clusters\['west'\]\.accept_from is missing: "):
        accepted(isolate=True, **entry)
    assert accepted(isolate=True, accept_from=["gw"], **entry) == [of_namespace("gw")]


def test_the_servers_own_namespace_is_refused_as_a_whole() -> None:
    with pytest.raises(ConfigError, match="which could reach each other: name the gateway's pods"):
        accepted(isolate=True, namespace="servers", accept_from=["gw", "servers"])
    route = {"route": "httproute", "route_gateway": "servers/public"}
    with pytest.raises(ConfigError, match="which could reach each other"):
        accepted(isolate=True, namespace="servers", **route)
    peer = {"podSelector": {"matchLabels": {"app": "envoy"}}}
    assert accepted(isolate=True, namespace="servers", accept_from=[peer]) == [peer]


def test_all_clusters_are_isolated_by_a_default_of_the_class() -> None:
    config = Config()
    config.Cluster.isolate = True
    for entry in ({}, {"isolate": False}):
        found = configure("c", {"c": {"context": "x", **entry}}, config, logging.getLogger("t"))
        assert found.cluster.isolate is entry.get("isolate", True)


@pytest.mark.parametrize("route", ["service", "pod"])
def test_without_a_gateway_hub_and_proxy_are_known_by_their_label_in_the_hubs_own_cluster(
    route: str,
) -> None:
    (peer,) = known(route, "contour", {"name": ""}, "jhub")
    assert peer == of_namespace("jhub") | {
        "podSelector": {"matchLabels": {"hub.jupyter.org/network-access-singleuser": "true"}}
    }
    assert known(route, "contour", {"name": ""}) == []
    with pytest.raises(ConfigError, match="accept_from is missing"):
        accepted(isolate=True, route=route)
    assert accepted(isolate=True, route=route, accept_from=["10.0.0.7"])
