"""What is left of a set is recognised by its name, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import leftovers
from tests.cluster.cgroups import hierarchies
from tests.cluster.names import cluster_names

NAMES = cluster_names("t1")
MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
31 22 0:26 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw
40 22 0:40 / /var/s/t1/a/x rw - tmpfs tmpfs rw
41 22 0:41 / /var/s/t1/a/x/deep\\040er rw - tmpfs tmpfs rw
42 22 0:42 / /var/s/t11/a rw - tmpfs tmpfs rw
"""


def test_mounts_below_the_directory_are_found_deepest_first() -> None:
    found = leftovers.mounts_below(Path("/var/s/t1"), MOUNTINFO)

    assert found == ["/var/s/t1/a/x/deep er", "/var/s/t1/a/x"]


def test_cgroup_hierarchies_of_both_versions_are_found() -> None:
    assert hierarchies(MOUNTINFO) == [Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/unified")]


def test_bridges_and_what_is_attached_to_them_are_found() -> None:
    links = {"lo": "", "t1-a": "", "t1-a-port": "t1-a", "t1-a-pods": ""}
    others = {"veth2": "docker0", "t11-a": "", "t11-a-pods": ""}

    assert leftovers.own_links(links | others, NAMES) == ["t1-a", "t1-a-pods", "t1-a-port"]


def test_rules_with_the_chain_or_a_bridge_are_found() -> None:
    rules = [
        "-P FORWARD ACCEPT",
        "-N t1-clusters",
        "-A FORWARD -j t1-clusters",
        "-A t1-clusters -i t1-a -j REJECT --reject-with icmp-port-unreachable",
        "-A FORWARD -i t11-a -j ACCEPT",
    ]

    assert leftovers.own_rules(rules, "t1") == rules[1:4]


def test_the_results_of_our_pods_networks_are_found_with_those_of_their_loopback() -> None:
    ours = [Path("cni-loopback-aaa1-lo"), Path("t1-a-aaa1-eth0")]
    others = [Path("cni-loopback-bbb2-lo"), Path("t11-a-bbb2-eth0"), Path("odd")]

    assert leftovers.own_network_results([*ours, *others], NAMES) == ours


def test_a_leftover_tells_what_it_is() -> None:
    assert str(leftovers.Leftover("link", "t1-a")) == "link: t1-a"
