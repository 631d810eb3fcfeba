"""Chooses free ports and free subnets; what is then done with them is not decided here."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import random
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

Subnet = ipaddress.IPv4Network

_FIRST_PORT = 20_000
_LAST_PORT = 32_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def port_is_free(port: int) -> bool:
    """True if nothing listens on the port on any IPv4 address of this machine."""
    with contextlib.closing(socket.socket()) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


def candidate_ports(ephemeral_first: int, seed: int | None = None) -> Iterator[int]:
    """Ports below the range from which the kernel takes ports for outgoing connections.

    A port of that range could be lost to any client while its daemon is stopped for a test.
    The order is random, so that two sets brought up at once rarely want the same port.
    """
    ports = list(range(min(_FIRST_PORT, ephemeral_first - 4000), min(_LAST_PORT, ephemeral_first)))
    random.Random(seed).shuffle(ports)
    return iter(ports)


def free_ports(count: int) -> list[int]:
    """``count`` different ports that are free now. Raises RuntimeError if there are not so many."""
    ephemeral_first = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else _LAST_PORT
    found: list[int] = []
    for port in candidate_ports(ephemeral_first):
        if port_is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"no {count} free ports below {ephemeral_first} on this machine")


def networks_in_use(routes: str, addresses: str) -> list[Subnet]:
    """The networks that ``ip -j route show table all`` and ``ip -j address`` tell of."""
    texts = [entry.get("dst", "default") for entry in json.loads(routes or "[]")]
    for link in json.loads(addresses or "[]"):
        texts += [
            f"{info['local']}/{info['prefixlen']}"
            for info in link.get("addr_info", [])
            if info.get("family") == "inet"
        ]
    return list(_networks(texts))


def _networks(texts: Iterable[str]) -> Iterator[Subnet]:
    for text in texts:
        with contextlib.suppress(ValueError):  # "default", IPv6
            yield ipaddress.IPv4Network(text, strict=False)


def choose_subnets(count: int, in_use: Iterable[Subnet]) -> list[Subnet]:
    """``count`` different /22 networks that overlap nothing in use. Raises RuntimeError if none.

    A server needs an address for its Service, so a smaller one would not do for many servers.
    """
    taken = [network for network in in_use if network.prefixlen > 0]
    chosen: list[Subnet] = []
    for candidate in ipaddress.IPv4Network("10.192.0.0/10").subnets(new_prefix=22):
        if len(chosen) == count:
            break
        if not any(candidate.overlaps(network) for network in taken):
            chosen.append(candidate)
    if len(chosen) < count:
        raise RuntimeError("no free network left in 10.192.0.0/10")
    return chosen


def free_subnets(count: int) -> list[Subnet]:
    """``count`` /22 networks that no route and no address of this machine overlaps."""
    routes = _ip("-4", "-j", "route", "show", "table", "all")
    return choose_subnets(count, networks_in_use(routes, _ip("-4", "-j", "address")))


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout
