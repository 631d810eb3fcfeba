"""Nothing is left of a set, whatever was killed; on a set of its own beside the shared one."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import cgroups, leftovers, local_set, network, teardown, workloads
from tests.cluster.fixtures import Clusters
from tests.cluster.local_set import LocalSet
from tests.cluster.state import state_root

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.alone]

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def set_name(clusters: Clusters) -> Iterator[str]:
    """A name for a second set; the shared one, which is up, must not notice."""
    assert isinstance(clusters, LocalSet)
    name = f"t{secrets.token_hex(2)}"
    yield name
    local_set.down(name)
    assert clusters.clusters
    assert not any(cluster.stopped() for cluster in clusters)


@pytest.fixture
def machine_before(set_name: str) -> Iterator[None]:
    """Asks the machine itself what is new, and not only what bears the set's name.

    What is gone meanwhile belonged to pods of earlier tests.
    """
    before = _machine()
    yield
    assert leftovers.find(set_name) == []
    assert _machine() - before - _of_other_sets(set_name) == set()


def _of_other_sets(set_name: str) -> set[str]:
    """What came with the pods of the shared set, and of whatever sets run beside it."""
    found: set[str] = set()
    for directory in state_root().iterdir():
        if directory.is_dir() and directory.name != set_name:
            found |= {leftover.what for leftover in leftovers.find(directory.name)}
            found |= {str(path) for path in teardown.shim_sockets(directory)}
    return found


def _machine() -> set[str]:
    mounts = Path("/proc/self/mountinfo").read_text()
    roots = cgroups.hierarchies(mounts)
    fixed = {path for path in teardown.FIXED_DIRECTORIES if Path(path).exists()}
    return {
        *network.links(),
        *(line.split()[4] for line in mounts.splitlines()),
        *(f"{table}: {rule}" for table in ("filter", "nat") for rule in network.table_rules(table)),
        f"forwarding {Path('/proc/sys/net/ipv4/ip_forward').read_text()}",
        *(str(path) for root in roots for path in root.iterdir()),
        *fixed,
        *(str(path) for path in Path("/run/containerd/s").glob("*")),
        *(str(path) for path in Path("/var/lib/cni/results").glob("*")),
    }


def _with_pods(set_name: str) -> LocalSet:
    found = local_set.up(set_name, keep=False)
    for cluster in found:
        cluster.api.create(workloads.server_pod("server", cluster.name), "default")
    for cluster in found:
        cluster.api.wait_pod_ready("server", "default")
    return found


@pytest.mark.usefixtures("machine_before")
def test_down_leaves_nothing_of_a_set_with_pods(set_name: str) -> None:
    _with_pods(set_name)

    assert {leftover.kind for leftover in leftovers.find(set_name)} == {
        "process", "mount", "link", "rule", "cgroup", "file",
    }  # fmt: skip
    local_set.down(set_name)

    assert leftovers.find(set_name) == []


@pytest.mark.usefixtures("machine_before")
def test_down_leaves_nothing_after_everything_was_killed_and_the_records_were_lost(
    set_name: str,
) -> None:
    found = _with_pods(set_name)
    for component in ("kubelet", "apiserver", "containerd", "envoy"):
        found["a"].stop(component, kill=True)
    for process in leftovers.set_processes(set_name)[::2]:
        process.signal(signal.SIGKILL)
    found.state.file.unlink()

    local_set.down(set_name)

    assert leftovers.find(set_name) == []


@pytest.mark.usefixtures("machine_before")
def test_up_replaces_what_a_killed_up_left_half_done(set_name: str) -> None:
    command = [sys.executable, "-m", "tests.cluster", "--set", set_name, "up"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=_ROOT, stderr=subprocess.PIPE, env=environment) as killed:
        while not any("kubelet" in str(leftover) for leftover in leftovers.find(set_name)):
            assert killed.poll() is None
        killed.kill()
    assert local_set.running(set_name) is None

    found = local_set.up(set_name, keep=False)

    assert all(cluster.healthy() for cluster in found)
    local_set.down(set_name)


def test_down_of_nothing_does_nothing(set_name: str) -> None:
    local_set.down(set_name)

    assert leftovers.find(set_name) == []
