"""Free ports and free subnets."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket

import pytest

from tests.cluster import addresses


def test_a_port_on_which_something_listens_is_not_free() -> None:
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not addresses.port_is_free(listener.getsockname()[1])


def test_ports_are_chosen_below_those_of_outgoing_connections() -> None:
    candidates = list(addresses.candidate_ports(32_768))

    assert len(candidates) > 1000
    assert min(candidates) > 9000
    assert max(candidates) < 32_768


def test_ports_are_chosen_below_a_low_ephemeral_range_too() -> None:
    assert max(addresses.candidate_ports(16_000)) < 16_000


def test_two_searches_rarely_begin_with_the_same_port() -> None:
    assert list(addresses.candidate_ports(32_768, 1)) != list(addresses.candidate_ports(32_768, 2))


def test_free_ports_are_different() -> None:
    assert len(set(addresses.free_ports(30))) == 30


def test_chosen_subnets_do_not_overlap_what_is_in_use() -> None:
    in_use = [ipaddress.IPv4Network(text) for text in ("10.192.0.0/21", "10.192.12.7/32")]

    chosen = addresses.choose_subnets(2, in_use)

    assert [str(network) for network in chosen] == ["10.192.8.0/22", "10.192.16.0/22"]


def test_a_default_route_takes_no_subnet() -> None:
    everything = ipaddress.IPv4Network("0.0.0.0/0")

    assert len(addresses.choose_subnets(4, [everything])) == 4


def test_no_free_subnet_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no free network"):
        addresses.choose_subnets(1, [ipaddress.IPv4Network("10.0.0.0/8")])


def test_networks_in_use_are_read_from_routes_and_addresses() -> None:
    routes = [{"dst": "default"}, {"dst": "10.1.0.0/16"}, {"dst": "10.2.3.4"}, {"dst": "fe80::/64"}]
    links = [
        {"addr_info": [{"family": "inet", "local": "10.3.0.1", "prefixlen": 24}]},
        {"addr_info": [{"family": "inet6", "local": "::1", "prefixlen": 128}]},
        {},
    ]

    found = addresses.networks_in_use(json.dumps(routes), json.dumps(links))

    assert [str(network) for network in found] == ["10.1.0.0/16", "10.2.3.4/32", "10.3.0.0/24"]
