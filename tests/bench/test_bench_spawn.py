"""The bars of `bench_spawn` and `bench_containers` that need no clock, and that both still run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.bench import bench_containers, bench_spawn
from tests.bench.bench_spawn import Servers
from tests.bench.comparison import Row, run_both
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.alone,  # the names of users, and so their routes, are those of any bench
    pytest.mark.slow,
]


def assert_counted(rows: list[Row], medians: dict[str, dict[str, float]]) -> None:
    """Each row has figures of both; what is counted is at most what it may be."""
    for row in rows:
        ours, theirs = medians["mcks"], medians["kubespawner"]
        text, met = row.line(ours, theirs)
        assert min(row.value(ours), row.value(theirs)) >= 0, text
        assert met or row.most is None, text


async def test_all_phases_of_both_spawners_run_and_no_request_is_sent_more_than_may_be(
    local_clusters: LocalSet, namespace: Namespace, tmp_path: Path
) -> None:
    few = Servers(some=4, many=4)
    cluster, name = local_clusters["a"], namespace.name
    kubeconfig = tmp_path / "kubeconfig"
    local_clusters.write_hub_kubeconfig(kubeconfig, name)
    medians = await bench_spawn.compare(cluster, kubeconfig, name, few, runs=1)
    assert_counted(bench_spawn.ROWS, medians)
    ours = medians["mcks"]
    assert ours["spawn requests"] == ours["spawn 20 requests"] == 6
    assert ours["poll requests"] == 0
    assert 0 < ours["stop requests"] <= 2
    assert ours["restart requests"] == ours["warm restart requests"] == 2
    assert await cluster.admin().list("v1", "Pod", name) == []


async def test_servers_in_containers_are_measured_and_send_no_request_more_than_may_be(
    local_clusters: LocalSet, namespace: Namespace, tmp_path: Path
) -> None:
    given = bench_containers.given(
        local_clusters, tmp_path / "kubeconfig", namespace.name, servers=3
    )
    medians = await asyncio.wait_for(run_both(("containers",), given, runs=1), 120)
    assert_counted(bench_containers.ROWS, medians)
