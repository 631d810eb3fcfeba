"""Makes and removes a set's bridges and its iptables rules.

All pods of a cluster share one cable to their bridge, on whose end each has a macvlan of its own.
With a cable each, links and addresses would come and go on this machine whenever a pod does, and
every browser on it would drop what it is loading (ERR_NETWORK_CHANGED).

Pods reach their own bridge and this machine, and nothing beyond: not the other cluster's pods, not
the internet. IP forwarding stays as the machine has it. Only `iptables` is used, never
`iptables-legacy`, whose mere call loads the legacy tables until the next reboot.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence

from tests.cluster import build, debian
from tests.cluster.names import ClusterName, chain
from tests.cluster.state import ClusterState

Rule = tuple[str, ...]
_HOOKS = {"filter": "FORWARD", "nat": "PREROUTING"}


def rules(clusters: Iterable[tuple[ClusterName, ClusterState]]) -> dict[str, list[Rule]]:
    """The rules of a set's own chains, by table.

    The nat rule stands in for kube-proxy, for the API's own Service only: a client in a pod finds
    the API server where Kubernetes tells it to.
    """
    forward: list[Rule] = []
    nat: list[Rule] = []
    for name, state in clusters:
        bridge = name.tag
        target = f"{state.node_ip}:{state.ports['apiserver']}"
        forward += [
            ("-i", bridge, "-o", bridge, "-j", "ACCEPT"),
            ("-i", bridge, "-j", "REJECT"),
            ("-o", bridge, "-j", "REJECT"),
        ]
        match = ("-i", bridge, "-d", f"{state.service_ip}/32", "-p", "tcp", "--dport", "443")
        nat.append((*match, "-j", "DNAT", "--to-destination", target))
    return {"filter": forward, "nat": nat}


def create(set_name: str, clusters: Sequence[tuple[ClusterName, ClusterState]]) -> None:
    """Make the bridges (before the kubelet, which has their address) and the rules.

    Also tries whether this machine knows macvlan: without, no pod would ever start, nor say why.
    """
    for name, state in clusters:
        prefix = state.pod_subnet.partition("/")[2]
        _ip("link", "add", name.tag, "type", "bridge")
        _ip("link", "add", name.port, "type", "veth", "peer", "name", name.cable)
        _ip("link", "set", name.port, "master", name.tag)
        _ip("address", "add", f"{state.node_ip}/{prefix}", "dev", name.tag)
        for link in (name.port, name.cable, name.tag):
            _ip("link", "set", link, "up")
        _ip("link", "add", "link", name.cable, "name", name.trial, "type", "macvlan")
        _ip("link", "delete", name.trial)
    own = chain(set_name)
    for table, table_rules in rules(clusters).items():
        _iptables(table, "-N", own)
        for rule in table_rules:
            _iptables(table, "-A", own, *rule)
        _iptables(table, "-I", _HOOKS[table], "1", "-j", own)


def remove(set_name: str, names: Iterable[ClusterName]) -> None:
    """Remove whatever of it is there."""
    for name in names:
        for link in (name.cable, name.tag):
            if link in links():
                _ip("link", "delete", link)
    own = chain(set_name)
    for table, hook in _HOOKS.items():
        present = table_rules(table)
        for _ in range(present.count(f"-A {hook} -j {own}")):
            _iptables(table, "-D", hook, "-j", own)
        if f"-N {own}" in present:
            _iptables(table, "-F", own)
            _iptables(table, "-X", own)


def links() -> dict[str, str]:
    """This machine's network links: name -> the bridge it is attached to, or an empty text."""
    text = _ip("-j", "link")
    listed = text[text.index("[") :]  # before it may be a word on links that change meanwhile
    return {link["ifname"]: link.get("master", "") for link in json.loads(listed)}


def table_rules(table: str) -> list[str]:
    """The lines of ``iptables -S`` for one table; none where iptables is missing."""
    program = debian.program("iptables")
    if program is None:
        return []
    listed = [program, "--wait", "-t", table, "-S"]
    # Not build.run: a kernel without this table makes it fail, and then there are no rules.
    done = subprocess.run(listed, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def _ip(*arguments: str) -> str:
    return build.run([debian.program("ip") or "ip", *arguments])


def _iptables(table: str, *arguments: str) -> str:
    return build.run([debian.program("iptables") or "iptables", "--wait", "-t", table, *arguments])
