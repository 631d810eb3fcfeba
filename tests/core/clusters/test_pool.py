"""A pool knows a cluster by its settings."""

from __future__ import annotations

import logging
import threading

import pytest
from traitlets.config import Config

from mcks.core.clusters.cluster import Cluster
from mcks.core.clusters.pool import Pool
from mcks.errors import ConfigError


class Counting:
    """Counts what is free, and holds what cannot be copied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def free(self, cluster: Cluster) -> str:
        with self._lock:
            return f"{cluster.name}: 3 GPUs"


async def test_a_cluster_whose_settings_are_changed_in_place_is_another_one() -> None:
    pool = Pool(Config(), logging.getLogger("test"))
    clusters = {"a": {"context": "c", "ingress_public_url": "http://g"}}
    before = pool.configured("a", clusters)
    assert pool.configured("a", {"a": dict(clusters["a"])}) is before
    clusters["a"]["ingress_public_url"] = "http://h"
    changed = pool.configured("a", clusters)
    assert changed.cluster.ingress_public_url == "http://h"
    clusters["a"]["ingress_public_url"] = "http://g"
    assert pool.configured("a", clusters) is before
    await pool.close()


async def test_a_method_in_the_settings_stays_that_of_its_object() -> None:
    pool, counting = Pool(Config(), logging.getLogger("test")), Counting()
    clusters = {"a": {"context": "c", "ingress_public_url": "http://g", "capacity": counting.free}}
    cluster = pool.configured("a", clusters).cluster
    assert cluster.capacity(cluster) == "a: 3 GPUs"
    assert pool.configured("a", {"a": dict(clusters["a"])}).cluster is cluster
    await pool.close()


@pytest.mark.parametrize("backend", [["gke"], 5])
async def test_a_backend_that_is_no_name_is_told(backend: object) -> None:
    pool = Pool(Config(), logging.getLogger("test"))
    with pytest.raises(ConfigError, match=r"clusters\['a'\]: backend must be a name, not"):
        pool.configured("a", {"a": {"backend": backend}})
